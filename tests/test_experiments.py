"""experiments/README.md says what the result files say, and every result says where it comes from."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.demo.card import read_card
from chemvae.errors import SettingsError
from chemvae.evaluation import EvaluationSettings
from chemvae.models.settings import ModelSettings
from chemvae.models.storage import load_model, save_model
from chemvae.models.vae import MolVAE
from chemvae.registry import make_spec
from chemvae.runs import RunFolder
from chemvae.training.session import RunSpec

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
RESULTS = sorted(EXPERIMENTS.glob("*/result.json"))
FOLDERS = [p for p in sorted(EXPERIMENTS.iterdir()) if p.is_dir() and p.name[0].isdigit()]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_named(path, monkeypatch):
    """The same where dataclasses look their module up by its name."""
    spec = importlib.util.spec_from_file_location(f"experiment_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_table_is_rendered_from_the_results():
    assert (EXPERIMENTS / "README.md").read_text(encoding="utf-8") == load(EXPERIMENTS / "render.py").render()


def test_the_tables_of_the_design_experiment_are_those_of_its_result():
    folder = EXPERIMENTS / "04-design"
    metrics = json.loads((folder / "result.json").read_text(encoding="utf-8"))["metrics"]
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert load(folder / "page.py").filled(page, metrics) == page
    assert page.count("\n| ---") == 5 and f"{metrics['median1/500/everything/auc_top10']['mean']:.3f} ±" in page


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.parent.name)
def test_every_result_names_its_origin_and_figures(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    assert {"command", "commit", "seeds", "device", "elapsed_s", "config", "metrics", "versions"} <= set(result)
    assert result["metrics"] and all(set(metric) >= {"mean", "std", "n"} for metric in result["metrics"].values())
    script = result["command"].split()[1]
    assert (EXPERIMENTS.parent / script).exists()


def test_the_table_of_the_drug_model_is_that_of_its_results():
    folder = EXPERIMENTS / "03-drug-model"
    on_valid, on_test = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("valid.json", "result.json"))
    assert [result["config"]["evaluation"]["split"] for result in (on_valid, on_test)] == ["valid", "test"]
    page = (folder / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", page, re.MULTILINE)
    said = {name: tuple(f"{result['metrics'][name]['mean']:.4g}" for result in (on_valid, on_test)) for name, *_ in rows}
    assert {name: tuple(figures) for name, *figures in rows} == said
    assert {"reconstruction_greedy", "validity_learned_prior", "fcd", "kl"} <= set(said)


@pytest.mark.parametrize("name", ["result", "large"])
def test_a_search_with_a_learned_predictor_stays_with_its_labels_and_twice_as_many_agree(name):
    found = json.loads((EXPERIMENTS / "10-exploited" / f"{name}.json").read_text(encoding="utf-8"))["metrics"]
    sets = {key.partition(":")[0] for key in found}
    figures = {one: [found[f"{one}: {key}, cautious"]["mean"] for key in ("beyond the labels, half-widths",
               "refitted within the interval")] for one in sets}  # fmt: skip
    assert sets >= {"esol", "freesolv"} and all(beyond <= 1 and agree >= 0.8 for beyond, agree in figures.values()), figures


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_every_experiment_has_settings_command_and_words(folder):
    assert all((folder / name).exists() for name in ("config.toml", "run.py", "README.md"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_a_page_links_every_result_beside_it_and_nothing_that_is_not_there(folder):
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", (folder / "README.md").read_text(encoding="utf-8"))
    assert [target for target in linked if not (folder / target).exists()] == []
    assert {path.name for path in folder.iterdir() if path.suffix in (".json", ".png")} <= set(linked)


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


def test_beside_joined_halves_stands_the_data_set_or_what_was_written(tmp_path, monkeypatch):
    module = load(EXPERIMENTS / "03-drug-model" / "recombine.py")
    table = SimpleNamespace(smiles=["CCO", "CCN", "CCC"], labels=np.zeros((3, 3)), split=["train", "train", "valid"])
    monkeypatch.setattr(module, "load_table", lambda *_, **__: table)
    cut = []
    monkeypatch.setattr(module, "recombine", lambda train, n, seed, jobs: cut.append(train) or [*train, "CCC", "CCF", "CCCl"])
    pd.DataFrame({"smiles": [*table.smiles, "CCF"], "split": [*table.split, "train"]}).to_parquet(tmp_path / "written.parquet")

    def rows(written):
        module.main("data", written, str(tmp_path / "out"), n_beside=1)
        return pd.read_parquet(tmp_path / "out" / "data.parquet")[["smiles", "split"]].values.tolist()

    assert rows(None) == [["CCC", "valid"], ["CCO", "train"], ["CCN", "train"], ["CCF", "train"], ["CCCl", "train"]]
    assert rows(str(tmp_path / "written.parquet")) == [["CCC", "valid"], ["CCF", "train"], ["CCCl", "train"]]
    assert cut == [["CCO", "CCN"]] * 2, "only training molecules are cut"


def test_recombined_and_written_molecules_are_none_that_are_held_out(tmp_path, monkeypatch):
    """What a generator wrote that is in the validation or test part is left out, and the rest is for training."""
    module = load(EXPERIMENTS / "03-drug-model" / "recombine.py")
    table = SimpleNamespace(smiles=["CCO", "CCN", "CCC"], labels=np.ones((3, 3)), split=["train", "valid", "test"])
    monkeypatch.setattr(module, "load_table", lambda *_, **__: table)
    monkeypatch.setattr(module, "recombine", lambda *_: ["CCN", "CCC", "CCCl"])
    module.main("data", None, str(tmp_path / "recombined"))
    made = pd.read_parquet(tmp_path / "recombined" / "data.parquet")
    assert made.set_index("smiles")["split"].to_dict() == {"CCO": "train", "CCN": "valid", "CCC": "test", "CCCl": "train"}
    assert made["smiles"].is_unique

    merge = load(EXPERIMENTS / "03-drug-model" / "merge.py")
    monkeypatch.setattr(merge, "load_table", lambda *_, **__: table)
    written = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC", "CCF", "CCF", "CCBr"]}).assign(
        logP=1.0, qed=[1, 1, 1, 1, 1, np.nan], SAS=1.0
    )
    written.to_parquet(tmp_path / "written.parquet")
    merge.main("data", str(tmp_path / "merged"), str(tmp_path / "written.parquet"))
    both = pd.read_parquet(tmp_path / "merged" / "data.parquet")
    assert both[["smiles", "split"]].values.tolist() == [
        ["CCO", "train"], ["CCN", "valid"], ["CCC", "test"], ["CCF", "train"],
    ]  # fmt: skip


def test_the_language_model_learns_from_training_molecules_alone(tmp_path, monkeypatch):
    """Neither its batches nor its symbols come from what is held out; the curve is that of the validation part."""
    module = load_named(EXPERIMENTS / "03-drug-model" / "char_rnn.py", monkeypatch)
    split = ["train", "train", "train", "valid", "valid", "test"]
    table = SimpleNamespace(smiles=["CCO", "CCN", "CCNO", "CC", "CCC", "CCCl"], split=split)
    monkeypatch.setattr(module, "load_table", lambda *_, **__: table)
    read = []

    def dataset(smiles, vocabulary):
        read.append((list(smiles), [token for token in ("O", "N", "Cl") if vocabulary.complaint(token) is None]))
        return SmilesDataset(smiles, vocabulary)

    learned, validated = [], []
    log_prob = module.CharRNN.log_prob

    def watched(model, inputs, targets):
        (learned if torch.is_grad_enabled() else validated).append(len(targets))
        return log_prob(model, inputs, targets)

    monkeypatch.setattr(module, "SmilesDataset", dataset)
    monkeypatch.setattr(module.CharRNN, "log_prob", watched)
    module.train("data", tmp_path, module.Settings(epochs=1, batch_size=2, hidden_dim=8, embedding_dim=4))
    assert read == [(["CCO", "CCN", "CCNO"], ["O", "N"]), (["CC", "CCC"], ["O", "N"])]
    assert sum(learned) == 3 and sum(validated) == 2


@pytest.fixture
def new_properties(monkeypatch):
    return load_named(EXPERIMENTS / "05-new-properties" / "run.py", monkeypatch)


def test_folds_hold_whole_scaffolds_and_about_as_many_molecules_each(new_properties):
    rng = np.random.default_rng(0)
    scaffolds = np.array([f"s{i}" for i in rng.zipf(1.6, 400) % 60])
    for seed in (0, 1):
        fold = new_properties.scaffold_folds(scaffolds, 5, seed)
        where = pd.Series(fold).groupby(scaffolds).nunique()
        assert (where == 1).all(), "a scaffold stands in one fold alone"
        sizes = np.bincount(fold, minlength=5)
        largest = pd.Series(scaffolds).value_counts().iloc[0]
        assert len(sizes) == 5 and sizes.sum() == 400 and sizes.max() <= max(largest, 400 / 5 + 2)
    assert (new_properties.scaffold_folds(scaffolds, 5, 0) != new_properties.scaffold_folds(scaffolds, 5, 1)).any()


def test_what_a_fold_is_measured_on_shares_no_scaffold_with_what_was_learned_from(new_properties, monkeypatch):
    scaffolds = np.array(list("aaabbbccddeeffgghh"))
    n = len(scaffolds)
    learned, asked = [], []

    class Rows(SimpleNamespace):
        def part(self, rows):
            asked.append(np.asarray(rows))
            return self

    class Fitted:
        left_out_rmse = 0.0

        def predict_features(self, features):
            rows = asked[-1]
            return {"mean": np.zeros(len(rows)), "low": np.zeros(len(rows)), "high": np.ones(len(rows))}

    data = new_properties.Measured(Rows(), np.linspace(0, 1, n), scaffolds)
    monkeypatch.setattr(new_properties, "fit", lambda data, rows, *_: learned.append(rows) or Fitted())
    monkeypatch.setattr(
        new_properties, "boosted_trees", lambda data, fitting, test, seed: learned.append(fitting) or np.zeros(len(test))
    )
    new_properties.in_folds(data, {"folds": 3, "seed": 0, "inputs": {"all": []}}, None)
    assert len(learned) == 6 and sorted(np.concatenate(asked).tolist()) == list(range(n)), "each molecule is measured once"
    for place, test in enumerate(asked):
        for fitting in learned[2 * place : 2 * place + 2]:
            assert not set(scaffolds[fitting]) & set(scaffolds[test]) and len(fitting) + len(test) == n
    fitting, test = new_properties.moleculenet_split(scaffolds, 0.25)
    assert not set(scaffolds[fitting]) & set(scaffolds[test]) and sorted([*fitting, *test]) == list(range(n))


@pytest.fixture
def drug_run(monkeypatch):
    """The script of the drug model's experiment, whose folder holds the modules that it imports."""
    folder = EXPERIMENTS / "03-drug-model"
    monkeypatch.syspath_prepend(str(folder))
    return load(folder / "run.py")


def test_a_tuned_step_is_taken_again_only_for_the_settings_it_was_tuned_with(drug_run, tiny_model, tmp_path, monkeypatch):
    done = []

    def tune(model, train, settings, report, reconstruction_data=None):
        done.append((len(train), None if reconstruction_data is None else len(reconstruction_data)))
        return [{"step": 1, "elapsed_s": 0.1}]

    molecules = {"data": ["CCO", "CCN"], "long": ["CCO"]}
    monkeypatch.setattr(drug_run, "training_molecules", lambda path: molecules[path.name])
    step = lambda steps, reconstructed: drug_run.decoder_tuned(  # noqa: E731
        tiny_model, tmp_path / "data", tmp_path / "tuned", tune, drug_run.NoisedCodeSettings(steps=steps), reconstructed
    )
    for _ in range(2):
        assert step(3, tmp_path / "long")[1].path == tmp_path / "tuned"
    assert done == [(2, 1)] and (tmp_path / "tuned" / "tuning.csv").exists()
    with pytest.raises(SettingsError, match="steps"):
        step(4, tmp_path / "long")
    with pytest.raises(SettingsError, match="reconstructed"):
        step(3, None)
    assert done == [(2, 1)]


MATCHED = [("m", "b", {"rounds": 1}), ("g", None), ("final-g", None, {"rounds": 2})]
"""How the walk ends: an earlier step's prior that is matched, rewards at its draws, and the whole matched again."""


@pytest.fixture
def walk(drug_run, tmp_path, monkeypatch):
    """What the script does at the steps of a config, up to the evaluation: walk(*arguments) of the command line."""
    config = {
        "data": "zinc250k", "folder": str(tmp_path), "seed": 0, "targets": [],
        "recombined": {"long": {}}, "evaluation": {"split": "valid"},
        "learned_prior": {"kind": "mixture", "matching": {"rounds": 2}},
        "step": [
            {"name": "a", "data": "zinc250k", "settings": {}}, {"name": "b", "reward": {}}, {"name": "c", "noised": {}},
            {"name": "d", "average": {"b": 1.0}}, {"name": "w", "decoder_dim": 768},
            {"name": "e", "data": "long", "reward": {}}, {"name": "m", "init": "b", "matching": {"rounds": 1}},
            {"name": "g", "reward": {}},
        ],
    }  # fmt: skip
    seen = []
    answer = lambda name: (None, drug_run.RunFolder(tmp_path / name))  # noqa: E731

    def taught(model, data, asked, folder, reconstructed):
        seen.append((folder.name, reconstructed and reconstructed.name))
        return answer(folder.name)

    def finished(model, config, data, folder, matching=None):
        seen.append((folder.name, model, matching) if matching else folder.name)
        return drug_run.RunFolder(folder)

    stubs = {
        "prepared": lambda name, folder: folder,
        "recombined": lambda config, name, data, folder: folder / name,
        "trained": lambda stage, *_: answer(stage["name"]),
        "averaged": lambda shares, target, folder: answer(target.name),
        "widened": lambda model, widen, units, folder: seen.append((widen.__name__, units)) or answer(folder.name),
        "finished": finished,
        "rewarded": taught,
        "noised": taught,
    }

    def stop(*_, **__):
        raise KeyboardInterrupt

    for name, stub in stubs.items():
        monkeypatch.setattr(drug_run, name, stub)
    monkeypatch.setattr(drug_run.api, "load", lambda path: path.name)
    monkeypatch.setattr(drug_run.api, "evaluate_in_full", stop)
    monkeypatch.setattr(drug_run.tomllib, "loads", lambda text: config)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["run.py", *arguments])
        with pytest.raises(KeyboardInterrupt):
            drug_run.main()
        return seen

    return run


def test_only_what_leaves_the_codes_alone_goes_on_with_the_prior_that_was_fitted(walk):
    """Which steps of a drug model's config begin with a fit of the learned prior, and what is reconstructed beside them."""
    wider = ("widen_decoder", 768)
    assert walk() == ["final-a", ("b", None), ("c", None), wider, "final-w", ("e", "long"), *MATCHED]


def test_the_drug_model_goes_on_from_a_step_of_which_only_the_model_is_left(walk, tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(SettingsError, match="has no model to go on from"):
        walk("--from", "b")
    with pytest.raises(SettingsError, match="no step 'x', only a, b"):
        walk("--from", "x")
    (tmp_path / "b" / "model.safetensors").touch()
    assert walk("--from", "b") == ["final-b", ("c", None), ("widen_decoder", 768), "final-w", ("e", "long"), *MATCHED]


def test_curves_that_are_not_there_are_those_of_the_last_result(drug_run, tmp_path, monkeypatch):
    former = {
        "config": {"step": [{"name": "a", "settings": {}}, {"name": "b", "noised": {}}]},
        "learning_curves": {"a": {"step": [1], "elapsed_s": [2.0]}},
        "tuning_curves": [{"step": [1], "elapsed_s": [3.0]}],
    }
    monkeypatch.setattr(drug_run, "RESULT", tmp_path / "result.json")
    drug_run.RESULT.write_text(json.dumps(former))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "tuning.csv").write_text("round,elapsed_s\n1,4.0\n")
    config = {"step": [*former["config"]["step"], {"name": "c", "reward": {}}]}
    assert [rows["elapsed_s"].tolist() for rows in drug_run.tuning_curves(config, tmp_path)] == [[3.0], [4.0]]
    assert {name: rows["elapsed_s"].tolist() for name, rows in drug_run.curves(config, tmp_path).items()} == {"a": [2.0]}


def test_the_tables_of_the_emitters_are_those_of_their_results(monkeypatch):
    folder = EXPERIMENTS / "08-oled"
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "results", raising=False)
    texts = {name: (folder / f"{name}.json").read_text(encoding="utf-8") for name in ("judges", "trees")}
    figures = {name: json.loads(text)["metrics"] for name, text in texts.items()}
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert load(folder / "page.py").filled(page, figures) == page
    gathered = json.loads((folder / "result.json").read_text(encoding="utf-8"))["metrics"]
    assert gathered == {f"{part}: {key}": value for part in ("trees", "judges") for key, value in figures[part].items()}


def test_hits_among_designs_are_counted_in_the_terms_of_the_known_emitters(monkeypatch):
    """The protocol's own offset is taken off; what it cannot take, or what misses either goal, is no hit."""
    monkeypatch.syspath_prepend(str(EXPERIMENTS / "08-oled"))
    designs = load_named(EXPERIMENTS / "08-oled" / "designs.py", monkeypatch)
    files = pd.DataFrame({"S1_eV": [3.0, 2.0, 9.0], "dEst_eV": [0.4, 0.2, 9.0]}, index=[4, 7, 9])
    known = pd.DataFrame({"row": [4, 7], "S1": [3.4, 2.2], "dE_ST": [0.5, 0.3]})
    compared = {name: value["mean"] for name, value in designs.compared(files, known)}
    assert compared["offset of S1 [eV]"] == pytest.approx(0.3) and compared["offset of dE_ST [eV]"] == pytest.approx(0.1)
    assert compared["scatter of S1 [eV]"] == pytest.approx(0.2 / 2**0.5) and compared["known emitters computed"] == 2
    chosen = pd.DataFrame({"smiles": ["A", "B", "C", "D", "E"], "colour": "blue", "way": list("xxxyy"), "target_eV": 2.73})
    computed = pd.DataFrame({"smiles": list("ABCD"), "S1": [3.03, 3.2, 3.03, np.nan], "dE_ST": [0.29, 0.1, 0.31, np.nan]})
    found = {name: value["mean"] for name, value in designs.hits(chosen, computed, {"S1": 0.3, "dE_ST": 0.1})}
    assert found == {"blue, x: computed": 3, "blue, x: hits": 1, "blue, y: computed": 1, "blue, y: hits": 0}


def test_every_run_of_the_family_is_one_that_training_takes():
    """Members that do not go together, misspelt knobs and misspelt settings, before hours are spent."""
    family = load(EXPERIMENTS / "06-family" / "run.py")
    for number in ("1", "2"):
        asked = SimpleNamespace(round=number, size=None, data=None)
        config, rows = family.settings(asked)
        runs = family.tasks(config, rows, number)
        assert len({task["id"] for task in runs}) == len(runs) and runs[-1]["row"] == family.CHAR_RNN
        for task in (one for one in runs if one["row"] != family.CHAR_RNN):
            own = {**config["settings"], "epochs": config["epochs"], **task["settings"]}
            RunSpec.of("zinc250k", ["qed"], "cpu", task["seed"], **own)
        make_spec(EvaluationSettings, None, {key: value for key, value in config["evaluation"].items() if key != "split"})
    assert {"full", "iaf", "vmf", "mixture", "iwae", "mmd", "wae-mmd", "aae", "autoencoder", "denoising", "prior-vamp"} <= {
        row["name"] for row in rows["row"]
    }


def test_a_picture_of_the_family_is_drawn_from_its_result(tmp_path):
    family = EXPERIMENTS / "06-family"
    figures = {"rate": 20.0, "distortion": 9.0, "validity_learned_sampled": 0.9, "unique_10k_learned_sampled": 1.0}
    result = {
        "runs": {"plain-0.1": {"row": "plain"}, "iaf-0.1": {"row": "iaf"}, "char-rnn": {"row": "char-rnn"}},
        "metrics": {f"{run}/{key}": {"mean": value} for run in ("plain-0.1", "iaf-0.1") for key, value in figures.items()},
    }
    (tmp_path / "result.json").write_text(json.dumps(result))
    drawing = load(family / "figure.py")
    assert list(drawing.by_row(result)) == ["plain", "iaf"], "what has no rate is not drawn"
    drawing.main(str(tmp_path / "result.json"))
    assert (tmp_path / "rate-distortion.png").read_bytes()[1:4] == b"PNG"


def test_the_tables_of_moving_are_those_of_its_result():
    folder = EXPERIMENTS / "11-moving"
    figures = json.loads((folder / "result.json").read_text(encoding="utf-8"))["metrics"]
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert load(folder / "page.py").filled(page, figures) == page


def test_a_shipped_model_is_the_trained_one_under_short_names_with_a_card_of_its_figures(tmp_path, vocabulary):
    ship = load(EXPERIMENTS / "07-recipe" / "ship.py")
    model = MolVAE(
        vocabulary, ModelSettings(latent_dim=4, encoder_dim=8, decoder_dim=8), ["long_S1_eV", "pce"], {"long_S1_eV": "eV"}
    )
    model.priors["learned"].fit(codes := np.random.default_rng(0).normal(size=(300, 4)))
    model.latent_statistics.fit(points := torch.as_tensor(codes, dtype=torch.float32), model.priors["learned"].log_prob(points))
    save_model(model.eval(), RunFolder(tmp_path / "run"), n_train=7)
    own = {"set": "toy", "title": "A toy.", "limits": "Many.", "licence": "None.", "names": {"S1": "long_S1_eV"}}
    figures = {"reconstruction_greedy": 0.25, "kl": None, "mae_long_S1_eV": 0.5, "mae_pce": 1.0}
    measured = {
        "set": "toy", "command": "python run.py toy", "commit": "abc", "device": "a machine", "seconds": {"learn": 90.0},
        "split": "test", "stages": {"learn": {"kl": 3.0}, "fit": figures}, "protocol": {"mae_pce": "Mean |error|."},
    }  # fmt: skip
    config = {"ship": {"toy": own}, "evaluation": {"n_molecules": 5, "n_samples": 6}}
    folder = ship.ship("toy", RunFolder(tmp_path / "run"), config, measured, tmp_path / "shipped")
    shipped, card = load_model(RunFolder(folder)), (folder / "card.md").read_text(encoding="utf-8")
    assert (shipped.property_names, shipped.property_units["S1"]) == (["S1", "pce"], "eV")
    assert shipped.predict(["CCO"]).iloc[0]["S1"] == pytest.approx(model.predict(["CCO"]).iloc[0]["long_S1_eV"])
    told = [one.priors["learned"].log_prob(points) for one in (shipped, model)]
    assert torch.allclose(*told, atol=0.05) and told[0].dtype == torch.float32
    assert "| `mae_S1` | 0.500 |  |" in card and "`S1` is `long_S1_eV`" in card and "`pce` is" not in card
    told_of = read_card(RunFolder(folder))
    assert told_of.about == "A toy." and told_of.limits == "Many." and told_of.taken.startswith("Figures on the test split")
    assert told_of.figures["mae_pce"] == ("1.000", "Mean |error|.") and "kl" not in told_of.figures
    with pytest.raises(SystemExit, match="predicts no T1"):
        ship.rename(shipped, {"x": "T1"})
