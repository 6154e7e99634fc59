"""The rack of a study's design as it would be built at one of its data centers."""

from __future__ import annotations

from rackwright.catalog import Catalog
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.cooling import Site
from rackwright.design.physical import as_built
from rackwright.design.power_chain import annual_energy
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.errors import RackwrightError, nearest
from rackwright.records.study import Study


def built_design(study: Study, catalog: Catalog, key: str, data_center: str = "") -> RackAsBuilt:
    """Return the rack of a design of a study as it would be built.

    Args:
        study: its space, its redundancy, its data centers.
        catalog: components.
        key: of the design.
        data_center: where; none: the first one.

    Raises:
        RackwrightError: there is no such design or data center, or it cannot be fed or cooled.
    """
    candidates = {c.hardware.key: c for c in enumerate_candidates(study, catalog).all}
    if key not in candidates:
        raise RackwrightError(f"no design {key!r} in the study.{nearest(key, candidates)}")
    centers = {d.name: d for d in study.data_centers}
    name = data_center or next(iter(centers))
    if name not in centers:
        raise RackwrightError(f"no data center {name!r} in the study.{nearest(name, centers)}")
    center, candidate = centers[name], candidates[key]
    built = as_built(
        candidate.rack,
        catalog,
        Site(supply_c=center.coolant_supply_c),
        study.redundancy,
        code="NEC" if center.country in NEC_COUNTRIES else "IEC",
        racks=candidate.hardware.racks,
        where=name,
    )
    if center.climate is None:
        return built
    facility_c = built.cooling.facility_supply_c if built.cooling else AIR_WATER_C
    power_w = built.racks * candidate.rack.power_w
    year = annual_energy(power_w, center.climate, supply_c=facility_c)
    return built.model_copy(update={"year": year})


AIR_WATER_C = 20.0
"""Chilled water for rooms cooled by air alone: ASHRAE recommends air of 18 to 27 degC (B)."""

NEC_COUNTRIES = ("US", "MX", "CA")
"""Where the NEC, or a code that follows it (NOM-001-SEDE, CSA C22.1), holds."""
