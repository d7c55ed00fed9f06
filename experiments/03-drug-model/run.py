"""Train the drug model in stages, or go on where it stopped, and measure it on the split that config.toml names.

    CHEMVAE_DATA=FOLDER python experiments/03-drug-model/run.py            # everything
    CHEMVAE_DATA=FOLDER python experiments/03-drug-model/run.py --valid    # measure on the valid split, write valid.json
    CHEMVAE_DATA=FOLDER python experiments/03-drug-model/run.py --from past   # the steps after this one
    python experiments/03-drug-model/run.py --ship                         # copy the measured model into the package

FOLDER holds zinc250k.csv.gz. Stages that are finished are skipped; training that was stopped resumes, a tuning starts again.
With --from the steps up to the one named need not be there, only its model, in runs/drug/STEP: curves of earlier steps are then
those of result.json.
"""

from __future__ import annotations

import copy
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import char_rnn
import merge
import numpy as np
import pandas as pd
import pictures
import recombine
import tomllib
import torch

from chemvae import api
from chemvae.data.prepare.preparation import load_table, prepare
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import SettingsError
from chemvae.evaluation.protocols import Evaluation
from chemvae.evaluation.report import write_report
from chemvae.models.storage import SHIPPED, model_tensors, save_model, transfer_weights
from chemvae.models.vae import MolVAE
from chemvae.models.widening import widen_decoder, widen_encoder
from chemvae.runs import RunFolder, environment, write_json
from chemvae.training.posthoc.finish import finish
from chemvae.training.posthoc.predictor import RefitSettings, refit_predictor
from chemvae.training.tuning.expert_iteration import ExpertIterationSettings, tune_by_expert_iteration
from chemvae.training.tuning.noised_codes import NoisedCodeSettings, tune_to_noised_codes
from chemvae.training.tuning.reinforce import ReinforceSettings, tune_by_reinforce

HERE = Path(__file__).parent
RESULT = HERE / "result.json"
AT_DRAWS = {"noised", "reward"}  # steps that tune the decoder at draws from the priors and leave the codes alone
ON_THE_CARD = (
    "reconstruction_greedy", "reconstruction_jt", "validity_prior_greedy", "validity_prior_sampled", "validity_learned_prior",
    "unique_10k", "novelty", "fcd", "kl", "active_units", "mae_logP", "mae_qed", "mae_SAS", "coverage90_logP", "coverage90_qed",
    "coverage90_SAS",
)  # fmt: skip
CARD = """# drug

A SMILES variational autoencoder for drug-like molecules, cpu preset with a wider encoder and decoder, with logP, qed and SAS.

- **Data:** the train split (215,725 molecules) of ZINC250k, 2.6 million molecules that a char-RNN trained on that split wrote,
  and half a million long ones joined from halves of its molecules. Novelty is counted against the 215,725; predictor and
  learned prior were fitted to them.
- **Command:** `{command}`, commit {commit}, seeds as in config.toml. {device}.
- **Taught between molecules, too:** its decoder also wrote every third molecule from a code at a random level of noise; earlier
  in training, molecules that it had written itself at draws from N(0, I), at steps from molecules and between two of them.
- **Rewarded:** for texts at draws from the priors that RDKit reads as molecules, and for ones that a critic takes for training
  molecules; before and beside such trainings the decoder alone learned more from noised codes. The weights are a mean of
  several ends.
- **Matched:** the learned prior is fitted to training molecules weighted by how much the samples lack them. What it samples is
  still a little shorter than the data set's (see `fcd`).

Figures on the {split} split, 5,000 molecules and 30,000 samples, raw decoder (nothing masked or repaired):

| figure | value | how |
|---|---|---|
{rows}

**Limits.** It writes what ZINC250k looks like: drug-like molecules of up to 38 heavy atoms, some with charges, no metals, no
salts. Molecules of another kind come back wrong and their predictions are guesses; look at `distance`. Points far from all
molecules decode to something RDKit reads because the decoder was taught to, not because a chemist would find it sensible.

**Licence and citation.** The weights are under chemvae's own licence (MIT). They were trained on ZINC250k: a work that uses
them cites ZINC (Irwin et al., ZINC: A Free Tool to Discover Chemistry for Biology, J. Chem. Inf. Model. 2012,
https://doi.org/10.1021/ci3001277) and the set's selection (Gómez-Bombarelli et al. 2018,
https://doi.org/10.1021/acscentsci.7b00572); `chemvae cite` prints these and the papers of the methods.
"""


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    folder = Path(config["folder"])
    data = prepared(config["data"], folder / "data")
    last = folder / f"final-{config['step'][-1]['name']}"
    if "--ship" in sys.argv:
        ship(last)
        return
    pipeline, steps = Pipeline(config, folder, {"zinc250k": data}), config["step"]
    if "--from" in sys.argv:
        steps, pipeline.run = after(sys.argv[sys.argv.index("--from") + 1], steps, folder)
        pipeline.model = api.load(pipeline.run.path)
    for step in steps:
        pipeline.take(step)
    measure(finished(pipeline.model, config, data, last, config["learned_prior"]["matching"]), config, data, folder)


class Pipeline:
    """The steps of config.toml, taken one after the other."""

    def __init__(self, config: dict, folder: Path, data: dict[str, Path]):
        self.config, self.folder = config, folder
        self.data = data  # the data sets made so far, by name
        self.model: MolVAE | None = None  # as the last step left it
        self.run: RunFolder | None = None  # where that step keeps it
        self.fitted = False  # whether its learned prior was fitted to its codes

    def take(self, step: dict) -> None:
        """One step, of the sort that its settings say."""
        target = self.folder / step["name"]
        if "average" in step:
            self.model, self.run = averaged(step["average"], target, self.folder)
        elif "encoder_dim" in step:
            self.model, self.run = widened(self.model, widen_encoder, step["encoder_dim"], target)
        elif "decoder_dim" in step:
            self.model, self.run = widened(self.model, widen_decoder, step["decoder_dim"], target)
        elif "matching" in step:
            self.match(step, target)
        elif AT_DRAWS & set(step):
            self.tune_at_draws(step, target)
        elif "tuning" in step:
            self.model, self.run = tuned(self.model, self.data["zinc250k"], step["tuning"], target)
        else:
            start = RunFolder(self.folder / step["init"]) if "init" in step else self.run
            self.model, self.run = trained(step, self.molecules(step["data"]), self.config["targets"], self.folder, start)
        self.fitted = bool({"matching", *AT_DRAWS} & set(step))  # the others leave no learned prior, or another model's

    def match(self, step: dict, target: Path) -> None:
        """The learned prior fitted again, to what the samples of this model, or of the one that the step names, lack."""
        if "init" in step:
            self.model = api.load(self.folder / step["init"])
        self.run = finished(self.model, self.config, self.data["zinc250k"], target, step["matching"])
        self.model = api.load(self.run.path)

    def tune_at_draws(self, step: dict, target: Path) -> None:
        """Rewards, or noised codes for the decoder alone, once the learned prior that both draw from is fitted."""
        reconstruction_data = self.molecules(step["data"]) if "data" in step else None
        if not self.fitted:
            run = finished(self.model, self.config, self.data["zinc250k"], self.folder / f"final-{self.run.path.name}")
            self.model = api.load(run.path)
        taught, asked = (noised, step["noised"]) if "noised" in step else (rewarded, step["reward"])
        self.model, self.run = taught(self.model, self.data["zinc250k"], asked, target, reconstruction_data)

    def molecules(self, name: str) -> Path:
        """A data set by its name in config.toml, made when it is first asked for."""
        if name not in self.data:
            made = recombined if name in self.config["recombined"] else merged
            self.data[name] = made(self.config, name, self.data["zinc250k"], self.folder)
        return self.data[name]


def measure(run: RunFolder, config: dict, data: Path, folder: Path) -> None:
    """The figures of the finished model: valid.json with --valid, otherwise result.json and the pictures."""
    only_valid, model = "--valid" in sys.argv, api.load(run.path)
    asked = {**config["evaluation"], "split": "valid" if only_valid else config["evaluation"]["split"]}
    started = time.monotonic()
    evaluation = api.evaluate_in_full(model, str(data), config["seed"], **asked)
    write_report(evaluation, run.path, name="drug", history=last_curve(config, folder))
    result = describe({**config, "evaluation": asked}, folder, evaluation, time.monotonic() - started)
    if only_valid:
        write_json(HERE / "valid.json", result)
        return
    write_json(RESULT, result)
    pictures.draw_curves(curves(config, folder))
    pictures.draw_radius(evaluation.radius)
    pictures.draw_failures(evaluation.failures)


def after(name: str, steps: list[dict], folder: Path) -> tuple[list[dict], RunFolder]:
    """The steps after one, and that one's folder."""
    names = [step["name"] for step in steps]
    if name not in names:
        raise SettingsError(f"config.toml has no step {name!r}, only {', '.join(names)}")
    run = RunFolder(folder / name)
    if not run.has("model.safetensors"):
        raise SettingsError(f"{run.path} has no model to go on from; put one there, or leave out --from")
    return steps[names.index(name) + 1 :], run


def last_curve(config: dict, folder: Path) -> pd.DataFrame:
    """The learning curve of the last step that trained the whole model."""
    return list(curves(config, folder).values())[-1]


def curves(config: dict, folder: Path) -> dict[str, pd.DataFrame]:
    """The learning curve of each step that trained the whole model."""
    known = last_result().get("learning_curves", {})
    names = [step["name"] for step in config["step"] if "settings" in step]
    here = {name: RunFolder(folder / name) for name in names}
    return {name: run.read_metrics() if run.has("metrics.csv") else pd.DataFrame(known[name]) for name, run in here.items()}


def tuning_curves(config: dict, folder: Path) -> list[pd.DataFrame]:
    """The curve of each tuning of the decoder."""
    former = last_result()
    known = dict(zip(tunings(former["config"]), former["tuning_curves"], strict=True)) if former else {}
    files = {name: folder / name / "tuning.csv" for name in tunings(config)}
    return [pd.read_csv(file) if file.exists() else pd.DataFrame(known[name]) for name, file in files.items()]


def last_result() -> dict:
    """What result.json says now; nothing before there is one."""
    return json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}


def tunings(config: dict) -> list[str]:
    """Names of the steps that tuned the decoder alone."""
    return [step["name"] for step in config["step"] if {"tuning", "noised", "reward"} & set(step)]


def prepared(name: str, folder: Path) -> Path:
    """The data set, read and checked once."""
    if not folder.exists():
        prepare(name, folder, jobs=0)
    return folder


def merged(config: dict, name: str, data: Path, folder: Path) -> Path:
    """The data set with molecules that the char-RNN wrote, a file of them for each seed."""
    out, writer = folder / name, folder / "char-rnn"
    if not out.exists():
        if not (writer / "char_rnn.json").exists():
            asked = config["char_rnn"]
            char_rnn.train(str(data), writer, char_rnn.Settings(hidden_dim=asked["hidden"], epochs=asked["epochs"]))
        files = [writer / f"{seed}.parquet" for seed, _ in config["written"][name]]
        for file, (seed, decodes) in zip(files, config["written"][name], strict=True):
            if not file.exists():
                char_rnn.sample(writer, decodes, file, seed=seed, jobs=0)
        merge.main(str(data), str(out), *map(str, files))
    return out


def recombined(config: dict, name: str, data: Path, folder: Path) -> Path:
    """Long molecules made of halves of training molecules, and beside them some that the char-RNN wrote, or the data set."""
    out, asked = folder / name, config["recombined"][name]
    if not out.exists():
        written = merged(config, asked["beside"], data, folder) / "data.parquet" if "beside" in asked else None
        recombine.main(str(data), written and str(written), str(out), asked["n"], asked.get("n_beside", 0), asked["seed"])
    return out


def trained(stage: dict, data: Path, targets: list[str], folder: Path, before: RunFolder | None) -> tuple[MolVAE, RunFolder]:
    """One stage, started from the one before it, or from the one that it names."""
    run = RunFolder(folder / stage["name"])
    if run.has("prior.safetensors"):
        return api.load(run.path), run
    if run.has("trainer.pt"):
        return api.train(None, out=run.path, resume=True), run
    init = {} if before is None else {"init": str(before.path)}
    return api.train(str(data), targets, "cpu", run.path, **init, **stage["settings"]), run


def averaged(shares: dict[str, float], target: Path, folder: Path) -> tuple[MolVAE, RunFolder]:
    """Weights between those of several steps, with the last one's vocabulary.

    Wortsman et al. 2022, model soups, https://arxiv.org/abs/2203.05482.
    """
    run = RunFolder(target)
    if run.has("model.safetensors"):
        return api.load(run.path), run
    last = api.load(folder / list(shares)[-1])
    parts = []
    for name, share in shares.items():
        one = copy.deepcopy(last)
        transfer_weights(api.load(folder / name), one)
        parts.append((share, model_tensors(one)))
    mean = {
        key: sum(share * tensors[key] for share, tensors in parts) if value.is_floating_point() else value
        for key, value in model_tensors(last).items()
    }
    last.load_state_dict(mean, strict=False)
    save_model(last, run)
    return last, run


def widened(model: MolVAE, widen: Callable[[MolVAE, int], MolVAE], units: int, folder: Path) -> tuple[MolVAE, RunFolder]:
    """The same function with more units."""
    run = RunFolder(folder)
    if not run.has("model.safetensors"):
        save_model(widen(model, units), run)
    return api.load(run.path), run


def tuned(model: MolVAE, data: Path, asked: dict, folder: Path) -> tuple[MolVAE, RunFolder]:
    """The decoder tuned to the priors."""
    return decoder_tuned(model, data, folder, tune_by_expert_iteration, ExpertIterationSettings(**asked, jobs=0))


def rewarded(model: MolVAE, data: Path, asked: dict, folder: Path, reconstructed: Path | None) -> tuple[MolVAE, RunFolder]:
    """The decoder rewarded for molecules like the data set's at draws from the priors."""
    return decoder_tuned(model, data, folder, tune_by_reinforce, ReinforceSettings(**asked), reconstructed)


def noised(model: MolVAE, data: Path, asked: dict, folder: Path, reconstructed: Path | None) -> tuple[MolVAE, RunFolder]:
    """The decoder taught more at noised codes of the data set."""
    return decoder_tuned(model, data, folder, tune_to_noised_codes, NoisedCodeSettings(**asked), reconstructed)


def decoder_tuned(
    model: MolVAE, data: Path, folder: Path, tune, settings, reconstructed: Path | None = None
) -> tuple[MolVAE, RunFolder]:
    """A model after one of the tunings of its decoder, with its curve; other molecules may be reconstructed beside it."""
    run, asked = RunFolder(folder), {**asdict(settings), "reconstructed": reconstructed and reconstructed.name}
    if run.has("model.safetensors"):
        kept = run.read_config().get("tuning", {})
        if other := [name for name in asked if kept.get(name, asked[name]) != asked[name]]:
            raise SettingsError(f"{run.path} was tuned with other settings ({', '.join(other)}); move it, or rename the step")
        return api.load(run.path), run
    train = SmilesDataset(training_molecules(data), model.vocabulary)
    others = (
        {}
        if reconstructed is None
        else {"reconstruction_data": SmilesDataset(training_molecules(reconstructed), model.vocabulary)}
    )
    rows = tune(model, train, settings, report=lambda row: print(row, flush=True), **others)
    run.path.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(run.path / "tuning.csv", index=False)
    run.write_environment()
    save_model(model, run, tuning=asked)
    return model, run


def finished(model: MolVAE, config: dict, data: Path, folder: Path, matching: dict | None = None) -> RunFolder:
    """The model as it is measured and shipped: predictor and learned prior fitted to the data set's own molecules.

    With ``matching`` the prior is then matched, so that what is written at its draws lies like them.
    """
    run = RunFolder(folder)
    if run.has("prior.safetensors"):
        return run
    table = load_table(str(data), properties=config["targets"])
    smiles, split = np.array(table.smiles), np.asarray(table.split)
    train, valid = (
        SmilesDataset(smiles[split == part].tolist(), model.vocabulary, table.labels[split == part])
        for part in ("train", "valid")
    )
    torch.manual_seed(config["seed"])  # a flow starts from random weights
    settings = replace(model.settings, fitted_prior=config["learned_prior"]["kind"])
    last = MolVAE(model.vocabulary, settings, model.property_names, model.property_units)
    last.load_state_dict(model_tensors(model), strict=False)
    last.training_facts = model.training_facts
    refit_predictor(last.eval(), train, RefitSettings(**config["refit"]))
    finish(last, train, valid, None, config["seed"], matching)
    save_model(last, run)
    run.write_environment()
    return run


def training_molecules(data: Path) -> list[str]:
    table = load_table(str(data))
    return np.array(table.smiles)[np.asarray(table.split) == "train"].tolist()


def ship(run: Path) -> None:
    """Copy what `chemvae.load("drug")` reads, and write its card from result.json."""
    result = last_result()
    target = SHIPPED / "drug"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "vocabulary.json", "model.safetensors", "prior.safetensors", "training_index.parquet"):
        shutil.copyfile(run / name, target / name)
    figures = {name: metric["mean"] for name, metric in result["metrics"].items()}
    known = [name for name in ON_THE_CARD if figures.get(name) is not None]
    rows = [f"| `{name}` | {figures[name]:.3f} | {result['protocol'].get(name, '')} |" for name in known]
    split = result["config"]["evaluation"]["split"]
    (target / "card.md").write_text(CARD.format(rows="\n".join(rows), split=split, **result), encoding="utf-8")


def describe(config: dict, folder: Path, evaluation: Evaluation, evaluated_s: float) -> dict:
    """Everything result.json says: where the figures come from, and the figures."""
    figures = dict(evaluation.figures)
    protocol = figures.pop("protocol")
    origin = environment()
    learned = curves(config, folder)
    tuning = tuning_curves(config, folder)
    return {
        "command": " ".join(["python experiments/03-drug-model/run.py", *sys.argv[1:]]),
        "commit": origin["commit"],
        "seeds": [config["seed"]],
        "device": origin["processor"],
        "versions": origin["versions"],
        "elapsed_s": {
            **{f"stage_{name}": float(rows["elapsed_s"].iloc[-1]) for name, rows in learned.items()},
            "tuning": sum(float(rows["elapsed_s"].iloc[-1]) for rows in tuning),
            "evaluation": round(evaluated_s, 1),
        },
        "config": config,
        "metrics": {name: {"mean": value, "std": None, "n": 1} for name, value in figures.items() if name != "seed"},
        "protocol": protocol,
        "failures": evaluation.failures["kind"].value_counts().to_dict(),
        "validity_against_radius": evaluation.radius.to_dict(orient="list"),
        "validity_against_norm": evaluation.norm.to_dict(orient="list"),
        "learning_curves": {name: rows.to_dict(orient="list") for name, rows in learned.items()},
        "tuning_curves": [rows.to_dict(orient="list") for rows in tuning],
    }


if __name__ == "__main__":
    main()
