"""Charts: plain numbers in, SVG out. One family: the same axes, colours, type and sizes.

A chart is a `NamedTuple` of laid-out data and a function that draws it at a width.
`layout/` fills the data from records; nothing here knows a record.

Files in reading order: `canvas` (text, marks, the wrapping element), `axes` (scales, ticks, grid),
`bars` (stacked bars), `steps` (what is there week by week), `curves` (lines over two axes),
`ranges` (a value with its interval), `spread` (a distribution before and after), `pairs` (with
and without), `waterfall` (lines that add up), `probes` (readings against a promise).
"""
