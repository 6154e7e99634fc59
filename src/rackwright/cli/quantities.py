"""Numbers with their units as people read them: 1.92e11 B is "192 GB"."""

from __future__ import annotations

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_SMALL = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_GROWS = ("B", "B/s", "bit/s", "FLOP/s", "W", "VA", "Pa")
_SHRINKS = ("m", "s", "s/m", "Pa·s")
_SHOWN = {"degC": "°C", "m2": "m²", "m3/s": "m³/s", "kg/m3": "kg/m³"}


def quantity(value: float, unit: str) -> str:
    """Return a number in a readable multiple of its unit.

    >>> quantity(1.92e11, "B"), quantity(0.0482, "m"), quantity(40.0, "degC")
    ('192 GB', '48.2 mm', '40 °C')
    """
    scales = _PREFIXES if unit in _GROWS else _SMALL if unit in _SHRINKS else ((1.0, ""),)
    factor, prefix = next((s for s in scales if abs(value) >= s[0]), scales[-1])
    return f"{value / factor:.6g} {prefix}{_SHOWN.get(unit, unit)}"
