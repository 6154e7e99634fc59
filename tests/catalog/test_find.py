"""Components are found by words and numbers, and compared field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright import catalog
from rackwright.catalog.diff import diff
from rackwright.catalog.fields import field_rows, values_of
from rackwright.catalog.find import find, read_condition
from rackwright.catalog.kinds import KINDS
from rackwright.catalog.published_counts import half_last_digit, published_counts
from rackwright.records.errors import InputError

CATALOG = catalog.load()
EVERY = [(kind, key) for kind in KINDS for key in CATALOG.names(kind)]


@given(st.sampled_from(EVERY))
def test_every_key_finds_its_component_first_among_its_kind(kind_and_key):
    kind, key = kind_and_key
    found = find(CATALOG, key, kinds=(kind,))

    assert found[0].component.key == key
    assert found[0].likeness == 1.0


@pytest.mark.parametrize(
    ("mistyped", "key"),
    [("mi3555x", "amd-mi355x"), ("conectx-8", "nvidia-cx8-800"), ("deshutes", "ocp-deschutes-2mw")],
)
def test_a_mistyped_name_still_finds_it(mistyped, key):
    assert key in [f.component.key for f in find(CATALOG, mistyped)]


def test_words_in_any_order_are_found():
    assert "nvidia-rtx-pro-6000-server" in [
        f.component.key for f in find(CATALOG, "server blackwell 6000")
    ]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("memory_bytes>=192e9", ("memory_bytes", ">=", 192e9)),
        ("tdp_w < 1.2 kW", ("tdp_w", "<", 1200.0)),
        ("family=Hopper", ("family", "=", "Hopper")),
        ("matmul_flop_per_s.fp8 >= 2 PFLOP/s", ("matmul_flop_per_s.fp8", ">=", 2e15)),
        ("cooling != air", ("cooling", "!=", "air")),
        ("shape.layers>60", ("shape.layers", ">", 60.0)),
    ],
)
def test_a_condition_is_read_with_its_unit(text, condition):
    assert tuple(read_condition(text)) == condition


@pytest.mark.parametrize("text", ["", ">=2", "a b c", "memory_bytes>", "memory_bytes>=2 kg"])
def test_what_is_no_condition_is_told(text):
    with pytest.raises(InputError, match="--where"):
        read_condition(text)


def test_an_absent_value_satisfies_no_condition():
    with_tdp = [f for f in find(CATALOG, conditions=["tdp_w>0"]) if f.kind == "accelerators"]
    stated = [c for c in CATALOG.all("accelerators") if c.tdp_w is not None]

    assert len(with_tdp) == len(stated) < len(CATALOG.names("accelerators"))


def test_conditions_filter_as_a_plain_loop_does():
    found = {
        f.component.key
        for f in find(
            CATALOG,
            conditions=["memory_bytes>=1e11", "memory_bytes_per_s<5 TB/s"],
            kinds=("accelerators",),
        )
    }
    plain = {
        c.key
        for c in CATALOG.all("accelerators")
        if c.memory_bytes >= 1e11 and c.memory_bytes_per_s < 5e12
    }

    assert found == plain


@given(st.sampled_from(EVERY))
def test_a_component_does_not_differ_from_itself(kind_and_key):
    component = CATALOG.get(*kind_and_key)

    assert diff(component, component) == ()
    told = diff(component, component, equal_too=True)
    assert all(row.left == row.right and row.relative in (None, 0.0) for row in told)


def test_the_other_way_round_the_sides_are_exchanged():
    left, right = CATALOG.accelerator("B200"), CATALOG.accelerator("MI355X")
    there = {row.field: row for row in diff(left, right)}
    back = {row.field: row for row in diff(right, left)}

    assert set(there) == set(back)
    for field, row in there.items():
        assert (row.left, row.right) == (back[field].right, back[field].left)
        if row.relative is not None:
            assert (1 + row.relative) * (1 + back[field].relative) == pytest.approx(1)


def test_fields_carry_unit_grade_and_other_values():
    rows = {row.field: row for row in field_rows(CATALOG.accelerator("B300"))}

    assert rows["memory_bytes"].unit == "B"
    assert rows["matmul_flop_per_s.fp4"].unit == "FLOP/s"
    assert [o.value for o in rows["matmul_flop_per_s.fp4"].others] == [12.6e15, 15e15]
    assert rows["memory_stacks"].estimate
    assert rows["memory_stacks"].unit == ""
    assert values_of(CATALOG.accelerator("B300"))["scale_up_domain"] == 8


def test_published_counts_are_met_or_explained():
    counts = published_counts(CATALOG)
    both = [c for c in counts if c.total_met and c.active_met]

    assert len(counts) == 176
    assert len(both) >= 150
    assert sum(c.total_met and abs(c.relative_active or 0) <= 0.01 for c in counts) >= 120
    for count in counts:
        assert (count.total_met and count.active_met) != bool(count.reason), count.key


def test_half_a_unit_of_the_last_digit():
    assert half_last_digit(13e9) == 0.5e9
    assert half_last_digit(45.9e9) == pytest.approx(0.05e9)
    assert half_last_digit(2.36e9) == pytest.approx(0.005e9)
