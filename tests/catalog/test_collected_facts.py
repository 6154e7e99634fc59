"""Every number of the collected component facts stands in the catalog, converted and graded.

The facts are not part of the repository: the tests read them where RACKWRIGHT_DATA says.
"""

import os
from pathlib import Path

import pytest
import yaml

from rackwright import catalog
from rackwright.records.provenance import Grade

DATA = os.environ.get("RACKWRIGHT_DATA")
FACTS = Path(DATA or "unset") / "catalog"
pytestmark = pytest.mark.skipif(
    not FACTS.is_dir(), reason="RACKWRIGHT_DATA does not name the folder with the collected facts"
)
CATALOG = catalog.load()

PSI, CFM, GALLON, INCH_MINUTE = 6894.757293168, 0.3048**3 / 60, 3.785411784, 0.3048 / 60
SAME = 1.0
# What names, explains or cites; checked apart or in words only.
TEXT = {"id", "src", "note", "estimate", "recalled", "basis", "aliases", "vendor", "status"}

# For each list of the facts: the kind it went to, and per key the field and the factor to SI.
# A key with None is told in words (a note, a list of ports, a table) and tested by hand below.
MAPS = {
    ("accelerators.yaml", "accelerators"): ("accelerators", {
        "family": ("family", None), "tflops": ("matmul_flop_per_s", 1e12),
        "hbm_gb": ("memory_bytes", 1e9), "hbm_gib": ("memory_bytes", 2**30),
        "hbm_type": ("memory_kind", None), "hbm_gbyte_per_s": ("memory_bytes_per_s", 1e9),
        "scale_up": ("scale_up", None), "scale_up_topology": ("scale_up_topology", None),
        "scale_up_links": ("scale_up_links", SAME), "ici_links": ("scale_up_links", SAME),
        "scale_up_gbyte_per_s_per_dir": ("scale_up_bytes_per_s", 1e9),
        "scale_up_effective_gbyte_per_s_per_dir": ("scale_up_effective_bytes_per_s", 1e9),
        "ici_gbyte_per_s_per_link_per_dir": ("scale_up_link_bytes_per_s", 1e9),
        "scale_up_domain": ("scale_up_domain", SAME),
        "scale_up_domain_gen1": ("scale_up_domain_small", SAME),
        "p2p_gbyte_per_s_per_dir": ("peer_bytes_per_s", 1e9),
        "measured_p2p_gbyte_per_s_per_dir": ("measured_peer_bytes_per_s", 1e9),
        "measured_matmul_bf16_tflops": ("measured_matmul_flop_per_s.bf16", 1e12),
        "measured_matmul_fp8_tflops": ("measured_matmul_flop_per_s.fp8", 1e12),
        "host": ("host", None), "host_gbyte_per_s_per_dir": ("host_bytes_per_s", 1e9),
        "host_memory_gb": ("host_memory_bytes", 1e9), "host_chips": ("host_accelerators", SAME),
        "dcn_gbit_per_s_per_chip": ("scale_out_bit_per_s", 1e9), "tdp_w": ("tdp_w", SAME),
        "process": ("process", None), "die_mm2": ("die_area_m2", 1e-6),
        "die_mm2_total": ("die_area_m2", 1e-6), "dies": ("dies", SAME),
        "package": ("package", None), "cores": ("cores", SAME), "sms": ("cores", SAME),
        "gpus_per_card": ("accelerators_per_card", SAME),
        "max_job_chips": ("max_job_accelerators", SAME), "coolant": ("coolant", None),
        "coolant_lpm_per_module": ("coolant_l_per_min", SAME),
        "coolant_max_inlet_c": ("coolant_max_inlet_c", SAME),
    }),
    ("servers.yaml", "servers"): ("servers", {
        "role": ("role", None), "accelerator": ("accelerator", None),
        "accelerator_count": ("accelerator_count", SAME), "cpus": ("cpus", SAME),
        "cpu": ("cpu", None), "vcpus": ("vcpus", SAME),
        "host_memory_gib": ("host_memory_bytes", 2**30), "u_height": ("height_u", SAME),
        "height_mm": ("height_m", 1e-3), "width_mm": ("width_m", 1e-3),
        "depth_mm": ("depth_m", 1e-3), "weight_kg": ("mass_kg", SAME), "power_w": ("power_w", SAME),
        "power_managed_w": ("power_managed_w", SAME), "power_static_w": ("power_static_w", SAME),
        "psus": ("psus", SAME), "psu_w": ("psu_w", SAME),
        "psu_redundancy": ("psu_redundancy", None),
        "psu_input_v": ("psu_input_v", SAME), "psu_input_a": ("psu_input_a", SAME),
        "dc_input_v": ("dc_input_v", SAME), "airflow_cfm": ("airflow_m3_per_s", CFM),
        "airflow_direction": ("airflow_direction", None), "cooling": ("cooling", None),
        "power_cords": ("power_cords", SAME), "cord": ("cord", None), "ports_by_network": None,
        "scale_up_links": ("scale_up_links", SAME), "liquid_heat_w": ("liquid_heat_w", SAME),
        "liquid_fraction": ("liquid_fraction", SAME), "coolant_lpm": ("coolant_l_per_min", SAME),
        "coolant_max_inlet_c": ("coolant_max_inlet_c", SAME),
        "switch_asics": ("switch_asics", SAME), "nvlink_ports": ("scale_up_links", SAME),
        "nvlink_ports_per_asic": ("scale_up_ports_per_asic", SAME),
        "port_gbyte_per_s_per_dir": ("scale_up_port_bytes_per_s", 1e9),
        "tbit_per_s_per_dir_per_asic": ("scale_up_asic_bit_per_s", 1e12),
    }),
    ("racks.yaml", "systems"): ("systems", {
        "frame": ("frame", None), "accelerator": ("accelerator", None), "server": ("server", None),
        "accelerator_count": ("accelerator_count", SAME), "server_count": ("server_count", SAME),
        "cpus": ("cpus", SAME), "compute_trays": ("compute_trays", SAME),
        "switch_trays": ("switch_trays", SAME), "mgmt_switches": ("management_switches", SAME),
        "power_shelves": ("power_shelves", SAME), "power_shelf": ("power_shelf", None),
        "weight_kg": ("mass_kg", SAME), "power_kw": ("power_w", 1e3),
        "power_kw_max_reported": ("power_high_w", 1e3),
        "power_kw_range_reported": (("power_low_w", "power_high_w"), 1e3),
        "power_overprovision": ("power_overprovision", SAME), "cooling": ("cooling", None),
        "liquid_cooled": None, "air_cooled": None, "coolant_lps": ("coolant_l_per_min", 60),
        "coolant_supply_c": ("coolant_supply_c", SAME), "coolant_rise_k": ("coolant_rise_k", SAME),
        "coolant_max_supply_c": ("coolant_max_supply_c", SAME), "coolant_lpm_at_supply_c": None,
        "scale_up_copper_cables": ("scale_up_cables", SAME),
        "copper_length_km": ("scale_up_cable_m", 1e3), "scale_out": None,
        "dc_bus_v": ("dc_bus_v", SAME), "dc_bus_a": ("dc_bus_a", SAME), "price_usd": None,
        "liquid_heat_kw": ("liquid_heat_w", 1e3), "air_heat_kw": ("air_heat_w", 1e3),
        "airflow_m3s_at_30c": ("airflow_m3_per_s", SAME), "feed": ("feed", None),
        "airflow_cfm": ("airflow_m3_per_s", CFM), "rack_units_min": ("height_u", SAME),
        "transient_factor": ("transient_factor", SAME), "pdu_count": ("pdus", SAME),
        "pdu_u": ("pdu_height_u", SAME), "in_rack_cdu_u": ("in_rack_cdu_u", SAME),
    }),
    ("racks.yaml", "enclosures"): ("enclosures", {
        "standard": ("standard", None), "role": ("role", None), "rack_units": ("rack_units", SAME),
        "unit_mm": ("unit_m", 1e-3), "rack_units_eia": ("rack_units_eia", SAME),
        "width_mm": ("width_m", 1e-3), "depth_mm": ("depth_m", 1e-3),
        "height_mm": ("height_m", 1e-3), "weight_kg": ("mass_kg", SAME),
        "payload_kg": ("payload_kg", SAME), "payload_excludes_frame": None,
        "payload_condition": ("payload_condition", None), "casters": None,
        "cross_brace_above_kg": ("cross_brace_above_kg", SAME),
        "shelf_kg_per_set": ("shelf_set_kg", SAME), "dc_v_range": ("dc_v", SAME),
        "dc_v": ("dc_v", SAME), "it_connector_a": ("connector_a", SAME),
        "busbar_rating": ("busbar_rating", None), "shelf_sets": ("shelf_sets", SAME),
        "power_zone_ou": ("power_zone_units", SAME),
        "power_kw_n_plus_1": ("power_n_plus_1_w", 1e3),
        "shelf_sets_total_kw": ("shelf_sets_w", 1e3),
        "busbar_air_roofline_kw": ("busbar_air_limit_w", 1e3), "output_vdc": ("output_v", SAME),
        "output_form": ("output_form", None), "power_kw_by_input_v": None,
        "inputs": ("inputs", SAME), "input_a": ("input_a", SAME), "link_kw": ("link_w", 1e3),
        "link_a": ("link_a", SAME), "efficiency_full_load": ("efficiency_full_load", SAME),
        "bbu_s": ("ride_through_s", SAME), "pdu_space_ou": ("pdu_space_units", SAME),
        "ambient_c": ("ambient_c", SAME),
    }),
    ("network.yaml", "nics"): ("nics", {
        "model": ("model", None), "ports": ("ports", SAME),
        "port_gbit_per_s": ("port_bit_per_s", 1e9), "protocols": None, "host": ("host", None),
        "cage_types": None, "planes": ("planes", SAME),
        "power_w_typical": ("power_typical_w", SAME), "power_w_max": ("power_max_w", SAME),
        "price_usd": None,
    }),
    ("network.yaml", "switches"): ("switches", {
        "model": ("model", None), "protocol": ("protocol", None), "role": ("role", None),
        "ports": ("ports", SAME), "port_gbit_per_s": ("port_bit_per_s", 1e9),
        "net_ports": ("net_ports", SAME), "fabric_ports": ("fabric_ports", SAME),
        "uplink_ports": ("uplink_ports", SAME), "uplink_gbit_per_s": ("uplink_bit_per_s", 1e9),
        "capacity_tbit_per_s": ("capacity_bit_per_s", 1e12), "configs": None,
        "breakout": ("breakout", None), "cages": ("cages", SAME), "cage": ("cage", None),
        "u_height": ("height_u", SAME), "height_mm": ("height_m", 1e-3),
        "width_mm": ("width_m", 1e-3), "depth_mm": ("depth_m", 1e-3),
        "weight_kg": ("mass_kg", SAME),
        "power_w_typical": ("power_typical_w", SAME), "power_w_max": ("power_max_w", SAME),
        "typical_basis": ("power_typical_basis", None), "max_basis": ("power_max_basis", None),
        "psus": ("psus", SAME), "psu_w": ("psu_w", SAME),
        "psu_redundancy": ("psu_redundancy", None),
        "airflow": None, "managed": None, "process": ("process", None), "price_usd": None,
    }),
    ("interconnect.yaml", "copper"): ("cables", {
        "type": ("medium", None), "gbit_per_s": ("bit_per_s", 1e9), "example": None,
        "gbit_per_s_per_pair": ("pair_bit_per_s", 1e9), "reach_m": ("reach_m", SAME),
        "pairs_per_gpu": ("pairs_per_accelerator", SAME), "reach_m_by_part": None,
        "min_m": ("reach_min_m", SAME), "awg_by_length": None, "power_w": ("power_w", SAME),
        "fit": ("failures_per_1e9_h", SAME),
    }),
    ("interconnect.yaml", "optics"): ("optics", {
        "gbit_per_s": ("bit_per_s", 1e9), "standard": ("standard", None), "media": ("media", None),
        "reach_m": ("reach_m", SAME), "power_w": ("power_w", SAME),
        "power_w_typical": ("power_typical_w", SAME),
        "power_w_200g_mode": ("power_low_rate_w", SAME),
        "power_w_reported_max": ("power_high_w", SAME),
    }),
    ("power.yaml", "shelves"): ("power_shelves", {
        "standard": ("standard", None), "u": ("height_units", SAME), "unit": ("unit", None),
        "psus": ("psus", SAME), "psu_kw": ("psu_w", 1e3), "kw_nominal": ("power_w", 1e3),
        "kw_n_plus_1": ("power_n_plus_1_w", 1e3), "v_in": ("input_v", SAME),
        "v_out": ("output_v", SAME), "output_a": ("output_a", SAME),
        "connector_a_still_air": ("connector_still_air_a", SAME),
        "connector_a_airflow": ("connector_airflow_a", SAME),
        "connector_lfm": ("connector_airflow_m_per_s", INCH_MINUTE),
        "efficiency_peak": ("efficiency_peak", SAME), "ac_input": ("ac_input", None),
        "ac_inputs": ("ac_inputs", SAME), "fault_ka": ("fault_a", 1e3),
        "parallel_sets_max": ("parallel_max", SAME), "parallel_max": ("parallel_max", SAME),
        "hold_up_ms": ("hold_up_s", 1e-3), "dims_mm": None, "peak_pct_ms": None,
        "psu_input_a_by_v": None,
    }),
    ("power.yaml", "bbu"): ("backup_shelves", {
        "u": ("height_units", SAME), "unit": ("unit", None), "modules": ("modules", SAME),
        "module_kw": ("module_w", 1e3), "redundancy": ("redundancy", None), "backup": None,
        "backup_5p0": None, "backup_6p0": None, "eol_backup_s": ("end_of_life_backup_s", SAME),
        "continuous_a": ("continuous_a", SAME), "peak_a": ("peak_a", SAME),
        "life_years": ("life_years", SAME),
    }),
    ("power.yaml", "psu_efficiency"): ("power_supplies", {
        "peak": ("efficiency_peak", SAME), "full_load_480v": None, "full_load_415v": None,
        "load_eff": None, "verification": None,
    }),
    ("power.yaml", "voltages"): ("bus_voltages", {
        "nominal_v": ("nominal_v", SAME), "window_v": (("window_low_v", "window_high_v"), SAME),
        "form": ("form", None), "claims": None, "copper_note": ("note", None),
    }),
    ("power.yaml", "pdus"): ("pdus", {"input": None, "kva": ("apparent_va", 1e3), "outlets": None}),
    ("power.yaml", "feeds"): ("feeds", {
        "breaker_a": ("breaker_a", SAME), "continuous_a": ("continuous_a", SAME),
        "kva_continuous": ("apparent_va", 1e3), "kva": ("apparent_va", 1e3),
    }),
    ("power.yaml", "hierarchy_examples"): ("power_trees", {
        "racks": ("racks", SAME), "nodes": ("nodes", SAME), "utility_kw": ("utility_w", 1e3),
        "switchboard_kw": ("switchboard_w", 1e3), "floor_pdus": ("floor_pdus", SAME),
        "floor_pdu_kw": ("floor_pdu_w", 1e3), "racks_per_pdu": ("racks_per_pdu", SAME),
    }),
    ("cooling.yaml", "cdus"): ("cdus", {
        "kw": ("heat_w", 1e3), "approach_k": ("approach_k", SAME), "power_kw": ("power_w", 1e3),
        "weight_kg_wet": ("mass_kg", SAME), "dims_mm": None, "flow_lpm": ("flow_l_per_min", SAME),
        "primary_flow_lpm": ("primary_flow_l_per_min", SAME), "head_psi": ("head_pa", PSI),
        "head_psi_range": (("head_low_pa", "head_pa"), PSI), "head_psi_in_row": ("head_pa", PSI),
        "head_psi_in_rack": ("head_in_rack_pa", PSI), "max_psig": ("pressure_max_pa", PSI),
        "fws_dp_psi_max": ("facility_drop_max_pa", PSI), "coolant": ("coolant", None),
        "lpm_per_kw": ("flow_l_per_min_per_w", 1e-3), "pumps": ("pumps", None),
        "secondary_supply_c": ("secondary_supply_c", SAME),
        "primary_supply_c": ("primary_supply_c", SAME),
        "supply_c_range": (("supply_low_c", "supply_high_c"), SAME),
        "operating_c": (("supply_low_c", "supply_high_c"), SAME),
        "tcs_filter_um": ("filter_m", 1e-6), "filtration_um": ("filter_m", 1e-6),
        "fws_filter_um": ("facility_filter_m", 1e-6), "racks_gb300": ("racks_gb300", SAME),
        "price_usd": None, "lead_time_weeks": None,
    }),
    ("cooling.yaml", "quick_connectors"): ("connectors", {
        "cv": ("flow_coefficient_cv", SAME), "rated_gpm": ("rated_l_per_min", GALLON),
        "rated_lpm": ("rated_l_per_min", SAME), "max_psi": ("pressure_max_pa", PSI),
        "fluid_c": (("fluid_low_c", "fluid_high_c"), SAME), "fluid_c_max": ("fluid_high_c", SAME),
    }),
}  # fmt: skip


def facts(file):
    return yaml.safe_load((FACTS / file).read_text(encoding="utf-8"))


def _rows():
    for (file, section), (kind, keys) in MAPS.items():
        if FACTS.is_dir():
            for row in facts(file)[section]:
                yield pytest.param(kind, row, keys, id=f"{kind}/{row['id']}")


ROWS = list(_rows())


def field(component, path):
    value = component
    for name in path.split("."):
        value = getattr(value, name)
    return value


def taken_values(component, path):
    """What the catalog keeps for a field: the value in use, then those of other sources."""
    others = [other.value for other in component.alternative if other.field == path]
    return [field(component, path), *others]


@pytest.mark.parametrize(("kind", "row", "keys"), ROWS)
def test_every_number_of_a_row_stands_in_the_catalog(kind, row, keys):
    component = CATALOG.get(kind, row["id"])
    strange = set(row) - set(keys) - TEXT
    assert not strange, f"no place for {strange}"
    for key, value in row.items():
        if key in TEXT or keys[key] is None:
            continue
        path, factor = keys[key]
        if factor is None:
            assert field(component, path) == value, key
        elif isinstance(value, dict):
            for name, number in value.items():
                assert field(component, f"{path}.{name}") == pytest.approx(number * factor), key
        elif isinstance(path, tuple):
            assert [field(component, p) for p in path] == pytest.approx(
                [v * factor for v in value], rel=1e-5
            ), key
        elif isinstance(value, list):
            assert list(field(component, path)) == pytest.approx([v * factor for v in value]), key
        elif key == "hbm_gb" and "hbm_gib" in row:
            continue  # the vendor prints GiB: the other key holds the number
        else:
            assert any(
                v == pytest.approx(value * factor, rel=1e-5) for v in taken_values(component, path)
            ), (key, value * factor, field(component, path))


@pytest.mark.parametrize(("kind", "row", "keys"), ROWS)
def test_estimates_and_recollections_are_flagged(kind, row, keys):
    component = CATALOG.get(kind, row["id"])
    for word in ("estimate", "recalled"):
        for key in row.get(word, ()):
            place = keys.get(key)
            if place is None or key not in row:
                continue
            paths = place[0] if isinstance(place[0], tuple) else (place[0],)
            for path in paths:
                assert component.is_estimate(path.split(".")[0]), (word, key)


@pytest.mark.parametrize(("kind", "row", "keys"), ROWS)
def test_aliases_vendor_and_status_are_kept(kind, row, keys):
    component = CATALOG.get(kind, row["id"])
    assert set(row.get("aliases", ())) <= {component.name, *component.aliases}
    if "vendor" in row:
        assert component.vendor == row["vendor"]
    assert component.status == row.get("status", "shipping")


def titles():
    register = facts("sources.yaml")["sources"]
    carried = {key: entry.get("via") for key, entry in register.items()}
    grades = {key: Grade(entry["grade"]) for key, entry in register.items()}
    order = list(Grade)
    for key, entry in register.items():
        grade = grades[key]
        if carried[key] in grades:  # quoted elsewhere: at most one grade above the carrier
            cap = order[max(order.index(grades[carried[key]]) - 1, 0)]
            grade = max(grade, cap)
        yield entry["title"], grade


@pytest.mark.parametrize(("kind", "row", "keys"), ROWS)
def test_each_row_cites_its_sources(kind, row, keys):
    register = facts("sources.yaml")["sources"]
    component = CATALOG.get(kind, row["id"])
    cited = " | ".join(
        [s.title for s in component.source]
        + [p.source for p in component.price]
        + [t.source for t in component.lead_time]
        + [a.title for a in component.alternative]
        + [s.note for s in component.source]
    )
    missing = [key for key in row.get("src", ()) if register[key]["title"] not in cited]
    assert not missing


def test_no_source_is_graded_above_what_was_read():
    best = dict(titles())
    wrong = [
        (kind, component.key, source.title, source.grade)
        for kind in catalog.KINDS
        for component in CATALOG.all(kind)
        for source in component.source
        if source.title in best and source.grade < best[source.title]
    ]
    assert not wrong
