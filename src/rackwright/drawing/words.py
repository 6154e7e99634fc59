"""Numbers as people read them: SI inside is turned into kW, MUSD and T tokens here, once."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def usd(value: float) -> str:
    """Return money with a sensible multiple.

    >>> usd(1234.5e6), usd(-25.4e6), usd(9.87e3), usd(0.0123)
    ('1,234 MUSD', '−25.4 MUSD', '9.87 kUSD', '0.0123 USD')
    """
    size = abs(value)
    if size >= 1e6:
        return f"{number(value / 1e6)} MUSD"
    if size >= 1e3:
        return f"{number(value / 1e3)} kUSD"
    return f"{number(value)} USD"


def musd(value: float) -> str:
    """Return money in MUSD as a bare number, for a column that names the unit."""
    return number(value / 1e6)


def power(watts: float) -> str:
    """Return a power in W, kW or MW.

    >>> power(132_000), power(84.7e6)
    ('132 kW', '84.7 MW')
    """
    return _multiple(watts, ((1e6, "MW"), (1e3, "kW"), (1.0, "W")))


def rate(tokens_per_s: float) -> str:
    """Return a rate in tokens/s with its multiple.

    >>> rate(2_345_678)
    '2.35 M tokens/s'
    """
    return _multiple(tokens_per_s, _RATES)


def rate_interval(low: float, high: float) -> str:
    """Return an interval of rates in one multiple.

    >>> rate_interval(811_362, 1_378_157)
    '0.811 to 1.38 M tokens/s'
    """
    factor, unit = next((s for s in _RATES if abs(high) >= s[0] * 0.9995), _RATES[-1])
    return f"{number(low / factor)} to {number(high / factor)} {unit}"


_RATES = ((1e9, "G tokens/s"), (1e6, "M tokens/s"), (1e3, "k tokens/s"), (1.0, "tokens/s"))


def tokens(count: float) -> str:
    """Return an amount of tokens.

    >>> tokens(15e12)
    '15 T tokens'
    """
    steps = ((1e12, "T tokens"), (1e9, "G tokens"), (1e6, "M tokens"), (1.0, "tokens"))
    return _multiple(count, steps)


def seconds(value: float) -> str:
    """Return a time in s, ms or µs."""
    return _multiple(value, ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")))


def quantity(value: float, unit: str) -> str:
    """Return a value in the multiple of its unit that reads best.

    >>> quantity(1.8436e15, "FLOP/s"), quantity(88_662, "W"), quantity(0.0125, "s")
    ('1.84 PFLOP/s', '88.7 kW', '12.5 ms')
    """
    if unit == "s":
        return seconds(value)
    if unit == "tokens/s":
        return rate(value)
    if unit in _PREFIXED:
        steps = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
        return _multiple(value, (*((size, p + unit) for size, p in steps), (1.0, unit)))
    return f"{number(value)} {unit}"


_PREFIXED = frozenset({"FLOP/s", "B/s", "bit/s", "W"})


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage.

    >>> percent(0.0567), percent(-0.5, 0)
    ('5.7 %', '−50 %')
    """
    return f"{share * 100:,.{digits}f} %".replace("-", MINUS)


def number(value: float) -> str:
    """Return a number with three significant digits, and none cut before the point.

    >>> number(12345.6), number(12.345), number(0.012345), number(-3), number(0)
    ('12,346', '12.3', '0.0123', '−3', '0')
    """
    size = abs(value)
    if size == 0 or size >= 1e15:
        return f"{value:.3g}".replace("-", MINUS)
    if size >= 99.95:
        return f"{value:,.0f}".replace("-", MINUS)
    if size >= 9.995:
        digits = 1
    elif size >= 0.9995:
        digits = 2
    else:
        return f"{value:.3g}".replace("-", MINUS)
    written = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return written.replace("-", MINUS)


def count(value: float) -> str:
    """Return a count: with one digit where it is small and not whole.

    >>> count(12000), count(2.5), count(515.2)
    ('12,000', '2.5', '515')
    """
    whole = abs(value - round(value)) < 0.05 or abs(value) >= 100
    return f"{value:,.0f}" if whole else f"{value:,.1f}"


def _multiple(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    factor, unit = next((s for s in steps if abs(value) >= s[0] * 0.9995), steps[-1])
    return f"{number(value / factor)} {unit}"
