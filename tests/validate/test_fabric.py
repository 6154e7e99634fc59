"""Counts of published reference designs, computed from their inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rackwright import catalog
from rackwright.records.errors import InputError
from rackwright.validate.fabric import TABLE, score_fabric
from rackwright.validate.reference.facts import Facts, Lacking
from rackwright.validate.reference.names import read_key

CATALOG = catalog.load()


def scored(tmp_path: Path, *designs: dict):
    file = tmp_path / "designs.yaml"
    file.write_text(yaml.safe_dump({"designs": list(designs)}))
    return score_fabric(file, CATALOG)


def verdicts(score) -> dict[str, str]:
    return {c.where.rpartition(": ")[2]: c.verdict for d in score.designs for c in d.cells}


def test_no_count_of_the_shipped_designs_is_wrong_and_few_are_unsupported():
    score = score_fabric(None, CATALOG)
    wrong = [(d.id, c) for d in score.designs for c in d.cells if c.verdict == "wrong"]

    assert wrong == []
    assert score.mistakes == ()
    assert score.unsupported <= 0.1 * (score.checked + score.unsupported)


def test_each_misprint_that_the_file_names_is_flagged():
    score = {d.id: d for d in score_fabric(None, CATALOG).designs}
    designs = yaml.safe_load(TABLE.read_text())["designs"]
    named = {d["id"]: set(d["known_error"]) for d in designs if "known_error" in d}

    flagged = {
        i: {c.where.rpartition(": ")[2] for c in d.cells if c.verdict == "known error"}
        for i, d in score.items()
        if d.known_errors_flagged
    }
    assert flagged == named


def altered(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return value * 2 + 7


def test_no_count_is_copied_from_what_is_printed():
    """Every count that was right is wrong once the file prints another number."""
    for design in yaml.safe_load(TABLE.read_text())["designs"]:
        before = score_of(design)
        for section in [k for k in design if k.startswith("expect")]:
            content = design[section]
            if "columns" in content:
                content["rows"] = [[r[0], *map(altered, r[1:])] for r in content["rows"]]
            else:
                design[section] = {
                    k: v if key_is_a_limit(k) else altered(v) for k, v in content.items()
                }
        after = score_of(design)
        kept = [
            (design["id"], where)
            for where, cell in before.items()
            if cell.verdict == "right" and not cell.reason and not key_is_a_limit(where)
            and isinstance(cell.printed, int | float)
            and after[where].verdict == "right"
        ]  # fmt: skip
        assert kept == []


def key_is_a_limit(where: str) -> bool:
    return read_key(where.rpartition(": ")[2]).compare in ("more", "less", "about")


def score_of(design: dict):
    from rackwright.validate import fabric

    score = fabric._score(design, CATALOG, Path("designs.yaml"), [])
    return {cell.where: cell for cell in score.cells}


def test_a_misprint_that_we_would_reproduce_is_wrong(tmp_path):
    score = scored(
        tmp_path,
        {"id": "a", "given": {"servers": 4, "gpus_per_server": 8}, "expect": {"gpus": 32},
         "known_error": {"gpus": "said to be wrong"}},
    )  # fmt: skip
    assert (score.checked, score.wrong, score.known_errors_flagged) == (1, 1, 0)


# Lei et al. and DeepSeek, ISCA'25, table 3: 64-port switches.
PAPER = [["MPFT", 16384, 768, 16384], ["SF", 32928, 1568, 32928], ["FT2", 2048, 96, 2048]]


def test_topologies_that_the_shipped_file_lacks_come_out_as_their_paper_prints(tmp_path):
    table = {"columns": ["topology", "endpoints", "switches", "switch_links"], "rows": PAPER}
    score = scored(tmp_path, {"id": "a", "given": {"radix": 64}, "expect_table": table})
    assert (score.checked, score.wrong) == (9, 0)


def test_a_cube_torus_and_a_half_rack_come_out_by_the_same_rules(tmp_path):
    score = scored(
        tmp_path,
        {"id": "a", "given": {"x": 16, "y": 16, "z": 16, "cube": [4, 4, 4], "chips_per_host": 4},
         "expect": {"chips": 4096, "hosts": 1024, "cubes": 64, "ici_links": 12288}},
        {"id": "b", "given": {"gpus": 36, "nvlink_links_per_gpu": 18, "lanes_per_link_per_dir": 2,
                              "switch_asic_ports": 72, "asics_per_tray": 2, "gpus_per_tray": 4},
         "expect": {"compute_trays": 9, "switch_asics": 9, "copper_pairs": 2592}},
    )  # fmt: skip
    assert (score.checked, score.wrong) == (7, 0)


def test_a_size_that_is_lacking_is_taken_as_printed_and_stays_unsupported(tmp_path):
    given = {"gpus_per_server": 8, "servers_per_rack": 4}
    score = scored(tmp_path, {"id": "a", "given": given, "expect": {"gpus": 640, "racks": 20}})
    assert verdicts(score) == {"gpus": "unsupported", "racks": "right"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("designs: [", "no YAML"),
        ("designs: 3", "must be a list"),
        ("designs: [{id: 4}]", "designs[0]"),
        ("designs: [{id: a, given: 3}]", "design a: `given` must be a table"),
    ],
)
def test_a_file_that_is_none_is_told_with_its_place(tmp_path, text, said):
    file = tmp_path / "designs.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"designs\.yaml") as told:
        score_fabric(file, CATALOG)
    assert said in str(told.value)


def test_a_row_that_does_not_fit_its_columns_is_told_and_the_others_are_scored(tmp_path):
    table = {"columns": ["servers", "gpus"], "rows": [[1, 8], [2]]}
    score = scored(tmp_path, {"id": "a", "given": {"gpus_per_server": 8}, "expect_t": table})
    assert score.checked == 1
    assert "rows[1] must have 2 values" in score.mistakes[0]


@pytest.mark.parametrize("value", ["x", -3, 0, 1e400, None, [1], True, "12"])
@pytest.mark.parametrize("key", ["radix", "rails", "nodes_per_su", "planes", "oversubscription"])
def test_inputs_that_cannot_work_are_unsupported_or_told_never_a_traceback(tmp_path, key, value):
    given = {"server": "nvidia-dgx-b200", "rails": 8, "nodes_per_su": 32, "radix": 64, key: value}
    table = {"columns": ["su", "leaf", "spine"], "rows": [[4, 32, 16]]}
    score = scored(tmp_path, {"id": "a", "given": given, "expect_table": table})
    assert score.mistakes or score.designs[0].cells


def test_inner_tables_are_read_and_empty_cells_are_not_counts(tmp_path):
    given = {"server": "nvidia-dgx-b200", "rails": 8, "nodes_per_su": 32, "radix": 64}
    table = {"columns": ["su", "leaf", "core"], "rows": [[4, 32, None]]}
    score = scored(
        tmp_path,
        {"id": "a", "given": given, "expect_table": table},
        {"id": "b", "given": {**given, "su": 4}, "expect": {"storage": {"leaf": 8, "spine": 4}}},
    )
    assert (score.checked, score.wrong, score.unsupported) == (3, 0, 0)


def test_ratios_lead_from_a_part_to_any_whole():
    given = {"gpus_per_server": 8, "servers_per_rack": 2, "racks_per_pod": 192, "pods": 8}
    facts = Facts({"id": "x", "given": given}, CATALOG)

    assert facts.count("accelerator", "pod") == 3072
    assert facts.count("rack") == 1536
    with pytest.raises(Lacking):
        facts.count("cube")


def test_a_partly_populated_dragonfly_gives_its_accelerators_once_its_nodes_are_known(tmp_path):
    given = {"groups": 74, "nodes_per_group": 128, "nics_per_node": 4}
    expect = {"nodes": 9408, "gpus": 37632}
    score = scored(tmp_path, {"id": "a", "given": given, "expect": expect})
    assert verdicts(score) == {"nodes": "unsupported", "gpus": "right"}


def test_a_tree_named_in_other_words_is_a_tree(tmp_path):
    given = {"gpus": 27648, "radix": 48, "topology": "three-tier fat tree"}
    expect = {"leaf": 1152, "spine": 1152, "core": 576, "switches": 2880, "tiers": 3}
    score = scored(tmp_path, {"id": "a", "given": given, "expect": expect})
    assert (score.checked, score.wrong) == (5, 0)


def test_racks_of_grace_blackwell_fill_leaves_by_their_four_rails(tmp_path):
    given = {"rack": "nvidia-gb300-nvl72", "racks_per_su": 8, "rails": 4, "nodes_per_su": 144,
             "switch": "nvidia-q3400-ra", "nic_gbit_per_s": 800}  # fmt: skip
    table = {"columns": ["su", "nodes", "gpus", "leaf", "spine"], "rows": [[4, 576, 2304, 32, 18]]}
    score = scored(tmp_path, {"id": "a", "given": given, "expect_table": table})
    assert (score.checked, score.wrong) == (4, 0)
