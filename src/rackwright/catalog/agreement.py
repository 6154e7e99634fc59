"""What a component's file says beside other files: names that are there, numbers that agree.

A file is read by itself first (`component_file`). Here its redundant numbers are held against each
other and against the components that it names: each of them is stated twice, and one is a slip.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from math import isclose, sqrt
from typing import Protocol, TypeVar

from rackwright.records.component import Accelerator, Component, Part, RackSystem, Server
from rackwright.records.cooling import Coolant
from rackwright.records.equipment import PowerShelf
from rackwright.records.errors import UnknownComponentError
from rackwright.records.powering import Feed
from rackwright.records.rates import Duty, Efficiencies, ServingEngine, SoftwareStack

C = TypeVar("C", bound=Component)

COMMON = "common"
"""Name of the family that every other one falls back on."""

LIKE = 0.8
"""Two names of chip families that are more alike than this are one name, misspelt."""


class Components(Protocol):
    """Where other components are found: the catalog."""

    def get(self, kind: str, name: str) -> Component:
        """Return a component of a kind by key or alias."""

    def find(self, cls: type[C], name: str) -> C:
        """Return a component as its own record type."""

    def readable(self, kind: str) -> tuple[tuple[Component, ...], tuple[str, ...]]:
        """Return the components of a kind whose files are good, and the mistakes of others."""


def disagreements(component: Component, catalog: Components) -> Iterator[str]:
    """Yield a line for each name that nothing has and each pair of numbers that disagree.

    Raises:
        InputError: a file that this one names is damaged itself.
    """
    check = _CHECKS.get(type(component))
    if check is not None:
        yield from check(component, catalog)


def families(catalog: Components) -> tuple[str, ...]:
    """Return the chip families that have efficiencies of their own, sorted."""
    found = (f.family for f in _all(catalog, "efficiencies", Efficiencies))
    return tuple(sorted(set(found) - {COMMON}))


def _accelerator(a: Component, catalog: Components) -> Iterator[str]:
    assert isinstance(a, Accelerator)
    measured = families(catalog)
    if a.family not in measured:
        others = {x.family for x in _all(catalog, "accelerators", Accelerator) if x.key != a.key}
        near = _misspelt(a.family, {*measured, *others})
        if near:
            yield (
                f"family: found {a.family!r}, which no other file names. Did you mean {near}? A "
                "family of its own is stated by a file under efficiencies/"
            )
    if a.memory_stack_part:
        stack = _named(catalog, "parts", a.memory_stack_part, "memory_stack_part")
        if isinstance(stack, str):
            yield stack
        elif a.memory_stacks:
            size = catalog.find(Part, a.memory_stack_part).memory_bytes or 0.0
            held = a.memory_stacks * size
            if not a.memory_bytes <= held < 1.5 * a.memory_bytes:
                yield (
                    f"memory_stacks: {a.memory_stacks} x {a.memory_stack_part} of {size:g} B hold "
                    f"{held:g} B, memory_bytes states {a.memory_bytes:g} B; allowed is as much or "
                    "up to half more"
                )
    each, links = a.scale_up_link_bytes_per_s, a.scale_up_links
    told = [o.value for o in a.alternative if o.field == "scale_up_bytes_per_s"]  # on purpose
    if each and links and a.scale_up_bytes_per_s and links * each not in told:
        yield from _equal(
            "scale_up_bytes_per_s", a.scale_up_bytes_per_s, f"{links} links of {each:g} B/s",
            links * each, "B/s", 0.01,
        )  # fmt: skip


def _server(s: Component, catalog: Components) -> Iterator[str]:
    assert isinstance(s, Server)
    if s.accelerator:
        yield from _there(catalog, "accelerators", s.accelerator, "accelerator")
    for i, group in enumerate(s.ports):
        if group.nic:
            yield from _there(catalog, "nics", group.nic, f"ports[{i}].nic")
    if s.power_managed_w and s.power_static_w and s.power_w:
        yield from _equal(
            "power_w", s.power_w, "power_managed_w + power_static_w",
            s.power_managed_w + s.power_static_w, "W",
        )  # fmt: skip


def _system(r: Component, catalog: Components) -> Iterator[str]:
    assert isinstance(r, RackSystem)
    for field, kind in (
        ("accelerator", "accelerators"),
        ("server", "servers"),
        ("compute_tray", "servers"),
        ("switch_tray", "servers"),
        ("power_shelf", "power_shelves"),
    ):
        name = getattr(r, field)
        if name:
            missing = list(_there(catalog, kind, name, field))
            if missing:
                yield from missing
                return
    made_of = ((r.server, r.server_count, "server_count"),
               (r.compute_tray, r.compute_trays, "compute_trays"))  # fmt: skip
    for key, count, field in made_of:
        if not key or not count:
            continue
        one = catalog.find(Server, key)
        if r.accelerator_count:
            yield from _equal(
                "accelerator_count", r.accelerator_count, f"{field} x those of {key}",
                count * one.accelerator_count, "",
            )  # fmt: skip
        if r.cpus and one.cpus:
            yield from _equal("cpus", r.cpus, f"{field} x those of {key}", count * one.cpus, "")
        if r.accelerator and one.accelerator and r.accelerator != one.accelerator:
            yield f"accelerator: found {r.accelerator}, {key} is built with {one.accelerator}"


def _shelf(s: Component, _: Components) -> Iterator[str]:
    assert isinstance(s, PowerShelf)
    if s.psus and s.psu_w:
        yield from _equal("power_w", s.power_w, "psus x psu_w", s.psus * s.psu_w, "W")
        if s.power_n_plus_1_w:
            yield from _equal(
                "power_n_plus_1_w", s.power_n_plus_1_w, "(psus - 1) x psu_w",
                (s.psus - 1) * s.psu_w, "W",
            )  # fmt: skip


def _feed(f: Component, _: Components) -> Iterator[str]:
    assert isinstance(f, Feed)
    if f.continuous_a and f.breaker_a:  # National Electrical Code: continuous load to 80 %
        yield from _equal(
            "continuous_a", f.continuous_a, "80 % of breaker_a", 0.8 * f.breaker_a, "A"
        )
    current = f.continuous_a or f.breaker_a
    if current and f.voltage_v and f.apparent_va:
        yield from _equal(
            "apparent_va", f.apparent_va, "the root of 3 x voltage_v x current",
            sqrt(3.0) * f.voltage_v * current, "VA", 0.006,
        )  # fmt: skip


def _coolant(c: Component, _: Components) -> Iterator[str]:
    assert isinstance(c, Coolant)
    warm = [state.temperature_c for state in c.properties]
    if warm != sorted(warm):
        yield "properties: not in the order of temperature_c"
        return
    viscous = [state.viscosity_pa_s for state in c.properties]
    if viscous != sorted(viscous, reverse=True):
        yield "properties: viscosity_pa_s rises with the temperature somewhere"


def _duty(d: Component, catalog: Components) -> Iterator[str]:
    assert isinstance(d, Duty)
    for other in d.not_stacked_with:
        yield from _there(catalog, "duties", other, "not_stacked_with")
    for key in d.components_hit:
        yield from _there(catalog, "accelerators", key, "components_hit")


def _efficiencies(e: Component, catalog: Components) -> Iterator[str]:
    assert isinstance(e, Efficiencies)
    known = (COMMON, *families(catalog))
    if e.parent and e.parent not in known:
        near = _misspelt(e.parent, set(known))
        yield (
            f"parent: found {e.parent!r}, allowed {', '.join(known)}."
            + (f" Did you mean {near}?" if near else "")
        )


def _software(s: Component, catalog: Components) -> Iterator[str]:
    assert isinstance(s, (SoftwareStack, ServingEngine))
    if s.parent:
        kind = "stacks" if isinstance(s, SoftwareStack) else "engines"
        yield from _there(catalog, kind, s.parent, "parent")


_CHECKS: dict[type[Component], Callable[[Component, Components], Iterator[str]]] = {
    Accelerator: _accelerator,
    Server: _server,
    RackSystem: _system,
    PowerShelf: _shelf,
    Feed: _feed,
    Coolant: _coolant,
    Duty: _duty,
    Efficiencies: _efficiencies,
    SoftwareStack: _software,
    ServingEngine: _software,
}


def _equal(
    field: str, stated: float, of: str, made: float, unit: str, within: float = 1e-6
) -> Iterator[str]:
    if not isclose(stated, made, rel_tol=within):
        yield f"{field}: found {stated:g} {unit}".rstrip() + f", {of} make {made:g} {unit}".rstrip()


def _there(catalog: Components, kind: str, name: str, field: str) -> Iterator[str]:
    found = _named(catalog, kind, name, field)
    if isinstance(found, str):
        yield found


def _named(catalog: Components, kind: str, name: str, field: str) -> Component | str:
    """Return the component of that name, or what is wrong with the name."""
    try:
        return catalog.get(kind, name)
    except UnknownComponentError as error:
        return f"{field}: {error}"


def _all(catalog: Components, kind: str, cls: type[C]) -> tuple[C, ...]:
    return tuple(x for x in catalog.readable(kind)[0] if isinstance(x, cls))


def _misspelt(name: str, known: set[str]) -> str:
    """Return the name that is meant, empty where this one may be a name of its own.

    Another number makes another generation, whatever the rest.

    >>> _misspelt("Blackwel", {"Blackwell", "Hopper"}), _misspelt("CDNA6", {"CDNA5", "CDNA4"})
    ('Blackwell', '')
    """
    digits = re.findall(r"\d+", name)
    alike = {k.casefold(): k for k in sorted(known) if re.findall(r"\d+", k) == digits}
    near = get_close_matches(name.casefold(), list(alike), n=1, cutoff=LIKE)
    return alike[near[0]] if near and alike[near[0]] != name else ""
