"""Flags made from the settings classes, and configuration files."""

import ast
import dataclasses
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from chemvae.commands.evaluate import SIZES
from chemvae.commands.shared import settings_fields
from chemvae.commands.shared.options import given_only, match_config, read_config
from chemvae.commands.train import SIZES as MODEL_SIZES
from chemvae.commands.train import TRAINING
from chemvae.errors import ChemVAEError, SettingsError
from chemvae.evaluation import EvaluationSettings
from chemvae.models.settings import ModelSettings
from chemvae.training import TrainingSettings


@pytest.mark.parametrize(
    ("fields", "settings", "own_flags"),
    [
        (TRAINING, TrainingSettings, {"seed"}),
        (MODEL_SIZES, ModelSettings, set()),
        (SIZES, EvaluationSettings, {"seed", "jobs"}),
    ],
)
def test_every_setting_has_a_flag_of_its_type_with_a_sentence(fields, settings, own_flags):
    expected = {field.name: field.type for field in dataclasses.fields(settings) if field.name not in own_flags}
    assert {field.name: field.kind for field in fields} == expected
    assert all(field.help for field in fields)


def tables_in_help():
    """Every table whose names --help shows: what the commands' sources give to ``choices`` or ``table_names``."""
    folder = Path(settings_fields.__file__).parents[1]
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("choices", "table_names"):
                arguments = [part.value for part in node.args if isinstance(part, ast.Constant)]
                if len(arguments) >= 2:
                    yield arguments[0], arguments[1]


@pytest.mark.parametrize(("module", "table"), sorted(set(tables_in_help())))
def test_help_shows_the_names_that_a_table_has(module, table):
    real = getattr(importlib.import_module("chemvae." + module.removesuffix(".py").replace("/", ".")), table)
    assert settings_fields.table_names(module, table) == list(real)


def test_the_main_tables_are_read_from_their_source():
    from chemvae.design.optimizers.factory import OPTIMIZERS

    assert {"OPTIMIZERS", "ENGINES", "PROJECTIONS", "PRESETS", "MODEL_PRIORS"} <= {table for _, table in tables_in_help()}
    assert settings_fields.choices("design/optimizers/factory.py", "OPTIMIZERS", "x") == "|".join([*OPTIMIZERS, "x"])


def test_priors_to_sample_from_are_those_of_a_model(tiny_model):
    from chemvae.sampling.sampler import MODEL_PRIORS

    assert set(MODEL_PRIORS) == {*tiny_model.priors, "trained"}


@pytest.mark.parametrize("table", ["NOWHERE", "PACKAGE"])
def test_a_table_that_is_not_written_out_is_an_error(table):
    with pytest.raises(LookupError, match=table):
        settings_fields.table_names("commands/shared/settings_fields.py", table)


def test_help_does_not_wait_for_torch():
    code = "import sys, chemvae.cli; print(sorted({'torch', 'rdkit', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_flags_that_errors_speak_of_are_there(chemvae):
    shown = chemvae("train", "--help").output
    for flag in (
        "--beta",
        "--word-dropout",
        "--free-bits",
        "--kl-warmup",
        "--learning-rate",
        "--time-limit",
        "--random-smiles",
    ):
        assert f"{flag} " in shown


def test_a_flag_goes_before_the_file_and_the_file_before_the_default(chemvae, tiny_run, tmp_path):
    (tmp_path / "sample.toml").write_text(f'model = "{tiny_run.as_posix()}"\nnumber = 4\ntemperature = 0.0\n')
    (tmp_path / "sample.json").write_text(json.dumps({"model": str(tiny_run), "number": 4, "seed": 1}))
    assert len(chemvae("sample", "--config", "sample.toml").stdout.splitlines()) == 5
    assert len(chemvae("sample", "--config", "sample.json", "-n", 2).stdout.splitlines()) == 3
    assert len(chemvae("sample", "-m", tiny_run).stdout.splitlines()) == 101


def test_a_file_may_name_what_stands_without_a_flag_and_what_is_repeated(chemvae, table_csv, tmp_path):
    config = {"data": str(table_csv), "property": ["logP"], "smiles-column": "smiles"}
    (tmp_path / "check.json").write_text(json.dumps(config))
    found = chemvae("data", "check", "--config", "check.json")
    assert found.exit_code == 0, found.output
    assert "282" in found.stderr


def test_sections_only_group(tmp_path):
    (tmp_path / "a.toml").write_text("epochs = 3\n[training]\nbeta = 0.1\n[size]\nlatent_dim = 8\n")
    assert read_config(tmp_path / "a.toml") == {"epochs": 3, "beta": 0.1, "latent_dim": 8}


def test_unknown_keys_are_errors_with_the_nearest_name(chemvae, tmp_path):
    (tmp_path / "bad.toml").write_text("epoch = 3\nbta = 0.1\n")
    found = chemvae("train", "x.csv", "--config", "bad.toml")
    assert found.exit_code == 2
    assert "'epoch'; did you mean 'epochs'?" in found.stderr and "'bta'; did you mean 'beta'?" in found.stderr


def test_a_wrong_type_in_a_file_is_a_usage_error(chemvae, tmp_path):
    (tmp_path / "bad.toml").write_text('epochs = "many"\n')
    assert chemvae("train", "x.csv", "--config", "bad.toml").exit_code == 2


@pytest.mark.parametrize(("name", "text"), [("a.toml", "epochs = \n"), ("a.json", "{"), ("a.json", "[1]"), ("a.toml", None)])
def test_an_unreadable_configuration_is_one_sentence(tmp_path, name, text):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ChemVAEError, match="configuration"):
        read_config(tmp_path / name)


def test_a_single_value_serves_a_repeatable_flag():
    several = SimpleNamespace(name="properties", opts=["-p", "--property"], multiple=True)
    assert match_config({"property": "logP"}, [several], "x") == {"properties": ["logP"]}
    with pytest.raises(SettingsError, match="propert"):
        match_config({"proprty": "logP"}, [several], "x")


def test_zero_counts_as_said():
    assert given_only({"beta": 0.0, "epochs": None}) == {"beta": 0.0}
