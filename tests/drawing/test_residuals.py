"""Residuals drawn: every row has its dot, each source its median."""

from math import log
from xml.etree import ElementTree

from rackwright.drawing.residuals import residuals_svg
from rackwright.records.residuals import Residuals, SourceResiduals

FOUND = Residuals(
    quantity="step time",
    sources=(
        SourceResiduals(source="one", logs=(log(0.9), 0.0, log(1.1))),
        SourceResiduals(source="two", logs=(log(5.0),)),
    ),
)


def test_every_row_has_a_dot_and_every_source_its_median():
    text = residuals_svg((FOUND,), "Residuals")
    root = ElementTree.fromstring(text)
    dots = root.findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(dots) == 4
    assert "+400.0 %" in text
    assert "+0.0 %" in text


def test_a_row_beyond_the_edge_stands_at_it():
    root = ElementTree.fromstring(residuals_svg((FOUND,), "Residuals"))
    places = [float(c.get("cx")) for c in root.findall(".//{http://www.w3.org/2000/svg}circle")]
    assert max(places) < 900 - 110
