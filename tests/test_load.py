"""Every name in a study is known, or told with its line and the nearest one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from rackwright import catalog
from rackwright.cli.app import main
from rackwright.cli.init import TEMPLATE
from rackwright.load import idle_effects, load_models, load_study
from rackwright.records.errors import InputError
from tests.damage import damaged

STUDY = TEMPLATE.read_text(encoding="utf-8")


def written(tmp_path, *changes):
    text = STUDY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "study.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_template_refers_to_nothing_unknown(tmp_path):
    loaded = load_study(written(tmp_path))

    assert loaded.study.data_centers[0].power_w == 20e6
    assert [Path(file).name for file in loaded.files] == ["study.toml"]
    assert list(idle_effects(loaded.study)) == []


ROUTE = '[[factories.routes]]\ndata_center = "huston"\ntransit_weeks = 1\nfreight_usd_per_kg = 1\n'
DEMAND = '[[scenarios.demand]]\nworkload = "chatt"\n'
PLANT = '[[scenarios.factories]]\nfactory = "juarez"\nfactor = 1\n'


@pytest.mark.parametrize(
    ("old", "new", "key", "told"),
    [
        ('"gpt-oss-120b"', '"gpt-oss-12b"', "workloads[0].model", "Did you mean gpt-oss-120b"),
        ('"gpt-oss-120b"', '"my/config.json"', "workloads[0].model", "no such file"),
        ('{ system = "nvidia-gb300-nvl72"', '{ system = "GB30"', "generations[1].system", "among"),
        ('"nvidia-gb200-nvl72" #', '"gb200" #', "design_space.baseline", "nvidia-gb200-nvl72"),
        ('part = "hbm3e" ', 'part = "hbm3x" ', "supplies[0].part", "hbm3e"),
        ("[factories.robots]", ROUTE + "[factories.robots]", "routes[0].data_center", "houston"),
        ('origin = "KR"\nfactor', 'part = "hbm3"\nfactor', "supply[0].part", "hbm3e"),
        ("from_week = 10\n", DEMAND, "scenarios[0].demand[0].workload", "Did you mean chat?"),
        ("from_week = 10\n", PLANT, "scenarios[0].factories[0].factory", "monterrey"),
    ],
)
def test_an_unknown_name_is_told_with_its_line(old, new, key, told, tmp_path):
    file = written(tmp_path, (old, new))
    with pytest.raises(InputError) as caught:
        load_study(file)

    line = next(line for line in caught.value.mistakes if key in line)
    assert told in line
    number = int(line.removeprefix(f"{file}:").split(":")[0])
    assert new.split('"')[1] in file.read_text().splitlines()[number - 1]


COMPOSED = '[[design_space.composed]]\ninterface = "mgx-nvlink5"\n{}\n\n[acceptance]'


@pytest.mark.parametrize(
    ("axis", "key", "told"),
    [
        ('cooling = ["air"]', "composed[0].cooling[0]", "allowed: hybrid"),
        ('accelerators = ["amd-mi300x"]', "composed[0].accelerators[0]", "nvidia-gb300-gpu"),
        ("accelerators_per_rack = [54]", "composed[0].accelerators_per_rack[0]", "multiples of 4"),
        ("scale_up_accelerators = [8]", "composed[0].scale_up_accelerators[0]", "36, 72"),
        ('power_shelf = ["flex-110kw-3ru"]', "composed[0].power_shelf[0]", "nvidia-mgx-33kw"),
        ('host_cpu = ["host-cpu-x86"]', "composed[0].host_cpu[0]", "host-cpu-grace"),
        (
            'host_memory_bytes_per_cpu = ["100 GB"]',
            "composed[0].host_memory_bytes_per_cpu[0]",
            "240 GB, 480 GB",
        ),
    ],
)
def test_what_does_not_mate_is_told_with_its_line_and_what_does(axis, key, told, tmp_path):
    file = written(tmp_path, ("[acceptance]", COMPOSED.format(axis)))
    with pytest.raises(InputError) as caught:
        load_study(file)

    (line,) = caught.value.mistakes
    assert key in line
    assert told in line
    number = int(line.removeprefix(f"{file}:").split(":")[0])
    assert file.read_text().splitlines()[number - 1] == axis


def test_an_unknown_interface_is_told_with_the_nearest(tmp_path):
    table = COMPOSED.format("").replace("mgx-nvlink5", "mgx-nvlink6")
    file = written(tmp_path, ("[acceptance]", table))

    with pytest.raises(InputError, match="Did you mean mgx-nvlink5"):
        load_study(file)


def test_references_are_told_in_the_order_of_the_file(tmp_path):
    file = written(
        tmp_path,
        ('part = "hbm3e" ', 'part = "nothing" '),
        ('model = "gpt-oss-120b"', 'model = "none"'),
    )
    with pytest.raises(InputError) as caught:
        load_study(file)

    assert ["model" in line for line in caught.value.mistakes] == [True, False]


def test_a_scenario_that_changes_nothing_is_found(tmp_path):
    loaded = load_study(written(tmp_path, ('origin = "KR"\nfactor', 'origin = "JP"\nfactor')))

    ((where, text),) = idle_effects(loaded.study)
    assert where == ("scenarios", 0, "supply", 0, "origin")
    assert "JP" in text


LLAMA = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096,
    "intermediate_size": 14336, "num_attention_heads": 32, "num_hidden_layers": 32,
    "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}  # fmt: skip


def test_a_model_may_come_as_its_configuration_file(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text(json.dumps(LLAMA))
    file = written(tmp_path, ('"gpt-oss-120b"', '"mine/config.json"'))

    loaded = load_study(file)
    models = load_models(loaded.study, catalog.load(), tmp_path)

    assert models["mine/config.json"].layers == 32
    assert [Path(name).name for name in loaded.files] == ["study.toml", "config.json"]


def test_a_model_of_an_unknown_family_is_told_at_its_workload(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**LLAMA, "model_type": "lama"}))

    with pytest.raises(
        InputError, match=r"study.toml:\d+: workloads\[0\].model: .*config.json.*llama"
    ):
        load_study(written(tmp_path, ('"gpt-oss-120b"', '"config.json"')))


def with_scenario(tmp_path, text):
    (tmp_path / "closure.toml").write_text(text)
    return written(tmp_path, ("seed = 1\n", 'seed = 1\nscenario_files = ["closure.toml"]\n'))


def test_a_scenario_may_live_in_its_own_file(tmp_path):
    file = with_scenario(tmp_path, 'name = "closure"\n[[supply]]\norigin = "KR"\nfactor = 0\n')

    loaded = load_study(file)

    assert [scenario.name for scenario in loaded.study.scenarios] == ["hbm-halves", "closure"]
    assert [Path(name).name for name in loaded.files] == ["study.toml", "closure.toml"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'name = "closure"\n[[supply]]\npart = "hbm"\nfactor = 0\n',
            "closure.toml:3: supply[0].part:",
        ),
        (
            'name = "closure"\n[[supply]]\nfactor = -1\n',
            "closure.toml:3: supply[0].factor: found -1",
        ),
        ('\nname = "hbm-halves"\n', "closure.toml:2: name: a scenario named 'hbm-halves' is there"),
    ],
)
def test_a_mistake_in_a_scenario_file_is_told_with_that_file(text, told, tmp_path):
    with pytest.raises(InputError) as caught:
        load_study(with_scenario(tmp_path, text))

    assert any(told in line for line in caught.value.mistakes), caught.value.mistakes


def test_a_missing_scenario_file_is_told_where_it_is_named(tmp_path):
    file = with_scenario(tmp_path, "")
    (tmp_path / "closure.toml").unlink()

    with pytest.raises(InputError, match=r"study.toml:\d+: scenario_files\[0\]: no such file"):
        load_study(file)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damaged(STUDY))
def test_a_damaged_study_leaves_the_command_with_lines_and_no_traceback(tmp_path, capsys, text):
    file = tmp_path / "study.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))

    with pytest.raises(SystemExit) as left:
        main(["check", str(file)])

    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if line.startswith("error: ")]
    assert left.value.code in (0, 1, 2)
    assert (left.value.code == 2) == bool(told)
    assert (left.value.code == 2) == (out == "")
    assert all(f"{file}:" in line for line in told)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("hbm3e-24gb-8h", "memory is allocated in GB by its kind, hbm3e"),
        ("nvidia-gb200-gpu", "package-nvidia-gb200-gpu"),
    ],
)
def test_a_supply_that_no_bill_names_is_told_what_the_bill_says(tmp_path, part, says):
    file = tmp_path / "study.toml"
    file.write_text(TEMPLATE.read_text().replace('part = "hbm3e" ', f'part = "{part}" '))

    with pytest.raises(InputError, match=says):
        load_study(file)
