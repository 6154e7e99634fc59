"""The collected facts that are no plain rows: prices, lead times, coolants, ports, classes, limits.

The facts are not part of the repository: the tests read them where RACKWRIGHT_DATA says.
"""

import os
from pathlib import Path

import pytest
import yaml

from rackwright import catalog

DATA = os.environ.get("RACKWRIGHT_DATA")
FACTS = Path(DATA or "unset") / "catalog"
pytestmark = pytest.mark.skipif(
    not FACTS.is_dir(), reason="RACKWRIGHT_DATA does not name the folder with the collected facts"
)
CATALOG = catalog.load()
PSI, CFM = 6894.757293168, 0.3048**3 / 60


def facts(file):
    return yaml.safe_load((FACTS / file).read_text(encoding="utf-8"))


# Where a price or a lead time went that is not filed under the component's own key.
FILED = {
    "nvidia-h100-sxm-cogs": ("parts", "cogs-h100-package"),
    "nvidia-b200-sxm-cogs": ("parts", "cogs-b200-package"),
    "nvidia-gb200-nvl72-loaded": ("systems", "nvidia-gb200-nvl72"),
    "previous-generation-nvl72": ("systems", "nvidia-gb300-nvl72"),
    "nvlink-copper-per-nvl72": ("cables", "nvlink5-cartridge"),
    "nvlink-fabric-per-nvl72": ("parts", "nvlink-fabric-nvl72"),
    "optics-instead-of-copper-per-nvl72": ("parts", "optics-for-copper-nvl72"),
    "liquid-cooling-parts-gb300-nvl72": ("parts", "liquid-cooling-gb300-nvl72"),
    "networking-capex-per-mw": ("parts", "networking-capex"),
    "cdu-1-2mw": ("cdus", "ocp-deschutes-2mw"),
    "quantum-2-qm9700": ("switches", "nvidia-qm9700"),
    "quantum-x800-q3400": ("switches", "nvidia-q3400-ra"),
    "800G DAC 2 m": ("cables", "dac-800-osfp"),
    "800G AEC 5 m": ("cables", "aec-800-osfp"),
    "800G AOC 3 m": ("optics", "aoc-800"),
    "800G SR8 module": ("optics", "xcvr-800-2xsr4-osfp"),
    "800G DR8 module": ("optics", "xcvr-800-dr8-500"),
    "800G FR8 module": ("optics", "xcvr-800-2xfr4-osfp"),
    "1.6T twin-port transceiver": ("optics", "xcvr-1600-dr8"),
}
PER = {"networking-capex-per-mw": 1e6}  # filed per watt


def component(item):
    if item in FILED:
        return CATALOG.get(*FILED[item])
    kind = next(k for k in ("accelerators", "systems", "parts") if item in CATALOG.names(k))
    return CATALOG.get(kind, item)


def test_every_price_stands_in_the_catalog_with_its_day():
    for row in facts("prices.yaml")["prices"]:
        low, high = row.get("usd_range") or (row["usd"], row["usd"])
        per = PER.get(row["item"], 1.0)
        assert any(
            p.usd_low == pytest.approx(low / per)
            and p.usd_high == pytest.approx(high / per)
            and p.as_of == str(row["as_of"])
            for p in component(row["item"]).price
        ), row


def test_every_lead_time_stands_in_the_catalog_as_an_estimate_with_its_day():
    for row in facts("prices.yaml")["lead_times"]:
        low, high = row.get("weeks_range") or (row["weeks"], row["weeks"])
        found = [
            t
            for t in component(row["item"]).lead_time
            if (t.weeks_low, t.weeks_high, t.as_of) == (low, high, str(row["as_of"]))
        ]
        assert found, row
        if "estimate" in row["basis"]:
            assert all(t.kind == "estimate" and t.note for t in found)


def test_every_price_of_a_cable_or_module_stands_in_the_catalog():
    for row in facts("interconnect.yaml")["prices_usd"]:
        ranges = [(p.usd_low, p.usd_high) for p in component(row["item"]).price]
        assert (row["low"], row["high"]) in ranges, row


@pytest.mark.parametrize("file", ["network.yaml", "racks.yaml", "cooling.yaml"])
def test_prices_inside_rows_are_kept(file):
    for section in facts(file).values():
        for row in section if isinstance(section, list) else ():
            if "price_usd" not in row:
                continue
            kind = next(k for k in ("nics", "switches", "systems", "cdus")
                        if row["id"] in CATALOG.names(k))  # fmt: skip
            ranges = [(p.usd_low, p.usd_high) for p in CATALOG.get(kind, row["id"]).price]
            assert any(low <= row["price_usd"] <= high for low, high in ranges), row["id"]


def test_costs_of_cooling_parts_are_kept():
    costs = facts("cooling.yaml")["component_cost_usd"]
    for key, part in (
        ("compute_tray", "cold-plates-compute-tray"),
        ("switch_tray", "cold-plates-switch-tray"),
        ("rack_total", "liquid-cooling-gb300-nvl72"),
    ):
        assert costs[key] in [p.usd_low for p in CATALOG.get("parts", part).price]


def test_ports_of_servers_are_kept():
    for row in facts("servers.yaml")["servers"]:
        told = {group.network: group for group in CATALOG.get("servers", row["id"]).ports}
        for network, group in row.get("ports_by_network", {}).items():
            mine = told[network]
            assert mine.ports == (group.get("count") or group.get("ports"))
            assert mine.cards == group.get("cards")
            rate, total = group.get("gbit_per_s"), group.get("total_gbit_per_s")
            assert mine.bit_per_s == (rate and pytest.approx(rate * 1e9))
            assert mine.total_bit_per_s == (total and pytest.approx(total * 1e9))
            assert mine.nic == group.get("nic", "")
            assert mine.cage == group.get("cage", "")


def test_outlines_of_shelves_and_units_are_kept():
    names = {"w": "width_m", "h": "height_m", "d": "depth_m"}
    for kind, section in (("power_shelves", facts("power.yaml")["shelves"]),
                          ("cdus", facts("cooling.yaml")["cdus"])):  # fmt: skip
        for row in section:
            for letter, value in row.get("dims_mm", {}).items():
                mine = getattr(CATALOG.get(kind, row["id"]), names[letter])
                assert mine == pytest.approx(value / 1e3), row["id"]


def test_flow_by_supply_temperature_is_kept():
    row = next(r for r in facts("racks.yaml")["systems"] if r["id"] == "nvidia-gb300-nvl72")
    mine = CATALOG.get("systems", row["id"]).coolant_at_supply

    assert {p.supply_c: p.flow_l_per_min for p in mine} == row["coolant_lpm_at_supply_c"]


def test_power_by_input_voltage_is_kept():
    row = next(r for r in facts("racks.yaml")["enclosures"] if "power_kw_by_input_v" in r)
    mine = CATALOG.get("enclosures", row["id"]).power_by_input

    assert {p.input_v: p.power_w / 1e3 for p in mine} == row["power_kw_by_input_v"]


def test_backup_and_efficiencies_are_kept():
    for row in facts("power.yaml")["bbu"]:
        mine = CATALOG.get("backup_shelves", row["id"])
        for key, told in (("backup", mine.backup), ("backup_5p0", mine.backup),
                          ("backup_6p0", mine.backup_all_modules)):  # fmt: skip
            if key in row:
                entries = row[key] if isinstance(row[key], list) else [row[key]]
                assert [(b.power_w / 1e3, b.duration_s) for b in told] == [
                    (e["kw"], e["s"]) for e in entries
                ]
    for row in facts("power.yaml")["psu_efficiency"]:
        mine = CATALOG.get("power_supplies", row["id"])
        by_load = {round(e.load_fraction * 100): e.efficiency for e in mine.efficiency_by_load}
        by_input = {e.input_v: e.efficiency for e in mine.efficiency_by_input}
        assert by_load == row.get("load_eff", {})
        if "full_load_480v" in row:
            assert by_input == {480.0: row["full_load_480v"], 415.0: row["full_load_415v"]}


def test_a_certification_that_was_not_read_again_is_graded_so():
    assert CATALOG.get("power_supplies", "80plus-titanium-230v").is_estimate("efficiency_by_load")


def test_pipes_coolants_and_air_are_kept():
    cooling = facts("cooling.yaml")
    for row in cooling["pipes"]:
        mine = CATALOG.get("pipes", f"dn{row['dn']}")
        assert (mine.bore_m, mine.heat_w) == pytest.approx((row["dn"] / 1e3, row["kw"] * 1e3))
    for row in cooling["coolants"]:
        mine = CATALOG.get("coolants", row["id"])
        assert len(mine.properties) == len(row["properties"])
        for state, told in zip(mine.properties, row["properties"], strict=True):
            assert (
                state.temperature_c,
                state.density_kg_per_m3,
                state.heat_capacity_j_per_kg_k,
                state.viscosity_pa_s * 1e3,
                state.conductivity_w_per_m_k,
            ) == pytest.approx(
                (told["t_c"], told["rho_kg_m3"], told["cp_j_kgk"], told["mu_mpas"], told["k_w_mk"])
            )
    limits = cooling["coolants"][0]["limits"]
    pg25 = CATALOG.get("coolants", "pg25")
    assert [pg25.glycol_low_fraction * 100, pg25.glycol_high_fraction * 100] == pytest.approx(
        limits["glycol_vol_pct"]
    )
    assert [pg25.ph_low, pg25.ph_high] == limits["ph"]
    assert (pg25.typical_max_c, pg25.max_c) == (limits["typical_max_c"], limits["max_c"])
    assert pg25.side_stream_filter_m * 1e6 == pytest.approx(limits["side_stream_filter_um"])
    assert pg25.flow_l_per_min_per_w_at_10k * 1e3 == cooling["coolants"][0]["lpm_per_kw_at_10k"]
    air = CATALOG.get("coolants", "air")
    assert air.flow_m3_per_s_per_w_at_12k * 1e3 / CFM == pytest.approx(
        cooling["air"]["cfm_per_kw_at_12k"]
    )


def test_limits_of_manifold_door_and_pump_are_kept():
    cooling = facts("cooling.yaml")
    manifold, door = cooling["manifold_limits"], cooling["door_hx"]
    mine = CATALOG.get("manifolds", "ocp-rack-manifold")
    assert mine.velocity_max_m_per_s == manifold["velocity_m_s_max"]
    assert mine.burst_factor_min == manifold["burst_factor_min"]
    assert mine.branch_flow_spread_max_fraction * 100 == manifold["branch_flow_spread_pct_max"]
    assert [mine.branch_drop_low_pa / PSI, mine.branch_drop_high_pa / PSI] == pytest.approx(
        manifold["branch_dp_psi"]
    )
    mine = CATALOG.get("door_exchangers", "ocp-acs-door")
    assert mine.depth_max_m * 1e3 == pytest.approx(door["depth_mm_max"])
    assert mine.mass_max_kg == door["weight_kg_wet_max"]
    assert mine.aisle_open_min_m * 1e3 == pytest.approx(door["aisle_open_mm_min"])
    assert mine.coolant_drop_max_pa / 1e3 == pytest.approx(door["coolant_dp_kpa_max"])
    assert (mine.supply_min_c, mine.air_drop_max_pa) == (
        door["supply_c_min"],
        door["air_dp_pa_max"],
    )
    assert (mine.rating_water_c, mine.rating_air_in_c, mine.rating_air_out_c) == tuple(
        door["rating"][key] for key in ("water_c", "air_in_c", "air_out_c")
    )
    mine, rpu = CATALOG.get("pump_units", "ocp-rpu"), cooling["rpu"]
    assert [mine.flow_low_l_per_min, mine.flow_high_l_per_min] == rpu["flow_lpm_range"]
    assert (mine.height_u, mine.pumps) == (rpu["u"], rpu["pumps"])
    assert mine.power_max_fraction * 100 == pytest.approx(rpu["power_pct_of_rack_max"])


def test_cooling_classes_are_kept():
    cooling = facts("cooling.yaml")
    for name, limit in cooling["classes"]["ashrae_liquid_max_supply_c"].items():
        mine = CATALOG.get("cooling_classes", name)
        assert mine.max_supply_c == limit or f"above {mine.above_c:g}" == limit
    for name, limits in cooling["classes"]["ashrae_air_allowable_c"].items():
        mine = CATALOG.get("cooling_classes", name)
        assert [mine.allowable_low_c, mine.allowable_high_c] == limits
        recommended = cooling["classes"]["ashrae_air_recommended_c"]
        assert [mine.recommended_low_c, mine.recommended_high_c] == recommended
    for name, share in cooling["cooling_class_liquid_fraction"].items():
        if name != "src":
            mine = CATALOG.get("cooling_classes", f"ocp-{name}")
            told = share if isinstance(share, list) else [share, share]
            assert [mine.liquid_low_fraction, mine.liquid_high_fraction] == told


def test_fleets_links_feeds_and_claims_are_kept():
    for row in facts("facility.yaml")["metrics"]:
        mine = CATALOG.get("fleets", f"{row['operator'].lower()}-{row['year']}")
        for key in ("year", "pue", "pue_best_site", "pue_as_low_as", "wue_l_per_kwh"):
            assert getattr(mine, key) == row.get(key)
    limits = facts("interconnect.yaml")["limits"]
    hall = CATALOG.get("link_media", "superpod-mmf")
    assert hall.reach_max_m == limits["superpod_mmf"]["reach_max_m"]
    assert hall.reach_optimum_m == limits["superpod_mmf"]["reach_optimum_m"]
    for medium in ("copper", "fibre"):
        mine = CATALOG.get("link_media", medium)
        assert mine.latency_s_per_m * 1e9 == pytest.approx(limits["latency_ns_per_m"][medium])
        assert mine.is_estimate("latency_s_per_m")
    assert CATALOG.get("link_media", "osfp-cages").rule == limits["osfp_cage_note"]
    assert CATALOG.get("link_media", "osfp-twin-port").rule == limits["twin_port"]
    for row in facts("power.yaml")["feeds"]:
        mine = CATALOG.get("feeds", row["id"])
        assert f"{mine.voltage_v:g}v" in row["id"]
        assert mine.code.lower() in row["id"]
    claims = next(r for r in facts("power.yaml")["voltages"] if "claims" in r)["claims"]
    mine = CATALOG.get("bus_voltages", "dc800")
    assert mine.efficiency_gain_max_fraction == claims["end_to_end_efficiency_gain_max"]
    assert mine.maintenance_saving_max_fraction == claims["maintenance_saving_max"]
    pdu, row = CATALOG.get("pdus", "raritan-px3-5878"), facts("power.yaml")["pdus"][0]
    assert {o.kind: o.count for o in pdu.outlets} == row["outlets"]
    assert row["input"] == f"{pdu.input_v:g} V {pdu.phases}-phase {pdu.input_a:g} A"


def test_units_and_pitches_are_kept():
    pitch = facts("racks.yaml")["pitch"]
    by_standard = {e.key: e.unit_m for e in CATALOG.all("enclosures") if e.unit_m}

    assert by_standard["eia-42u-600x1200"] * 1e3 == pytest.approx(pitch["eia_u_mm"])
    assert by_standard["ocp-orv3"] * 1e3 == pytest.approx(pitch["ocp_ou_mm"])


def test_every_model_and_its_published_counts_are_kept():
    for row in yaml.safe_load((FACTS.parent / "models.yaml").read_text(encoding="utf-8"))["models"]:
        mine = CATALOG.get("models", row["id"])
        assert set(row["aliases"]) <= {mine.name, *mine.aliases}
        for key, name in (("total_params_b", "total_parameters"),
                          ("active_params_b", "active_parameters"),
                          ("nominal_params_b", "nominal_parameters")):  # fmt: skip
            told = row.get(key)
            assert getattr(mine, name) == (told and pytest.approx(told * 1e9))
        for key in ("layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "vocab", "gated",
                    "mtp_layers", "tied_embeddings", "biases", "max_context"):  # fmt: skip
            assert getattr(mine.shape, key) == row[key], (row["id"], key)
        for part in ("attention", "sliding_window", "sparse_attention", "hybrid", "moe"):
            table = getattr(mine.shape, part)
            assert (table is None) == (row[part] is None)
            for key, value in (row[part] or {}).items():
                assert getattr(table, key) == value, (row["id"], part, key)
