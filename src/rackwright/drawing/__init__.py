"""Records in, pictures and pages out: what people see of a run.

Files in reading order:

- `report` puts the page together, `picture` the same answers in one SVG file, `explain` one design
  as text.
- `page` is what the sections share; `sections/` holds one file for each section of the page.
- `fabric` and `hall` draw a fabric's tiers and its racks with their trays.
- `layout/` turns records into the numbers of a chart; `charts/` draws them.
- `parts` (tables, figures, grades), `html` (elements, escaped), `words` (numbers as people read
  them), `names` (short names and colours of designs), `style` and `page_style` (palette, CSS).
"""
