"""How pictures look: one palette, light and dark, and one type.

The colours of data are those of Okabe and Ito (Color Universal Design, 2008), which people with
the common kinds of colour blindness tell apart; the dark set is the same hues, lighter.
"""

from __future__ import annotations

from collections.abc import Mapping

FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'

LIGHT = {
    "paper": "#ffffff",
    "wash": "#f5f6f8",
    "ink": "#1c2128",
    "quiet": "#5b6572",
    "line": "#dfe3e8",
    "axis": "#9aa4af",
    "accent": "#0b5c94",
    "alarm": "#a3240f",
    "alarm-wash": "#fdeeea",
    "c0": "#0072b2",
    "c1": "#e69f00",
    "c2": "#009e73",
    "c3": "#cc79a7",
    "c4": "#56b4e9",
    "c5": "#d55e00",
    "c6": "#8f8578",
    "c7": "#c3c8ce",
    "on-c0": "#ffffff",
    "on": "#14181d",
    "A": "#1a7f4b",
    "B": "#2f6f9f",
    "C": "#94690a",
    "D": "#8a4b32",
}
DARK = {
    "paper": "#14181d",
    "wash": "#1d232a",
    "ink": "#e8ebef",
    "quiet": "#a3adb8",
    "line": "#323a44",
    "axis": "#6b7682",
    "accent": "#7cc0ee",
    "alarm": "#ff9c86",
    "alarm-wash": "#3a1d17",
    "c0": "#4aa5e0",
    "c1": "#f2b636",
    "c2": "#2fc196",
    "c3": "#e3a1c4",
    "c4": "#9bd5f7",
    "c5": "#f58543",
    "c6": "#b5ab9d",
    "c7": "#7f8a97",
    "on-c0": "#14181d",
    "on": "#14181d",
    "A": "#5fcf95",
    "B": "#7cc0ee",
    "C": "#e3b950",
    "D": "#e59a7c",
}
COLOURS = 8
"""How many colours data have: `c0` to `c7`; the last two are greys."""


def colour(i: int) -> str:
    """Return the class of the i-th colour; past the last one they begin again."""
    return f"c{i % COLOURS}"


def chart_css() -> str:
    """Return the rules for charts alone, for an SVG file that stands by itself."""
    dark = f"@media (prefers-color-scheme:dark){{{chart_rules(DARK)}}}"
    return CHART_SHAPES + chart_rules(LIGHT) + dark


CHART_SHAPES = f"""
.chart{{display:block;width:100%;height:auto;font:12px {FONT};font-variant-numeric:tabular-nums}}
.chart .small{{font-size:11.5px}} .chart .strong{{font-weight:600}}
.chart .title{{font-size:15px;font-weight:600}} .chart .large{{font-size:20px;font-weight:650}}
.chart .stroke{{fill:none;stroke-width:2.2;stroke-linejoin:round}} .chart .thin{{stroke-width:1.2}}
.chart .dashed{{stroke-dasharray:6 4}} .chart .dotted{{stroke-dasharray:2 3}}
.chart .soft{{fill-opacity:.28}} .chart .bar{{stroke-width:8;stroke-opacity:.45}}
.chart .limit{{fill:none;stroke-width:1.8;stroke-dasharray:5 3}}
.chart .halo{{paint-order:stroke;stroke-width:3.5px;stroke-linejoin:round}}
.chart .join{{stroke-width:1.4}} .chart .ring{{stroke-width:2}} .chart .unit{{stroke-width:1.3}}
.chart .good-line{{stroke-width:2}} .chart .promise{{stroke-width:1.2;stroke-dasharray:3 3}}
.chart .predicted{{stroke-width:2}} .chart .grid{{stroke-width:1}} .chart .axis{{stroke-width:1}}
"""


def chart_rules(p: Mapping[str, str]) -> str:
    """Return the rules that depend on the palette; colours are written out, not as variables.

    Viewers of SVG files outside of browsers know no variables.
    """
    data = "".join(
        f".chart .c{i}.fill{{fill:{p[f'c{i}']}}}"
        f".chart .c{i}.stroke,.chart .c{i}.bar{{stroke:{p[f'c{i}']}}}"
        f".chart .on.c{i}{{fill:{p['on-c0'] if i == 0 else p['on']}}}"
        for i in range(COLOURS)
    )
    return (
        f".chart text{{fill:{p['ink']}}}.chart .paper{{fill:{p['paper']}}}"
        f".chart .quiet{{fill:{p['quiet']}}}.chart .alarm{{fill:{p['alarm']}}}"
        f".chart .grid{{stroke:{p['line']}}}.chart .axis{{stroke:{p['axis']}}}"
        f".chart .join,.chart .promise{{stroke:{p['quiet']}}}"
        f".chart .limit,.chart .predicted{{stroke:{p['ink']}}}"
        f".chart .halo{{stroke:{p['paper']}}}.chart .edge{{stroke:{p['paper']};stroke-width:1}}"
        f".chart .ink-fill{{fill:{p['ink']}}}.chart .ring{{fill:{p['paper']};stroke:{p['ink']}}}"
        f".chart .mark{{fill:{p['alarm']};stroke:{p['paper']};stroke-width:1.5}}"
        f".chart .unit{{fill:{p['paper']};stroke:{p['c0']}}}"
        f".chart .out{{fill:{p['c5']};stroke:{p['c5']}}}"
        f".chart .bad-zone{{fill:{p['c5']};fill-opacity:.16}}"
        f".chart .good-line{{stroke:{p['c2']}}}"
        f".chart .quiet-band{{fill:{p['c7']};fill-opacity:.75}}"
        f".chart .PASS{{fill:{p['A']}}}.chart .FAIL{{fill:{p['alarm']}}}"
        f".chart .INCONCLUSIVE,.chart .INCOMPLETE{{fill:{p['C']}}}{data}"
    )
