"""Drawings of fabrics and halls: their data exactly, their files well formed."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from rackwright.cli.export import DRAWINGS
from rackwright.drawing.charts.fabric import fabric_chart
from rackwright.drawing.fabric import fabric_svg
from rackwright.drawing.layout.fabric import MOST_BOXES, diagram, ring
from rackwright.drawing.sections.drawn import Sheet, drawn
from rackwright.formats.exports import Subject
from rackwright.kernels.cable_routes import tray_loads
from tests.formats.laid_fabrics import small


def diagram_of(laid):
    net = laid.networks[0]
    return diagram(laid.fabric.plan, laid.fabric.networks[0], net.wiring)


def test_bundles_of_a_diagram_are_all_links_of_a_plane():
    laid = small()
    data = diagram_of(laid)
    assert data.tiers == ("server", "leaf", "spine")
    assert sum(b.links for b in data.bundles) == laid.networks[0].wiring.links


def test_leaves_stand_in_the_order_of_their_rails():
    rails = [box.rails for box in diagram_of(small()).boxes["leaf"]]
    assert rails == [(r,) for r in range(8) for _ in range(2)]


def test_a_large_fabric_is_bundled_into_few_boxes():
    data = diagram_of(small(accelerators=8192))
    assert all(len(boxes) <= MOST_BOXES for boxes in data.boxes.values())
    assert sum(b.devices for b in data.boxes["leaf"]) == 256
    assert all(box.rails == tuple(range(8)) for box in data.boxes["leaf"])


def test_a_plane_is_drawn_once():
    laid = small(switch="nvidia-sn5610", nic_bit_per_s=8e11, planes=2)
    assert sum(b.links for b in diagram_of(laid).bundles) == laid.networks[0].wiring.links // 2
    svg = fabric_svg(laid.fabric, [n.wiring for n in laid.networks])
    assert "first of 2 equal planes" in svg


def test_loads_of_trays_are_the_cables_over_them():
    # one cable from row 0 position 1 to row 1 position 3 over the tray at 0, one within row 0
    along, across = tray_loads(([0, 0], [1, 2]), ([1, 0], [3, 4]), [0], 2, 6)
    assert along.tolist() == [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]]
    assert across.tolist() == [[1]]


@pytest.mark.parametrize("name", sorted(n for n, d in DRAWINGS.items() if d.needs == "fabric"))
def test_drawings_are_well_formed_and_carry_their_style(name, tmp_path):
    (path,) = DRAWINGS[name].write(Subject(small()), tmp_path / "x.svg")
    root = ET.fromstring(path.read_text())
    assert root.find("{http://www.w3.org/2000/svg}style") is not None
    assert "nan" not in path.read_text()


@pytest.mark.parametrize(
    ("other", "groups", "chords"),
    [
        ({"topology": "torus", "accelerators": 512, "shape": (8, 8, 8)}, 32, None),
        ({"topology": "dragonfly", "accelerators": 4096}, 8, 28),
    ],
)
def test_networks_without_tiers_are_rings_of_groups(other, groups, chords):
    laid = small(**other, side_networks=())
    wiring = laid.networks[0].wiring
    data = ring(wiring)
    direct = sum(b.size for b in wiring.blocks if b.a_tier == b.b_tier)

    assert data is not None
    assert data.groups == groups
    assert data.inside + sum(links for *_, links in data.chords) == direct
    assert chords is None or len(data.chords) == chords
    assert "links inside groups" in fabric_svg(laid.fabric, [wiring])


def test_a_page_has_a_section_of_sheets_when_there_are_some():
    laid = small()
    chart = fabric_chart(diagram_of(laid), 780)
    page = drawn([Sheet("Its fabric", "512 accelerators", chart)], 7, "drawn")
    assert 'id="drawn"' in page
    assert "Its fabric" in page
    assert page.count("<svg") == 1


def test_the_hall_shows_every_rack():
    from rackwright.drawing.hall import hall_svg

    laid = small()
    racks = laid.fabric.racks
    rows = max(r.row for r in racks) + 1
    svg = hall_svg(laid.fabric, np.zeros((rows, 8), int), np.zeros((2, rows - 1), int))
    assert all(f"{rack.name}, {rack.role}" in svg for rack in racks)
