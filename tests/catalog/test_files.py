"""Every component file loads, is sourced, and agrees with what else is known about it."""

import re
import shutil
from importlib.resources import files

import pytest

from rackwright import catalog
from rackwright.catalog.agreement import disagreements
from rackwright.catalog.kinds import KINDS
from rackwright.records.component import Accelerator, Component, Part, RackSystem, Server
from rackwright.records.errors import InputError, UnknownComponentError
from rackwright.records.provenance import Grade
from rackwright.records.rates import Duty

CATALOG = catalog.load()
EVERY = [(kind, key) for kind in KINDS for key in CATALOG.names(kind)]

GOOD = """
[nic]
name = "Example X1"
port_bit_per_s = 4e11

[[source]]
fields = ["port_bit_per_s"]
title = "Example X1 datasheet"
locator = "p. 3"
retrieved = "2026-01-01"
kind = "datasheet"
grade = "A"
"""


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_loads_and_is_sourced(kind):
    for component in CATALOG.all(kind):
        assert isinstance(component, Component)
        assert component.name


def test_there_are_at_least_150_components():
    assert len(EVERY) >= 150


def test_every_accelerator_of_a_system_is_in_the_catalog():
    for system in CATALOG.all("systems"):
        assert isinstance(system, RackSystem)
        if system.accelerator:
            CATALOG.accelerator(system.accelerator)
        for tray in (system.compute_tray, system.switch_tray, system.server):
            if tray:
                CATALOG.find(Server, tray)


def test_stacks_hold_at_least_the_labelled_memory_and_not_half_more():
    for accelerator in CATALOG.all("accelerators"):
        assert isinstance(accelerator, Accelerator)
        if accelerator.memory_stacks:
            stack = CATALOG.find(Part, accelerator.memory_stack_part)
            held = accelerator.memory_stacks * (stack.memory_bytes or 0)
            assert accelerator.memory_bytes <= held < 1.5 * accelerator.memory_bytes


def test_duties_name_only_duties_and_components_that_exist():
    for duty in CATALOG.all("duties"):
        assert isinstance(duty, Duty)
        for other in duty.not_stacked_with:
            CATALOG.get("duties", other)
        for key in duty.components_hit:
            CATALOG.accelerator(key)


# Redundant facts that the sources print beside the values above.


def test_h100_and_a100_peaks_follow_from_clock_width_and_cores():
    h100 = CATALOG.accelerator("nvidia-h100-sxm").matmul_flop_per_s.bf16
    a100 = CATALOG.accelerator("nvidia-a100-sxm-80").matmul_flop_per_s.bf16

    assert h100 == pytest.approx(1830e6 * 512 * 2 * 528, rel=1e-3)
    assert a100 == pytest.approx(1410e6 * 256 * 2 * 432, rel=1e-3)


def test_gb200_rack_sums_to_the_advertised_scale_up_rate():
    gpu = CATALOG.accelerator("nvidia-gb200-gpu")

    assert 72 * 2 * gpu.scale_up_bytes_per_s == pytest.approx(130e12, rel=5e-3)


def test_trainium_instances_are_sums_of_their_chips():
    two, three = CATALOG.accelerator("aws-trainium2"), CATALOG.accelerator("aws-trainium3")

    assert 16 * two.matmul_flop_per_s.fp8 == pytest.approx(20.8e15, rel=2e-3)
    assert 16 * two.memory_bytes == 1536 * 2**30
    assert 16 * two.memory_bytes_per_s == pytest.approx(46.4e12, rel=1e-3)
    assert 144 * three.matmul_flop_per_s.fp8 == pytest.approx(362.4e15, rel=1e-3)
    assert 144 * three.memory_bytes == 20736 * 2**30
    assert 144 * three.memory_bytes_per_s == pytest.approx(705.6e12, rel=1e-3)


def test_nvl72_switch_trays_have_a_port_for_every_link():
    tray = CATALOG.find(Server, "nvidia-nvlink5-switch-tray")
    rack = CATALOG.find(RackSystem, "nvidia-gb200-nvl72")
    gpu = CATALOG.accelerator(rack.accelerator)

    assert rack.switch_trays * tray.scale_up_links == 72 * gpu.scale_up_links
    assert rack.scale_up_cables == 72 * gpu.scale_up_links * 2 * 2  # two lanes, two directions


def test_a_tpu_pod_is_its_published_mesh():
    v5p = CATALOG.accelerator("google-tpu-v5p")

    assert v5p.scale_up_domain == 16 * 20 * 28
    assert v5p.scale_up_domain / v5p.host_accelerators == 2240


def test_trays_of_a_rack_hold_its_accelerators_and_processors():
    checked = 0
    for rack in CATALOG.all("systems"):
        if rack.compute_tray and rack.compute_trays:
            tray = CATALOG.find(Server, rack.compute_tray)
            assert rack.compute_trays * tray.accelerator_count == rack.accelerator_count
            assert rack.compute_trays * tray.cpus == rack.cpus
            assert tray.accelerator == rack.accelerator
            checked += 1
        if rack.server and rack.accelerator_count:
            server = CATALOG.find(Server, rack.server)
            assert rack.server_count * server.accelerator_count == rack.accelerator_count
            checked += 1
    assert checked >= 3


def test_what_is_built_in_names_components_that_exist():
    for rack in CATALOG.all("systems"):
        if rack.power_shelf:
            CATALOG.get("power_shelves", rack.power_shelf)
    for server in CATALOG.all("servers"):
        if server.accelerator:
            CATALOG.accelerator(server.accelerator)
        for group in server.ports:
            if group.nic:
                CATALOG.get("nics", group.nic)
    for pipe in CATALOG.all("pipes"):
        CATALOG.get("coolants", pipe.coolant)


def test_budgets_are_sums_of_their_parts():
    tray = CATALOG.find(Server, "nvidia-gb300-compute-tray")
    rack = CATALOG.find(RackSystem, "nvidia-gb300-nvl72")
    shelf, frame = (CATALOG.get("power_shelves", "ocp-hpr-33kw"),
                    CATALOG.get("enclosures", "ocp-orv3-hpr"))  # fmt: skip

    assert tray.power_managed_w + tray.power_static_w == tray.power_w
    assert rack.compute_trays * tray.power_w == rack.power_w
    assert frame.power_n_plus_1_w == frame.shelf_sets * shelf.power_n_plus_1_w
    for key in CATALOG.names("power_shelves"):
        one = CATALOG.get("power_shelves", key)
        if one.psu_w:
            assert one.psus * one.psu_w == one.power_w
            if one.power_n_plus_1_w:
                assert (one.psus - 1) * one.psu_w == one.power_n_plus_1_w


def test_feeds_carry_eighty_percent_of_their_breaker_and_that_power():
    for feed in CATALOG.all("feeds"):
        current = feed.continuous_a or feed.breaker_a
        if feed.continuous_a:  # National Electrical Code: continuous load to 80 % of the breaker
            assert feed.continuous_a == pytest.approx(0.8 * feed.breaker_a)
        assert feed.apparent_va == pytest.approx(3**0.5 * feed.voltage_v * current, rel=6e-3)


def test_coolant_flow_follows_from_density_and_heat_capacity():
    pg25, air = CATALOG.get("coolants", "pg25"), CATALOG.get("coolants", "air")
    state = next(s for s in pg25.properties if s.temperature_c == 30)
    m3_per_s = 1 / (state.density_kg_per_m3 * state.heat_capacity_j_per_kg_k * 10)

    assert pg25.flow_l_per_min_per_w_at_10k == pytest.approx(m3_per_s * 60e3, rel=2e-3)
    by_heat = 1 / (air.density_kg_per_m3 * air.heat_capacity_j_per_kg_k * 12)
    assert air.flow_m3_per_s_per_w_at_12k == pytest.approx(by_heat, rel=1e-3)


def test_a_viscosity_falls_and_a_conductivity_rises_with_temperature():
    for coolant in CATALOG.all("coolants"):
        states = coolant.properties
        assert list(states) == sorted(states, key=lambda s: s.temperature_c)
        assert list(states) == sorted(states, key=lambda s: -s.viscosity_pa_s)
        assert list(states) == sorted(states, key=lambda s: s.conductivity_w_per_m_k)


# How a name is found, and what is said when it is not.


def test_no_two_components_of_a_kind_share_a_name():
    # the one that two sources use for two shapes is told in the collection's own head
    shared = {"megatron-gpt-1.7b"}
    for kind in KINDS:
        owner = {}
        for component in CATALOG.all(kind):
            for alias in {a.casefold() for a in (component.key, *component.aliases)} - shared:
                assert owner.setdefault(alias, component.key) == component.key, (kind, alias)


def test_an_alias_finds_the_component_whatever_its_case_and_vendor_word():
    for name in ("B200", "nvidia b200-sxm-180gb", "NVIDIA B200 SXM", "nvidia-b200-sxm"):
        assert CATALOG.accelerator(name).key == "nvidia-b200-sxm"


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(UnknownComponentError, match="Did you mean nvidia-gb300-nvl72"):
        CATALOG.find(RackSystem, "nvidia-gb300-nvl27")


def test_an_unknown_kind_is_told():
    with pytest.raises(UnknownComponentError, match="catalog kind"):
        CATALOG.get("acelerators", "B200")


def test_grade_is_the_worst_over_fields_of_the_best_source_of_each():
    gpu = CATALOG.accelerator("nvidia-b200-sxm")

    assert gpu.grade_of(["memory_bytes", "tdp_w"]) == Grade.A
    assert gpu.grade_of(["memory_bytes", "measured_matmul_flop_per_s"]) == Grade.B
    assert gpu.grade_of(["memory_bytes", "memory_stacks"]) == Grade.D
    assert gpu.is_estimate("memory_stacks")
    assert not gpu.is_estimate("memory_bytes")


def test_the_price_shown_is_the_best_graded_one():
    gpu = CATALOG.accelerator("nvidia-h100-sxm")

    assert gpu.latest_price().grade == min(p.grade for p in gpu.price)


# A folder of one's own.


def test_a_folder_laid_over_adds_and_replaces(tmp_path):
    (tmp_path / "nics").mkdir()
    (tmp_path / "nics" / "example-x1.toml").write_text(GOOD)
    shutil.copy(tmp_path / "nics" / "example-x1.toml", tmp_path / "nics" / "nvidia-cx7-400.toml")
    over = catalog.load(tmp_path)

    assert over.get("nics", "Example X1").key in ("example-x1", "nvidia-cx7-400")
    assert over.get("nics", "nvidia-cx7-400").name == "Example X1"
    assert over.get("nics", "nvidia-cx8-800").key == "nvidia-cx8-800"
    assert CATALOG.get("nics", "nvidia-cx7-400").name == "ConnectX-7"


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="no such catalog folder"):
        catalog.load(tmp_path / "nowhere")


# What one file says beside others.


def _over(folder, kind, key, **changed):
    """Return a catalog with a copy of a shipped file laid over it, some of its text exchanged."""
    text = (files("rackwright.catalog") / kind / f"{key}.toml").read_text(encoding="utf-8")
    for old, new in changed.items():
        line = next(x for x in text.splitlines() if x.split("=")[0].strip() == old)
        text = text.replace(line, f"{old} = {new}")
    (folder / kind).mkdir(exist_ok=True)
    (folder / kind / f"{key}.toml").write_text(text, encoding="utf-8")
    return catalog.load(folder)


def test_no_shipped_file_disagrees_with_another():
    for kind, key in EVERY:
        assert not list(disagreements(CATALOG.get(kind, key), CATALOG)), (kind, key)


@pytest.mark.parametrize(
    ("kind", "key", "changed", "told"),
    [
        ("accelerators", "nvidia-b200-sxm", {"memory_stacks": "4"}, "4 x hbm3e-24gb-8h of 2.4e"),
        ("accelerators", "nvidia-b200-sxm", {"memory_stack_part": '"hbm3e-24gb-9h"'},
         "Did you mean hbm3e-24gb-8h"),
        ("accelerators", "nvidia-b200-sxm", {"family": '"Blackwel"'}, "Did you mean Blackwell"),
        ("accelerators", "nvidia-b200-sxm", {"family": '"blackwell"'}, "Did you mean Blackwell"),
        ("systems", "nvidia-gb200-nvl72", {"accelerator_count": "36"}, "found 36, compute_trays x"),
        ("systems", "nvidia-gb200-nvl72", {"accelerator": '"nvidia-b200-sxm"'}, "is built with"),
        ("systems", "nvidia-gb200-nvl72", {"compute_tray": '"nvidia-gb200-tray"'}, "Did you mean"),
        ("power_shelves", "nvidia-mgx-33kw", {"power_w": "30000.0"}, "psus x psu_w make 33000 W"),
        ("efficiencies", "rubin", {"parent": '"Blackwell-Ultra"'}, "Did you mean Blackwell Ultra"),
    ],
)  # fmt: skip
def test_a_file_that_disagrees_is_refused_with_its_line(tmp_path, kind, key, changed, told):
    over = _over(tmp_path, kind, key, **changed)

    with pytest.raises(InputError, match=re.escape(told)) as caught:
        over.get(kind, key)
    assert re.match(
        rf".*{key}\.toml:\d+: {next(iter(changed))}|.*power_w", caught.value.mistakes[0]
    )


def test_a_part_laid_over_is_held_against_the_accelerators_that_name_it(tmp_path):
    over = _over(tmp_path, "parts", "hbm3e-24gb-8h", memory_bytes="1.2e10")

    with pytest.raises(InputError, match=r"memory_stacks: 8 x hbm3e-24gb-8h of 1.2e"):
        over.accelerator("B200")


def test_a_new_generation_is_a_family_of_its_own(tmp_path):
    over = _over(tmp_path, "accelerators", "amd-mi455x", family='"CDNA6"')

    assert over.accelerator("amd-mi455x").family == "CDNA6"
