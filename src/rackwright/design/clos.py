"""The wiring of a planned cluster: leaves, spines and every cable, from a plan of classes."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from rackwright.kernels.fabric import FabricCount, bundles
from rackwright.kernels.fabric_ports import Wiring, wire_tree
from rackwright.records.errors import InputError


class LeafPorts(NamedTuple):
    """Names of ports of a class of switches, in the order in which they are filled."""

    down: tuple[str, ...]
    up: tuple[str, ...]


class ClosPlan(NamedTuple):
    """One network of a cluster: ports of equal servers to leaves, leaves to spines."""

    name: str
    servers: int
    server_ports: tuple[str, ...]  # of each server, one for each rail
    leaf: LeafPorts
    spine: tuple[str, ...]  # ports of a spine, none where there are no spines
    least_leaves: int = 1


def wire_plan(plan: ClosPlan) -> tuple[FabricCount, Wiring]:
    """Return the counts and the connections of a planned network.

    Leaves are as few as their ports for servers allow, each with all of its uplinks in use;
    spines are the smallest divisor of a leaf's uplinks that has ports for them all.

    Raises:
        InputError: the plan cannot work; the message says what is too few.
    """
    endpoints, down, up = (
        plan.servers * len(plan.server_ports),
        len(plan.leaf.down),
        len(plan.leaf.up),
    )
    if not endpoints or not down:
        raise InputError(
            [f"{plan.name}: no {'ports for servers' if endpoints else 'server ports'}"]
        )
    leaves = max(plan.least_leaves, ceil(endpoints / down))
    if plan.least_leaves > 1 and len(plan.server_ports) > 1:
        rails = len(plan.server_ports)  # each port of a server on a leaf of its own
        leaves = max(leaves, rails * ceil(plan.servers / down))
    if leaves > 1 and not (up and plan.spine):
        raise InputError([f"{plan.name}: {leaves} leaves and no {'spines' if up else 'uplinks'}"])
    spines = 0
    if up and plan.spine:
        least = ceil(leaves * up / len(plan.spine))
        if least > up:
            raise InputError(
                [f"{plan.name}: {leaves} leaves of {up} uplinks need {least} spines of "
                 f"{len(plan.spine)} ports, more than a leaf reaches"]
            )  # fmt: skip
        spines = bundles(leaves * up, len(plan.spine), up)
    tree = FabricCount(
        2 if spines else 1, leaves, spines, 0, endpoints, leaves * up if spines else 0
    )
    return tree, wire_tree(tree, plan.servers, len(plan.server_ports), down)


def cables(plan: ClosPlan, wiring: Wiring) -> Iterator[tuple[str, int, str, str, int, str]]:
    """Yield each cable as tier, number and port name of both ends."""
    upper = {"leaf": plan.leaf.down, "spine": plan.spine}
    lower = {"server": plan.server_ports, "leaf": plan.leaf.down + plan.leaf.up}
    for block in wiring.blocks:
        at, to = lower[block.a_tier], upper[block.b_tier]
        for a, p, b, q in zip(
            block.a.tolist(), block.a_port.tolist(), block.b.tolist(), block.b_port.tolist(),
            strict=True,
        ):  # fmt: skip
            yield block.a_tier, a, at[p], block.b_tier, b, to[q]
