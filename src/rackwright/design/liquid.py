"""A liquid's properties, the flow that carries heat, the pressure that a flow costs."""

from __future__ import annotations

from functools import lru_cache
from math import exp, log, pi
from typing import NamedTuple

import numpy as np

from rackwright.records.cooling import Coolant
from rackwright.records.errors import RackwrightError, nearest

PASCAL_PER_PSI = 6894.757
L_PER_MIN_PER_GPM = 3.785412
ZERO_C = 273.15
LOOP_PRESSURE_PA = 3e5

_MIXTURES = {"pg25": "INCOMP::MPG[0.25]", "water": "Water"}
"""CoolProp's name of each coolant; PG25 is 25 % of propylene glycol by mass."""


class Liquid(NamedTuple):
    """Properties at a temperature."""

    density_kg_per_m3: float
    heat_capacity_j_per_kg_k: float
    viscosity_pa_s: float


def liquid(coolant: Coolant, temperature_c: float) -> Liquid:
    """Return a coolant's properties at 3 bar.

    Between the points of the catalog's table they are interpolated; beyond them, or without a
    table, CoolProp is asked, which takes seconds to import.

    Raises:
        RackwrightError: neither knows the coolant at that temperature.

    Source:
        CoolProp (Bell et al. 2014), its incompressible mixtures and water; the shipped tables are
        its values.
    """
    points = sorted(coolant.properties, key=lambda p: p.temperature_c)
    if points and points[0].temperature_c <= temperature_c <= points[-1].temperature_c:
        at = [p.temperature_c for p in points]
        return Liquid(
            float(np.interp(temperature_c, at, [p.density_kg_per_m3 for p in points])),
            float(np.interp(temperature_c, at, [p.heat_capacity_j_per_kg_k for p in points])),
            # Viscosity falls about as an exponential.
            exp(float(np.interp(temperature_c, at, [log(p.viscosity_pa_s) for p in points]))),
        )
    return computed(coolant.key, temperature_c)


@lru_cache(maxsize=256)
def computed(key: str, temperature_c: float) -> Liquid:
    """Return what CoolProp says of a coolant of ours.

    Raises:
        RackwrightError: CoolProp has no such coolant, or none at that temperature.
    """
    if key not in _MIXTURES:
        raise RackwrightError(
            f"coolant {key!r} has no table up to {temperature_c:g} degC; computed are "
            f"{', '.join(sorted(_MIXTURES))}.{nearest(key, list(_MIXTURES)) or ''}"
        )
    from CoolProp.CoolProp import PropsSI

    try:
        at = ("T", temperature_c + ZERO_C, "P", LOOP_PRESSURE_PA, _MIXTURES[key])
        return Liquid(*(float(PropsSI(what, *at)) for what in ("D", "C", "V")))
    except ValueError as error:
        text = " ".join(str(error).split())
        raise RackwrightError(f"{key} at {temperature_c:g} degC: {text}") from None


def flow_l_per_min(heat_w: float, rise_k: float, of: Liquid) -> float:
    """Return the flow that takes so much heat at a rise.

    Raises:
        RackwrightError: the rise is not above zero.
    """
    if rise_k <= 0:
        raise RackwrightError(f"a rise of {rise_k:g} K carries no heat: it must be above 0 K.")
    return 60e3 * heat_w / (of.density_kg_per_m3 * of.heat_capacity_j_per_kg_k * rise_k)


def rise_k(heat_w: float, flow: float, of: Liquid) -> float:
    """Return how much a flow [L/min] is warmed by so much heat."""
    return 60e3 * heat_w / (of.density_kg_per_m3 * of.heat_capacity_j_per_kg_k * flow)


def velocity_m_per_s(flow: float, bore_m: float) -> float:
    """Return the mean velocity of a flow [L/min] in a bore."""
    return flow / 60e3 / (pi / 4 * bore_m**2)


def pipe_drop_pa(
    flow: float, bore_m: float, length_m: float, of: Liquid, *, roughness_m: float, minor: float
) -> float:
    """Return the drop along a pipe with its fittings.

    Args:
        flow: [L/min].
        bore_m: inner diameter.
        length_m: developed length.
        of: the liquid.
        roughness_m: of the wall.
        minor: sum of the loss coefficients of fittings, in velocity heads.

    Source:
        Darcy-Weisbach with the friction factor of the library `fluids` (Clamond's solution of
        Colebrook, laminar below Re 2,040).
    """
    from fluids.core import Reynolds
    from fluids.friction import friction_factor

    speed = velocity_m_per_s(flow, bore_m)
    reynolds = Reynolds(V=speed, D=bore_m, rho=of.density_kg_per_m3, mu=of.viscosity_pa_s)
    factor = friction_factor(Re=reynolds, eD=roughness_m / bore_m)
    head = 0.5 * of.density_kg_per_m3 * speed**2
    return float((factor * length_m / bore_m + minor) * head)


def coupling_drop_pa(flow: float, cv: float, of: Liquid) -> float:
    """Return the drop over both halves of a coupling whose flow coefficient is of one half.

    Cv counts US gallons a minute of water at 1 psi; a denser liquid costs in proportion.

    Source:
        OCP Universal Quick Disconnect: drop = (Q / Cv) squared, in psi, for each half.
    """
    per_half = (flow / L_PER_MIN_PER_GPM / cv) ** 2 * of.density_kg_per_m3 / 998.2
    return 2 * per_half * PASCAL_PER_PSI
