"""A rack of the search as it would be built, ready for the rules.

What the catalog does not say is left out: a rule that would need it does not apply.
"""

from __future__ import annotations

from rackwright.catalog import Catalog
from rackwright.design.cooling import Site, cooling_plan
from rackwright.design.elevation import elevation, servers_airflow_m3_per_s, shelf_of_interface
from rackwright.design.liquid import liquid
from rackwright.design.power_chain import code_of, power_plan
from rackwright.design.rack import Rack
from rackwright.design.rules import check
from rackwright.design.rules.mechanics import centre_of_gravity_m
from rackwright.records.as_built import RackAsBuilt
from rackwright.records.chain import PowerPlan
from rackwright.records.component import Server
from rackwright.records.cooling import Coolant, CoolingClass, Manifold, QuickConnector
from rackwright.records.electrical import (
    Busbar,
    Circuit,
    ElectricalDesign,
    Shelves,
    Supplies,
    Transient,
    TrayFeed,
)
from rackwright.records.equipment import Cdu, PowerShelf
from rackwright.records.loops import CoolingPlan
from rackwright.records.physical import Finding, PhysicalDesign, Redundancy
from rackwright.records.powering import Feed
from rackwright.records.provenance import worst
from rackwright.records.thermal import (
    AirUse,
    ConnectorUse,
    CoolantUse,
    Loop,
    PipeUse,
    ThermalDesign,
)
from rackwright.records.wiring import NetworkDesign, ScaleUpUse

TRANSIENT_S = 0.2
"""How long a synchronous step of the load lasts where its maker states only its factor (D)."""


def as_built(
    rack: Rack,
    catalog: Catalog,
    site: Site,
    redundancy: Redundancy,
    *,
    code: str = "NEC",
    racks: int = 1,
    where: str = "",
) -> RackAsBuilt:
    """Return a rack as it would be built at a site, with what the rules find.

    Args:
        rack: of a vendor, or composed.
        catalog: what it is made of.
        site: water and air of the data center.
        redundancy: as the study declares it.
        code: electrical code of the site: NEC or IEC.
        racks: equal ones that the findings stand for.
        where: name of the site.

    Raises:
        RackwrightError: what the catalog has does not feed or cool the rack.
    """
    fed = power_plan(rack, catalog, redundancy, code)
    cooled = cooling_plan(rack, catalog, site) if rack.liquid_w > 0 else None
    design = PhysicalDesign(
        name=rack.key,
        racks=racks,
        standards=(rack.enclosure.standard,),
        redundancy=redundancy,
        power=_electrical(rack, catalog, fed),
        cooling=_thermal(rack, catalog, cooled, site),
        mechanics=elevation(rack, catalog),
        network=_network(rack, catalog),
    )
    return RackAsBuilt(
        rack=rack.key,
        racks=racks,
        site=where,
        mechanics=design.mechanics,
        centre_of_gravity_m=centre_of_gravity_m(design),
        power=fed,
        cooling=cooled,
        findings=check(design),
        grade=worst([rack.grade, fed.grade, *([] if cooled is None else [cooled.grade])]),
    )


def findings_without_liquids(
    rack: Rack, catalog: Catalog, redundancy: Redundancy, code: str = "NEC"
) -> tuple[Finding, ...]:
    """Return what the cheap rules find in a rack, those of power and mechanics, for the search."""
    fed = power_plan(rack, catalog, redundancy, code)
    return check(
        PhysicalDesign(
            name=rack.key,
            standards=(rack.enclosure.standard,),
            redundancy=redundancy,
            power=_electrical(rack, catalog, fed),
            mechanics=elevation(rack, catalog),
        )
    )


def _electrical(rack: Rack, catalog: Catalog, fed: PowerPlan) -> ElectricalDesign:
    feed = catalog.find(Feed, fed.circuit)
    into = next(s.in_w for s in fed.stages if s.kind == "shelf")
    circuits = tuple(
        Circuit(
            name=f"feed {name}{number + 1}" if fed.circuits_per_feed > 1 else f"feed {name}",
            feed=name,
            code=code_of(feed),
            voltage_v=feed.voltage_v,
            phases=3 if feed.phases == 3 else 1,
            breaker_a=feed.breaker_a,
            load_w=into / fed.feeds / fed.circuits_per_feed,
        )
        for name in "ABCD"[: fed.feeds]
        for number in range(fed.circuits_per_feed)
    )  # fmt: skip
    key = rack.power_shelf or shelf_of_interface(rack, catalog)
    shelf = catalog.find(PowerShelf, key) if key and rack.power_shelves else None
    if shelf is None:
        return ElectricalDesign(
            circuits=circuits, supplies=_supplies(rack, fed.feeds), load_w=into,
            distribution="AC",
        )  # fmt: skip
    factor = rack.system.transient_factor if rack.system else None
    rating = rack.power_shelves * shelf.power_w
    volts = min(shelf.output_v) if shelf.output_v else None
    trays = max(rack.compute_trays, 1)
    return ElectricalDesign(
        circuits=circuits,
        shelves=Shelves(
            count=rack.power_shelves,
            power_w=shelf.power_w,
            n_plus_1_w=_n_plus_1(shelf),
            load_w=fed.load_w,
            per_feed=spread(rack.power_shelves, fed.feeds) if fed.feeds > 1 else (),
            voltage_min_v=volts,
            connector_still_air_a=shelf.connector_still_air_a,
            connector_airflow_a=shelf.connector_airflow_a,
            connector_airflow_m_per_s=shelf.connector_airflow_m_per_s,
            fault_a=shelf.fault_a,
        ),
        busbar=_busbar(rack, fed, volts),
        trays=(
            TrayFeed(
                where="compute trays", count=trays, power_w=fed.load_w / trays,
                voltage_min_v=volts, connector_a=rack.enclosure.connector_a
                if rack.enclosure.standard.startswith("OCP") and not rack.switch_trays else None,
            ),
        ) if volts else (),
        transient=Transient(
            factor=factor, duration_s=TRANSIENT_S, steady_fraction=fed.load_w / rating
        ) if factor and factor > 1 else None,
        load_w=into,
        distribution="DC",
    )  # fmt: skip


def _busbar(rack: Rack, fed: PowerPlan, volts: float | None) -> Busbar | None:
    system = rack.system
    nominal = (system.dc_bus_v if system else None) or volts
    if nominal is None:
        return None
    return Busbar(
        load_w=fed.load_w, voltage_min_v=volts or nominal, voltage_nominal_v=nominal,
    )  # fmt: skip


def _n_plus_1(shelf: PowerShelf) -> float | None:
    if shelf.power_n_plus_1_w is not None:
        return shelf.power_n_plus_1_w
    if shelf.psus and shelf.psu_w:
        return (shelf.psus - 1) * shelf.psu_w
    return None


def _supplies(rack: Rack, feeds: int) -> tuple[Supplies, ...]:
    server = rack.server
    if server is None or not server.psus or not server.psu_w or not server.power_w:
        return ()
    spare = server.psu_redundancy.rpartition("+")[2]
    return (
        Supplies(
            where=f"{server.key}, each",
            count=server.psus,
            each_w=server.psu_w,
            load_w=server.power_w,
            per_feed=spread(server.psus, feeds) if feeds > 1 else (),
            spare=int(spare) if spare.isdigit() and "+" in server.psu_redundancy else 0,
            input="DC" if server.dc_input_v else "AC",
        ),
    )


def spread(count: int, over: int) -> tuple[int, ...]:
    """Return a count spread evenly, the first ones fuller."""
    return tuple(count // over + (i < count % over) for i in range(over))


def _thermal(rack: Rack, catalog: Catalog, cooled: CoolingPlan | None, site: Site) -> ThermalDesign:
    air_class = catalog.find(CoolingClass, "ashrae-a2")
    air = AirUse(
        allowable_high_c=air_class.allowable_high_c,
        heat_w=rack.air_w,
        room_w=site.room_air_w,
        flow_needed_m3_per_s=servers_airflow_m3_per_s(rack),
        liquid_cooled=rack.liquid_w > 0.5 * rack.power_w,
    )
    if cooled is None:
        return ThermalDesign(air=air)
    unit = catalog.find(Cdu, cooled.cdus[0].key)
    limits = catalog.find(Coolant, cooled.coolant)
    of = liquid(limits, 0.5 * (cooled.supply_c + cooled.return_c))
    convention = next(u for u in catalog.all("cdus") if isinstance(u, Cdu) and u.filter_m)
    manifold = next(m for m in catalog.all("manifolds") if isinstance(m, Manifold))
    by_name = {s.name: s for s in cooled.segments}
    coupling = catalog.find(QuickConnector, by_name["tray couplings"].key)
    return ThermalDesign(
        loops=(
            Loop(
                heat_w=cooled.heat_w,
                flow_l_per_min=cooled.flow_l_per_min,
                density_kg_per_m3=of.density_kg_per_m3,
                heat_capacity_j_per_kg_k=of.heat_capacity_j_per_kg_k,
                facility_c=cooled.facility_supply_c,
                approach_k=cooled.approach_k,
                supply_c=cooled.supply_c,
                supply_max_c=rack.max_coolant_supply_c,
                supply_min_c=coupling.fluid_low_c,
                room_dew_point_c=site.dew_point_c,
            ),
        ),
        connectors=(
            ConnectorUse(
                where="tray couplings",
                kind=coupling.name,
                flow_l_per_min=by_name["tray couplings"].flow_l_per_min,
                rated_l_per_min=coupling.rated_l_per_min,
                cv=coupling.flow_coefficient_cv,
            ),
        ),
        pipes=tuple(
            PipeUse(where=s.name, bore_m=s.bore_m, flow_l_per_min=s.flow_l_per_min,
                    velocity_max_m_per_s=manifold.velocity_max_m_per_s)
            for s in cooled.segments
            if s.kind == "manifold" and s.bore_m is not None
        ),
        coolant=CoolantUse(
            name=limits.name,
            glycol_low_fraction=limits.glycol_low_fraction,
            glycol_high_fraction=limits.glycol_high_fraction,
            ph_low=limits.ph_low,
            ph_high=limits.ph_high,
            hottest_c=cooled.return_c,
            max_c=limits.max_c,
            filter_m=unit.filter_m,
            filter_max_m=convention.filter_m,
        ),
        air=air,
    )  # fmt: skip


def _network(rack: Rack, catalog: Catalog) -> NetworkDesign:
    """Return the scale-up domain: links of the accelerators, ports of the chips in its trays."""
    tray = catalog.find(Server, rack.switch_tray) if rack.switch_tray else None
    ports = None
    if tray is not None and tray.switch_asics and tray.scale_up_ports_per_asic:
        ports = rack.switch_trays * tray.switch_asics * tray.scale_up_ports_per_asic
    return NetworkDesign(
        scale_up=ScaleUpUse(
            accelerators=rack.domain,
            links_each=rack.accelerator.scale_up_links if ports else None,
            switch_ports=ports,
        )
    )
