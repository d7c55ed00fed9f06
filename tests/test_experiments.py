"""experiments/README.md says what the result files say, and every result says where it comes from."""

import importlib.util
import json
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
RESULTS = sorted(EXPERIMENTS.glob("*/result.json"))


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_rendered_from_the_results():
    assert (EXPERIMENTS / "README.md").read_text(encoding="utf-8") == load(EXPERIMENTS / "render.py").render()


def test_the_tables_of_the_design_experiment_are_those_of_its_result():
    folder = EXPERIMENTS / "04-design"
    metrics = json.loads((folder / "result.json").read_text(encoding="utf-8"))["metrics"]
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert load(folder / "page.py").filled(page, metrics) == page
    assert page.count("\n| ---") == 4 and f"{metrics['median1/500/everything/auc_top10']['mean']:.3f} ±" in page


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.parent.name)
def test_every_result_names_its_origin_and_figures(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    assert {"command", "commit", "seeds", "device", "elapsed_s", "config", "metrics", "versions"} <= set(result)
    assert result["metrics"] and all(set(metric) >= {"mean", "std", "n"} for metric in result["metrics"].values())
    script = result["command"].split()[1]
    assert (EXPERIMENTS.parent / script).exists()


@pytest.mark.parametrize(
    "folder", [p for p in sorted(EXPERIMENTS.iterdir()) if p.is_dir() and p.name[0].isdigit()], ids=lambda p: p.name
)
def test_every_experiment_has_settings_command_and_words(folder):
    assert all((folder / name).exists() for name in ("config.toml", "run.py", "README.md"))
