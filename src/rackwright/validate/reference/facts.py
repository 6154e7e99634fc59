"""The inputs of one design: what is given, what the catalog adds, what holds how many of what.

`Facts` knows ratios ("8 accelerators in a server", "2 servers in a rack") as edges between nouns;
a total or any other ratio is the product along a path.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from math import ceil, prod
from typing import Any, TypeVar

from rackwright.catalog import Catalog
from rackwright.records.component import Accelerator, Component, RackSystem, Server
from rackwright.records.equipment import PowerShelf, Switch
from rackwright.records.errors import UnknownComponentError
from rackwright.records.powering import PowerTree
from rackwright.validate.reference.names import noun

_C = TypeVar("_C", bound=Component)

_UP = ("server", "tray", "switch_tray", "rack", "su", "pod", "array", "group", "leaf_group", "cube",
       "segment", "cell", "zone", "building", "superpod", "chassis", "row")  # fmt: skip
"""Nouns of which a part is a whole one: nine servers, two in a rack, are five racks."""


class Lacking(Exception):  # noqa: N818 - an answer to who asks, not a mistake of the person
    """A quantity cannot be had from the inputs; the message says what is lacking."""


class Facts:
    """What is known of one design; quantities ask it, and add nothing to it."""

    def __init__(self, design: Mapping[str, Any], catalog: Catalog, **row: Any) -> None:
        """Take a design of the format and the inputs of one row of a table.

        Args:
            design: with `id`, perhaps `title` and `given`.
            catalog: components that the inputs name.
            row: further inputs, such as `su=4`.
        """
        given = design.get("given") or {}
        self.given: dict[str, Any] = {**given, **row}
        self.catalog = catalog
        self.design = design
        self.text = f"{design.get('id', '')} {design.get('title', '')}"
        self._component: dict[tuple[str, str], Any] = {}
        self._edges: dict[str, dict[str, Fraction]] = {}
        self._from_catalog()
        self._from_given()  # last: what the design says wins

    def get(self, *names: str) -> Any:
        """Return the first input of these names, or None."""
        return next((self.given[n] for n in names if self.given.get(n) is not None), None)

    def need(self, *names: str) -> Any:
        """Return the first input of these names.

        Raises:
            Lacking: none is given.
        """
        value = self.get(*names)
        if value is None:
            raise Lacking(f"the inputs have no {' or '.join(names)}")
        return value

    def varied(self, **row: Any) -> Facts:
        """Return the same design with other inputs."""
        return Facts(self.design, self.catalog, **{**self.given, **row})

    def count(self, what: str, of: str = "cluster", many: int = 1) -> int:
        """Return how many of a noun there are in all, or in so many of another noun.

        Raises:
            Lacking: no ratios lead from one to the other.
        """
        ratio = self._ratio(what, of)
        if ratio is None and of == "cluster" and what == "endpoint":
            ratio = self._ratio("accelerator", of)
        if ratio is None:
            where = "in all" if of == "cluster" else f"in one {of}"
            raise Lacking(f"the inputs do not say how many {what}s there are {where}")
        number = ratio * many
        if number.denominator == 1:
            return int(number)
        if what in _UP:
            return ceil(number)
        raise Lacking(f"{float(number):.4g} {what}s per {of} is no whole number")

    def has(self, what: str, of: str = "cluster") -> bool:
        """Return whether ratios lead from one noun to another."""
        return self._ratio(what, of) is not None

    def server(self) -> Server:
        """Return the server that the design names. Raises Lacking."""
        if self.get("server", "chip", "accelerator") is None:
            system = self._find("systems", RackSystem, "rack")
            if system and system.compute_tray:
                return self.catalog.find(Server, system.compute_tray)
        found = self._find("servers", Server, "server")
        if found is not None:
            return found
        chip = self._find("accelerators", Accelerator, "chip", "accelerator")
        if chip is not None:
            hosts = [
                s
                for s in self.catalog.all("servers")
                if isinstance(s, Server) and s.accelerator == chip.key
            ]
            if len(hosts) == 1:
                return hosts[0]
        raise Lacking("the inputs name no server of the catalog")

    def system(self) -> RackSystem:
        """Return the rack that the design names. Raises Lacking."""
        found = self._find("systems", RackSystem, "rack")
        if found is not None:
            return found
        server = self.server()
        racks = [
            s
            for s in self.catalog.all("systems")
            if isinstance(s, RackSystem) and s.server == server.key and s.server_count
        ]
        wanted = self.get("servers_per_rack")
        if self.get("su", "nodes", "gpus") is None:
            wanted = wanted or self.get("servers")
        racks = [s for s in racks if wanted in (None, s.server_count)]
        if not racks:
            raise Lacking("the catalog has no rack of these servers")
        return min(racks, key=lambda s: s.server_count or 0)

    def accelerator(self) -> Accelerator:
        """Return the accelerator that the design names or its server has. Raises Lacking."""
        found = self._find("accelerators", Accelerator, "chip", "accelerator")
        if found is not None and self.get("server", "rack") is None:
            return found
        try:
            return self.catalog.accelerator(self.system().accelerator or self.server().accelerator)
        except (Lacking, UnknownComponentError):
            return self.catalog.accelerator(self.server().accelerator)

    def switch(self) -> Switch:
        """Return the switch that the design names. Raises Lacking."""
        found = self._find("switches", Switch, "switch")
        if found is None:
            raise Lacking("the inputs name no switch of the catalog")
        return found

    def power_tree(self) -> PowerTree:
        """Return the published power hierarchy of the design's name. Raises Lacking."""
        found = self._find("power_trees", PowerTree, "power_tree")
        if found is None:
            raise Lacking("the inputs name no power hierarchy of the catalog")
        return found

    def has_frontend(self) -> bool:
        """Return whether the design has a frontend network beside that of its accelerators."""
        keys = [*self.given, *(k for name, v in self.design.items() if name.startswith("expect")
                               and isinstance(v, Mapping) for k in v)]  # fmt: skip
        return any(re.search(r"(^|_)(fe|frontend)_", str(key)) for key in keys)

    def _find(self, kind: str, cls: type[_C], *keys: str) -> _C | None:
        """Return the component that an input or, failing that, the design's name mentions."""
        cached = self._component.get((kind, keys[0]))
        if cached is not None:
            return cached if isinstance(cached, cls) else None
        name = self.get(*keys)
        found: Component | None = None
        if isinstance(name, str):
            try:
                found = self.catalog.get(kind, name)
            except UnknownComponentError as error:
                raise Lacking(str(error)) from None
        elif kind != "switches":
            found = _mentioned(self.text, self.catalog.all(kind))
        self._component[kind, keys[0]] = found if found is not None else False
        return found if isinstance(found, cls) else None

    def _from_given(self) -> None:
        for key, value in self.given.items():
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            if match := re.fullmatch(r"([a-z_]+?)_per_([a-z_]+)", key):
                what, of = noun(match[1]), noun(match[2])
                if what == "asic" and of == "tray":
                    of = "switch_tray"
                if what and of:
                    self._edge(what, of, Fraction(value))
            elif noun(key) and not self._is_of_one_server(key):
                self._edge(noun(key), "cluster", Fraction(value))
        if "nics" in self.given:  # a pattern such as 2-8-9: CPUs, accelerators, NICs of one server
            for key in ("gpus", "cpus"):
                if key in self.given:
                    self._edge(noun(key), "server", Fraction(self.given[key]))
        if "rails" in self.given and not self._given_accelerators():
            self._edge("accelerator", "server", Fraction(self.given["rails"]))
        per_server = self.given.get("nics_per_node", self.given.get("nics_per_server"))
        if isinstance(per_server, int) and not self._given_accelerators():
            self._edge("accelerator", "server", Fraction(per_server))  # an adapter for each
        if all(isinstance(self.given.get(axis), int) for axis in "xyz"):
            self._edge("accelerator", "cluster", Fraction(prod(self.given[a] for a in "xyz")))
        if "cluster" not in self._edges:  # what is given is one machine
            whole = next((n for n in ("su", "pod", "array", "ultraserver") if n in self._edges), "")
            if whole == "ultraserver" or (not whole and "rack" in self.given):
                self._edge(whole or "rack", "cluster", Fraction(1))
        if isinstance(cube := self.given.get("cube"), list):
            self._edge("accelerator", "cube", Fraction(prod(cube)))

    def _given_accelerators(self) -> bool:
        return self._ratio("accelerator", "server") is not None

    def _is_of_one_server(self, key: str) -> bool:
        return "nics" in self.given and key in ("gpus", "cpus", "nics")

    def _from_catalog(self) -> None:
        """Add the ratios that follow from the components named."""
        with suppress(Lacking):
            self._of_system(self.system())
        with suppress(Lacking):
            self._of_server(self.server())
        with suppress(Lacking):
            tree = self.power_tree()
            self._edge("rack", "pdu", Fraction(tree.racks_per_pdu))
            self._edge("pdu", "cluster", Fraction(tree.floor_pdus))
            self._edge("server", "cluster", Fraction(tree.nodes))

    def _of_server(self, server: Server) -> None:
        if server.accelerator_count:
            self._edge("accelerator", "server", Fraction(server.accelerator_count))
        for what, many in (("cpu", server.cpus), ("psu", server.psus)):
            if many:
                self._edge(what, "server", Fraction(many))

    def _of_system(self, system: RackSystem) -> None:
        for what, many in (
            ("accelerator", system.accelerator_count),
            ("server", system.server_count),
            ("tray", system.compute_trays),
            ("switch_tray", system.switch_trays),
            ("shelf", system.power_shelves),
            ("cpu", system.cpus),
            ("pdu", system.pdus),
        ):
            if many:
                self._edge(what, "rack", Fraction(many))
        if system.compute_tray:
            self._edge("tray", "server", Fraction(1))
        if system.power_shelf:
            psus = self.catalog.find(PowerShelf, system.power_shelf).psus
            if psus:
                self._edge("psu", "shelf", Fraction(psus))

    def _edge(self, what: str, of: str, many: Fraction) -> None:
        if many > 0:
            self._edges.setdefault(of, {})[what] = many
            self._edges.setdefault(what, {})[of] = 1 / many

    def _ratio(self, what: str, of: str) -> Fraction | None:
        """Return how many of one noun there are in another: the product on the shortest path."""
        queue, seen = deque([(of, Fraction(1))]), {of}
        while queue:
            at, ratio = queue.popleft()
            if at == what:
                return ratio
            for following, many in self._edges.get(at, {}).items():
                if following not in seen:
                    seen.add(following)
                    queue.append((following, ratio * many))
        return None


def _mentioned(text: str, components: tuple[Component, ...]) -> Component | None:
    """Return the component whose name stands in a text, the longest name first."""
    plain = _plain(text)
    best: tuple[int, Component] | None = None
    for component in components:
        short = component.key.split("-", 1)[-1]
        for name in (component.key, short, component.name, *component.aliases):
            word = _plain(name).strip()
            if len(word) >= 4 and f" {word} " in f" {plain} " and (not best or len(word) > best[0]):
                best = (len(word), component)
    return best[1] if best else None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
