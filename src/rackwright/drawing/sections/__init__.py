"""The sections of the page, each a function from the page's context to HTML.

In reading order: `opening`, `best` (rack and mix without shortage), `shortage` (when supply
halves), `early` (early racks), `choice` (the decision), `proof` (money and how good the plan is),
`ground` (assumptions, sources, what was searched, hashes).
"""
