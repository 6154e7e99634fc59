"""How the page looks: on a screen, in the dark, on a phone and on paper."""

from __future__ import annotations

from collections.abc import Mapping

from rackwright.drawing.style import CHART_SHAPES, DARK, FONT, LIGHT, chart_rules


def page_css() -> str:
    """Return all rules of a page; paper is always light."""
    dark = "screen and (prefers-color-scheme:dark)"
    return (
        _PAGE.replace("FONT", FONT)
        + CHART_SHAPES
        + f"@media all{{{_page_rules(LIGHT)}{chart_rules(LIGHT)}}}"
        + f"@media {dark}{{{_page_rules(DARK)}{chart_rules(DARK)}}}"
        + _NARROW
        + _PRINT
    )


def _page_rules(p: Mapping[str, str]) -> str:
    """Return the palette as variables of the page."""
    return ":root{" + "".join(f"--{name}:{value};" for name, value in p.items()) + "}"


_PAGE = """
:root{color-scheme:light dark}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 FONT;
 font-variant-numeric:tabular-nums}
main{max-width:920px;margin:0 auto;padding:28px 20px 64px}
h1{font-size:1.9rem;line-height:1.2;margin:.35rem 0 .5rem;letter-spacing:-.015em;
 text-wrap:balance}
h2{font-size:1.4rem;line-height:1.25;margin:3.2rem 0 .4rem;padding-top:1.1rem;
 border-top:2px solid var(--ink);letter-spacing:-.01em}
h3{font-size:1.04rem;margin:1.9rem 0 .35rem}
h2 .no{color:var(--quiet);font-weight:400;margin-right:.5rem}
p{margin:.45rem 0 .8rem;max-width:46rem} .lead{color:var(--quiet)}
a{color:var(--accent)} ul,ol{padding-left:1.2rem;margin:.4rem 0 1rem;max-width:46rem}
li{margin:.25rem 0} code{font:.86em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
 overflow-wrap:anywhere}
.eyebrow{display:flex;flex-wrap:wrap;gap:.4rem .7rem;align-items:center;color:var(--quiet);
 font-size:.88rem;margin:0}
.kind{border:1px solid var(--axis);border-radius:99px;padding:.05rem .65rem;color:var(--ink)}
.kind.fictitious{border-color:var(--alarm);color:var(--alarm);font-weight:600}
.band{border:1px solid var(--alarm);border-left-width:6px;background:var(--alarm-wash);
 padding:.7rem 1rem;margin:1rem 0;border-radius:4px;max-width:none}
.band strong{color:var(--alarm);letter-spacing:.04em}
.mark{color:var(--alarm);font-weight:650;font-size:.78rem;letter-spacing:.05em}
.grade{display:inline-block;align-self:start;justify-self:start;min-width:1.5em;text-align:center;font-size:.8rem;font-weight:650;
 line-height:1.45;border:1px solid currentColor;border-radius:4px;padding:0 .3em}
.grade.A{color:var(--A)} .grade.B{color:var(--B)} .grade.C{color:var(--C)}
.grade.D{color:var(--D)}
.keys{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);border:1px solid var(--line);
 border-radius:6px;overflow:hidden;margin:1.2rem 0 1.5rem}
.keys>div{background:var(--paper);padding:.7rem .85rem;flex:1 1 29%;min-width:150px}
.keys dt,.keys .label{font-size:.8rem;color:var(--quiet)}
.keys .value{font-size:1.28rem;font-weight:650;line-height:1.25;letter-spacing:-.01em}
.keys .more{font-size:.8rem;color:var(--quiet);line-height:1.35}
.headlines{list-style:none;padding:0;margin:0;max-width:none}
.headlines li{display:grid;grid-template-columns:2.1rem 1fr;gap:.55rem;padding:.6rem 0;margin:0;
 border-top:1px solid var(--line)}
.headlines li:last-child{border-bottom:1px solid var(--line)}
.headlines .leans{display:block;color:var(--quiet);font-size:.82rem}
.legend{font-size:.84rem;color:var(--quiet);max-width:none}
.legend span.pair{white-space:nowrap;margin-right:.9rem}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.9rem;margin:1.2rem 0 0}
figure{margin:1.4rem 0 1.2rem} figcaption{margin-bottom:.55rem;max-width:46rem;line-height:1.4}
figcaption b{display:block;font-size:1rem}
figcaption span{color:var(--quiet);font-size:.88rem} figcaption .mark{color:var(--alarm)}
.only-narrow{display:none}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 34px;align-items:start}
.two>*{min-width:0}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.6rem 0 1.2rem;line-height:1.38}
caption{text-align:left;font-weight:600;padding:.2rem 0 .35rem}
th{text-align:left;font-weight:600;color:var(--quiet);font-size:.8rem;vertical-align:bottom;
 border-bottom:1.5px solid var(--axis);padding:.3rem .55rem .3rem 0}
td{vertical-align:top;border-bottom:1px solid var(--line);padding:.38rem .55rem .38rem 0}
td.n,th.n{text-align:right} td.n{white-space:nowrap}
.column>h3{margin-top:1.4rem} .column li{font-size:.92rem} .column td:first-child{min-width:5rem}
td:last-child,th:last-child{padding-right:0}
td small{color:var(--quiet);font-size:.86em;font-weight:400}
td small.wraps{white-space:normal;display:inline-block;max-width:11rem;line-height:1.3}
.verdict{font-size:.84em;font-weight:600} .verdict.PASS{color:var(--A)}
.verdict.FAIL{color:var(--alarm)} .verdict.INCONCLUSIVE,.verdict.INCOMPLETE{color:var(--C)}
tr.strong td{font-weight:600} tr.quiet td{color:var(--quiet)}
.tag{font-size:.76rem;color:var(--quiet);border:1px solid var(--axis);border-radius:3px;
 padding:0 .3em;white-space:nowrap}
.whole{white-space:nowrap}
.key{overflow-wrap:anywhere} td:first-child{min-width:8rem}
ul.dense{columns:2;column-gap:34px;max-width:none;font-size:.86rem;line-height:1.4}
ul.dense li{break-inside:avoid;overflow-wrap:anywhere}
.answer{background:var(--wash);border-radius:6px;padding:.75rem 1rem;max-width:none}
footer{margin-top:2.5rem;color:var(--quiet);font-size:.84rem}
"""

_NARROW = """
@media screen and (max-width:780px){
 body{font-size:15.5px} main{padding:18px 16px 48px} h1{font-size:1.5rem}
 h2{font-size:1.25rem;margin-top:2.4rem}
 .two{display:block} ul.dense{columns:1} .only-wide{display:none} .only-narrow{display:block}
 table.stack,table.stack tbody,table.stack tr,table.stack td{display:block;width:100%}
 td.n{white-space:normal} table.stack thead{display:none} table.stack caption{display:block}
 table.stack tr{border-bottom:1px solid var(--axis);padding:.5rem 0}
 table.stack td,table.stack td.n{display:flex;justify-content:space-between;gap:1rem;
  text-align:right;border:0;padding:.1rem 0;white-space:normal}
 table.stack td::before{content:attr(data-label);color:var(--quiet);text-align:left;
  flex:0 0 auto;max-width:45%}
 table.stack td:first-child{display:block;text-align:left;font-weight:600}
 table.stack td:first-child::before{content:none} table.stack td:empty{display:none}
}
"""

_PRINT = """
@page{size:A4;margin:14mm 15mm 15mm}
@media print{
 :root{color-scheme:light} html,body{font-size:9.6pt} body{background:#fff}
 main{padding:0;max-width:none} nav{display:none} table{font-size:8.6pt}
 a{color:inherit;text-decoration:none} h2{margin-top:1.6rem}
 h2,h2+.lead,h3,caption,figcaption{break-after:avoid} thead{display:table-header-group}
 figure,tr,.keys,.band,.headlines li,.answer,footer{break-inside:avoid} p,li{orphans:3;widows:3}
 table:not(:has(tbody tr:nth-child(9))){break-inside:avoid}
 thead,thead tr,tbody tr:nth-child(-n+2){break-after:avoid}
 tbody tr:nth-last-child(-n+2){break-before:avoid}
 table+p{break-before:avoid}
 .band,.keys,.grade,.answer,svg{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""
