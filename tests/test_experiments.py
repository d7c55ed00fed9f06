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


def test_halves_of_one_molecule_join_to_it_again():
    recombine = load(EXPERIMENTS / "03-drug-model" / "recombine.py")
    for smiles in ("CC(=O)N1CCOCC1", "c1ccc(Oc2ccncc2)cc1", "Cc1ccc(S(=O)(=O)NC2CC2)cc1", "CCOC(=O)c1ccc(F)cc1"):
        for seed in range(5):
            (own, other, left), (its_own, its_other, right) = recombine.cut((smiles, seed))
            assert (own, other) == (its_other, its_own)
            assert recombine.checked(recombine.joined(left, right)) == smiles
    assert recombine.cut(("c1ccccc1", 0)) == [], "no bond that a rule would cut"


def test_halves_are_joined_only_where_the_same_rule_cut():
    recombine = load(EXPERIMENTS / "03-drug-model" / "recombine.py")
    amides = ["CC(=O)N1CCOCC1", "O=C(c1ccccc1)N1CCCC1", "O=C(C1CC1)N1CCCCC1"]
    made = recombine.recombine(amides, 6, 0, 1, lengths=(12, 22))
    assert len(set(made)) == len(made) > 3
    assert all(smiles.count("O=C(") + smiles.count("C(=O)") == 1 for smiles in made), "an acid half and an amine half each"
