"""From records to laid-out charts: every number that a picture shows, before it is drawn.

Files in reading order: `designs` (price, time, cost per token), `plans` (racks, power and work by
week, money, worlds), `scenarios` (with and without redesign), `early` (probes, rates before and
after), `option` (values, boundary). These functions are what the tests hold exactly.
"""
