"""A fabric's wiring as its rules need it: switches, links, rails, planes, copper and light."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rackwright.records.base import Record


class SwitchUse(Record):
    """Equal switches and how they are used."""

    name: str
    count: int = Field(default=1, gt=0)
    radix: int = Field(gt=0)
    used: int = Field(ge=0)  # ports of one
    down_bit_per_s: float | None = Field(default=None, ge=0)
    up_bit_per_s: float | None = Field(default=None, ge=0)
    oversubscription_max: float | None = Field(default=None, gt=0)
    uplinks: int | None = Field(default=None, ge=0)
    spines: int | None = Field(default=None, gt=0)  # that the uplinks are spread over
    base_w: float | None = Field(default=None, gt=0)
    modules: int = Field(default=0, ge=0)
    module_w: float = Field(default=0.0, ge=0)
    power_max_w: float | None = Field(default=None, gt=0)
    share: float | None = Field(default=None, ge=0, le=1)  # of the cluster lost with one of them


class FabricUse(Record):
    """A fabric as a whole."""

    name: str = "compute fabric"
    endpoints: int = Field(gt=0)  # of one plane
    radix: int = Field(gt=0)
    tiers: int = Field(gt=0)
    fat_tree: bool | None = None  # as the structural check or a subnet manager found
    fat_tree_why: str = ""
    manager_ports_wanted: int = Field(default=0, ge=0)
    leaf_ports_free: int | None = Field(default=None, ge=0)
    share_max: float | None = Field(default=None, gt=0, le=1)  # of the cluster one loss may take


class RailPort(Record):
    """One port of one server: the rail it belongs to, the rail of the leaf it is cabled to."""

    server: str
    nic: int = Field(ge=0)
    leaf_rail: int = Field(ge=0)


class PlaneLink(Record):
    """A link inside a fabric of several planes."""

    name: str
    plane_a: int = Field(ge=0)
    plane_b: int = Field(ge=0)


class LinkUse(Record):
    """Equal links: their medium, length and ends."""

    name: str
    count: int = Field(default=1, gt=0)
    medium: Literal["DAC", "ACC", "AEC", "AOC", "SR", "DR", "FR", "LR", "NVLink copper"]
    length_m: float = Field(gt=0)
    reach_m: float = Field(gt=0)
    standard_a: str = ""
    standard_b: str = ""
    cage_a: str = ""
    cage_b: str = ""
    module_a: str = ""  # finned, flat or a cage that only it fits
    module_b: str = ""
    split: tuple[str, ...] = ()  # of each fibre of a twin port: straight or 1:2
    tx_min_dbm: float | None = None
    rx_min_dbm: float | None = None
    loss_db: float | None = Field(default=None, ge=0)


class Conduit(Record):
    """A tray or duct with what lies in it."""

    name: str
    fill_fraction: float = Field(ge=0)  # of its area
    fill_max_fraction: float = Field(default=0.5, gt=0)
    bend_radius_m: float | None = Field(default=None, gt=0)
    bend_radius_min_m: float | None = Field(default=None, gt=0)


class ScaleUpUse(Record):
    """The scale-up domain."""

    accelerators: int = Field(gt=0)
    links_each: int | None = Field(default=None, gt=0)
    switch_ports: int | None = Field(default=None, gt=0)  # of all its switches
    racks: int = Field(default=1, gt=0)
    racks_declared: int = Field(default=1, gt=0)  # that the product joins, such as NVL36x2
    group: int = Field(default=1, gt=0)  # accelerators of a tensor- or expert-parallel group


class NetworkDesign(Record):
    """All that the network rules look at."""

    switches: tuple[SwitchUse, ...] = ()
    fabric: FabricUse | None = None
    rails: tuple[RailPort, ...] = ()
    planes: int = Field(default=1, gt=0)
    plane_links: tuple[PlaneLink, ...] = ()
    server_planes: tuple[tuple[int, ...], ...] = ()  # planes that each server reaches
    links: tuple[LinkUse, ...] = ()
    conduits: tuple[Conduit, ...] = ()
    scale_up: ScaleUpUse | None = None
    managed_devices: int | None = Field(default=None, ge=0)
    management_ports: int | None = Field(default=None, ge=0)
    storage_bit_per_s: float | None = Field(default=None, ge=0)  # of the accelerators below
    storage_accelerators: int | None = Field(default=None, gt=0)
    storage_min_bit_per_s: float | None = Field(default=None, gt=0)  # wanted for each
