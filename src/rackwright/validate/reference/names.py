"""What the key of a printed count asks for: a quantity, of what, in which unit, how exactly.

`su_power_kw` is a power of a scalable unit in kW, `compute_racks_per_su` a count of racks in one,
`storage_leaf_4su` a count where there are four of them, `arrays_about` a count that the source
rounds.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NOUNS = {
    "accelerator": "gpu gpus chip chips xpu xpus accelerator accelerators",
    "server": "node nodes server servers system systems host hosts",
    "tray": "tray trays compute_tray compute_trays",
    "switch_tray": "switch_tray switch_trays",
    "asic": "asic asics switch_asic switch_asics",
    "cpu": "cpu cpus grace_cpu grace_cpus",
    "psu": "psu psus",
    "shelf": "shelf shelves power_shelf power_shelves",
    "pdu": "pdu pdus floor_pdu floor_pdus",
    "rack": "rack racks compute_rack compute_racks cabinet cabinets",
    "su": "su sus",
    "pod": "pod pods",
    "array": "array arrays",
    "group": "group groups",
    "instance": "instance instances",
    "ultraserver": "ultraserver ultraservers",
    "cube": "cube cubes",
    "segment": "segment segments",
    "cell": "cell cells",
    "zone": "zone zones",
    "building": "building buildings hall halls",
    "superpod": "superpod superpods",
    "chassis": "chassis",
    "blade": "blade blades",
    "row": "row rows",
    "endpoint": "endpoint endpoints",
    "switch": "switch switches router routers",
    "leaf_group": "leaf",
    "nic": "nic nics",
}
"""What a design holds, and the words that sources use for it."""

_WORD = {word: noun for noun, words in NOUNS.items() for word in words.split()}

UNITS = {
    "_gbit_per_s": ("_bit_per_s", 1e9),
    "_tbit_per_s": ("_bit_per_s", 1e12),
    "_gbyte_per_s": ("_bytes_per_s", 1e9),
    "_tbyte_per_s": ("_bytes_per_s", 1e12),
    "_gib": ("_bytes", 2.0**30),
    "_tib": ("_bytes", 2.0**40),
    "_gb": ("_bytes", 1e9),
    "_tb": ("_bytes", 1e12),
    "_tflops": ("_flop_per_s", 1e12),
    "_pflops": ("_flop_per_s", 1e15),
    "_eflops": ("_flop_per_s", 1e18),
    "_mw": ("_power_w", 1e6),
    "_kw": ("_power_w", 1e3),
    "_w": ("_power_w", 1.0),
    "_t": ("_mass_kg", 1e3),
    "_kg": ("_mass_kg", 1.0),
    "_km": ("_m", 1e3),
    "_l_per_s": ("_l_per_min", 60.0),
    "_cfm": ("_m3_per_s", 0.3048**3 / 60),
}
"""Units of printed counts: the ending inside, and what one of the unit is in it."""


class Asked(NamedTuple):
    """What a key asks for."""

    quantity: str  # in SI, as `quantities` knows it
    factor: float  # SI per printed unit; 1 for counts
    physical: bool  # a measure with a unit, printed rounded
    per: str  # noun that it is counted in, or ""
    per_count: int  # of how many of them
    su: int | None  # where there are so many scalable units
    compare: str  # exactly | about | more | less


def read_key(key: str) -> Asked:
    """Return what a key of a design's counts asks for.

    >>> read_key("storage_leaf_4su")[0], read_key("storage_leaf_4su").su
    ('storage_leaf', 4)
    >>> read_key("global_tbit_per_s_per_group")[:4]
    ('global_bit_per_s', 1000000000000.0, True, 'group')
    >>> read_key("storage_links_per_72_gpus")[3:5]
    ('accelerator', 72)
    """
    name, compare = key, "exactly"
    for ending, how in (
        ("_about", "about"), ("_more_than", "more"), ("_at_least", "more"), ("_less_than", "less"),
        ("_min", "more"), ("_max", "exactly"),
    ):  # fmt: skip
        if name.endswith(ending):
            name, compare = name.removesuffix(ending), how
    su, per, per_count = None, "", 1
    if found := re.fullmatch(r"(.+)_(\d+)su", name):
        name, su = found[1], int(found[2])
    if found := re.fullmatch(r"(.+)_per_(?:(\d+)_)?([a-z_]+?)", name):
        noun = "plane" if found[3] == "plane" else _WORD.get(found[3], "")
        if noun:
            name, per, per_count = found[1], noun, int(found[2] or 1)
    for ending, (inside, factor) in UNITS.items():
        if f"_{name}".endswith(ending):  # also a bare "kw"
            stem = f"_{name}".removesuffix(ending).removeprefix("_")
            if inside == "_power_w":
                stem, inside = stem.removesuffix("power").removesuffix("_"), "_power_w"
            inside = inside if stem else inside.removeprefix("_")
            return Asked(stem + inside, factor, True, per, per_count, su, compare)
    return Asked(name, 1.0, False, per, per_count, su, compare)


def noun(word: str) -> str:
    """Return the noun that a word of a source stands for, "" where it is none."""
    return _WORD.get(word, "")
