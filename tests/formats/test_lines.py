"""Lines of TOML and JSON values agree with what the parsers of the standard library read."""

from __future__ import annotations

import json
import tomllib

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from rackwright.formats.toml_lines import json_lines, toml_lines

TEXT = '''\
# a comment with [brackets] and "quotes"
name = "x # y"
a.b."c.d" = 1
list = [ # why
  { x = 1, y = [2,
   3] },

  { x = "]" },
]
text = """
several ] lines \\"""
"""
at = 2026-01-01T10:00:00Z # done
[table]
k = 'single # quoted'
[[dc]]
name = "a"
[dc.sub]
z = 1
[[dc.ramp]]
w = 1
[[dc.ramp]]
w = 2
[[dc]]
"quoted key" = """"four quotes"""" # not the end
'''


def test_every_form_of_toml_key_has_its_line():
    lines = toml_lines(TEXT)

    assert {path: lines[path] for path in lines if len(path) == 1} == {
        ("name",): 2,
        ("a",): 3,
        ("list",): 4,
        ("text",): 10,
        ("at",): 13,
        ("table",): 14,
        ("dc",): 16,
    }
    assert lines["a", "b", "c.d"] == 3
    assert lines["list", 0, "y", 1] == 6
    assert lines["list", 1, "x"] == 8
    assert lines["dc", 0, "sub", "z"] == 19
    assert lines["dc", 0, "ramp", 1, "w"] == 23
    assert lines["dc", 1, "quoted key"] == 25


KEYS = st.text(min_size=1, max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=12)
TOML_LEAVES = st.booleans() | st.integers(-9, 9) | st.text(max_size=12) | st.dates()


def nested(leaves):
    return st.dictionaries(
        KEYS,
        st.recursive(
            leaves,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    )


def paths_of(value, path=()):
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in inside:
        yield (*path, key)
        yield from paths_of(inner, (*path, key))


@given(nested(TOML_LEAVES), st.booleans())
def test_the_lines_cover_just_the_paths_that_tomllib_reads(data, multiline):
    text = tomli_w.dumps(data, multiline_strings=multiline)

    assert set(toml_lines(text)) == set(paths_of(tomllib.loads(text)))


@given(nested(LEAVES), st.sampled_from([None, 1]))
def test_the_lines_cover_just_the_paths_that_json_reads(data, indent):
    lines, twice = json_lines(json.dumps(data, indent=indent))

    assert set(lines) == set(paths_of(data))
    assert twice == []


def test_a_json_key_written_twice_is_told():
    lines, twice = json_lines('{"a": 1,\n "b": {"c": 1,\n "c": 2}}')

    assert twice == [("b", "c")]
    assert lines["b", "c"] == 2
