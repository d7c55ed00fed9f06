"""Which choices mattered, why a VAE, and how many labels: many small models under one budget, on the valid split.

    python experiments/03-drug-model/small.py                  # everything, after run.py made the data; six hours on one core
    python experiments/03-drug-model/small.py --jobs 2         # two at a time
    python experiments/03-drug-model/small.py --only 2         # stop after two more
    python experiments/03-drug-model/small.py --gather         # write small.json and the pictures from what is there

Every model leaves its figures in runs/drug-small, so that a stopped run goes on with the next one.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tomllib
import torch

from chemvae import api
from chemvae.data.prepare.preparation import load_table
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.objectives import Loss, Objective
from chemvae.parallel import map_ordered
from chemvae.runs import RunFolder, environment, write_json
from chemvae.training import Trainer, TrainingSettings

HERE = Path(__file__).parent
KEPT = (
    "reconstruction_greedy", "reconstruction_jt", "validity_prior_greedy", "validity_prior_sampled", "validity_learned_prior",
    "fcd", "cross_entropy", "kl", "active_units", "mae_logP", "mae_qed", "mae_SAS",
)  # fmt: skip
NEIGHBOURS_OF = "CC(C)Cc1ccc(cc1)C(C)C(=O)O"  # ibuprofen
STEPS = (0.25, 0.5, 1.0)  # standard deviations of the codes
N_DRAWN = 4
DRAWN = ("all-four", "VAE", "autoencoder", "denoising-autoencoder")


class LabelsAlone(Objective):
    """The property's likelihood at the posterior's mean and nothing else: a plain supervised network."""

    splits = True

    def __call__(self, model, batch, step, phase, generator=None):
        z = model.posterior_of(batch).point
        nll = -model.predictor.log_prob(z[None], batch.labels).mean()
        return Loss(nll, {"property_nll": nll.detach()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, default=None, help="models to train before stopping")
    parser.add_argument("--gather", action="store_true")
    asked = parser.parse_args()
    config = tomllib.loads((HERE / "small.toml").read_text(encoding="utf-8"))
    folder = Path(config["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    if not asked.gather:
        tasks = [task for task in tasks_of(config) if not (folder / f"{task['id']}.json").exists()]
        os.environ["OMP_NUM_THREADS"] = "1"
        map_ordered(run, [{**task, "config": config} for task in tasks[: asked.only]], jobs=asked.jobs, chunk=1)
    gather(config, folder)


def tasks_of(config: dict) -> list[dict]:
    """Every model to train: an id, and what makes it."""
    found = [{"id": one["name"].replace(" ", "-"), "kind": "variant", **one} for one in config["variant"]]
    for count in config["labels"]["counts"]:
        found += [{"id": f"labels-{count}-{kind}", "kind": kind, "count": count} for kind in ("alone", "joint")]
    return found


def run(task: dict) -> None:
    """Train and measure one model."""
    config = task["config"]
    torch.set_num_threads(1)
    started = time.monotonic()
    figures = {"variant": variant, "joint": joint, "alone": alone}[task["kind"]](task, config)
    write_json(Path(config["folder"]) / f"{task['id']}.json", {**figures, "elapsed_s": round(time.monotonic() - started, 1)})
    print(task["id"], figures, flush=True)


def molecules(config: dict, written: bool, targets: list[str]) -> pd.DataFrame:
    """The first training molecules in a random order, with written ones if asked for, and the valid split."""
    table = load_table(config["data"], properties=targets)
    frame = pd.DataFrame({"smiles": table.smiles, **dict(zip(targets, table.labels.T, strict=True)), "split": table.split})
    train = frame[frame["split"] == "train"].sample(config["n_molecules"], random_state=config["seed"])
    parts = [train, frame[frame["split"] == "valid"]]
    if written:
        both = pd.read_parquet(Path(config["written"]) / "data.parquet")
        parts.append(both.iloc[len(frame) :].sample(config["n_written"], random_state=config["seed"])[list(frame.columns)])
    return pd.concat(parts, ignore_index=True)


def variant(task: dict, config: dict) -> dict:
    frame = molecules(config, task.get("written", True), config["targets"])
    run_folder = Path(config["folder"]) / task["id"]
    settings = {**config["settings"], **task.get("settings", {})}
    if RunFolder(run_folder).has("prior.safetensors"):  # trained, then stopped before it was measured
        model = api.load(run_folder)
    else:
        model = api.train(frame, config["targets"], "cpu", run_folder, seed=config["seed"], overwrite=True, **settings)
    measured = api.evaluate(model, config["data"], config["seed"], **config["evaluation"])
    return {key: measured[key] for key in KEPT}


def joint(task: dict, config: dict) -> dict:
    """A VAE of all molecules whose predictor sees so many labels."""
    target, frame = config["labels"]["target"], molecules(config, False, config["targets"])
    frame.loc[(frame["split"] == "train") & (np.arange(len(frame)) >= task["count"]), target] = np.nan
    settings = {**config["settings"], **config["labels"]["joint"]}
    model = api.train(
        frame, [target], "cpu", Path(config["folder"]) / task["id"], seed=config["seed"], overwrite=True, **settings
    )
    return {"mae": error(model, frame, target)}


def alone(task: dict, config: dict) -> dict:
    """The same encoder and predictor, trained on the labelled molecules and nothing else."""
    target, frame = config["labels"]["target"], molecules(config, False, config["targets"])
    train, valid = frame[frame["split"] == "train"].iloc[: task["count"]], frame[frame["split"] == "valid"].iloc[:1000]
    words = Vocabulary.from_smiles(frame["smiles"].tolist())
    parts = [SmilesDataset(part["smiles"].tolist(), words, part[[target]].to_numpy()) for part in (train, valid)]
    torch.manual_seed(config["seed"])
    model = MolVAE(words, ModelSettings(), [target])
    model.predictor.fit_scale(torch.as_tensor(parts[0].labels))
    model.training_facts = TrainingFacts(120)
    asked = config["labels"]["alone"]
    batch_size = min(asked["batch_size"], max(16, task["count"] // 8))
    epochs = max(asked["epochs"], min(200, asked["steps"] * batch_size // task["count"]))
    settings = TrainingSettings(
        epochs=epochs, batch_size=batch_size, threads=1, min_kl=0, min_active_units=0, seed=config["seed"], patience=0
    )
    best = Best(frame[frame["split"] == "valid"].iloc[1000:], target)
    Trainer(model, *parts, settings, None, LabelsAlone(), device="cpu", callbacks=(best,)).fit()
    return {"mae": best.error, "epochs": epochs, "best_epoch": best.epoch}


class Best:
    """Remembers the epoch whose property likelihood on the monitored molecules was best, and the error on the others then."""

    def __init__(self, frame: pd.DataFrame, target: str):
        self.frame, self.target, self.loss, self.error, self.epoch = frame, target, np.inf, np.nan, 0

    def on_step(self, info: dict) -> None:
        pass

    def on_epoch(self, row: dict, model: MolVAE) -> None:
        if row["valid_property_nll"] < self.loss:
            self.loss, self.epoch = row["valid_property_nll"], row["epoch"]
            self.error = mean_error(model, self.frame, self.target)


def error(model: MolVAE, frame: pd.DataFrame, target: str) -> float:
    """Mean absolute error on the valid split beyond its first thousand, which training may have looked at."""
    return mean_error(model, frame[frame["split"] == "valid"].iloc[1000:], target)


def mean_error(model: MolVAE, rows: pd.DataFrame, target: str) -> float:
    z = torch.from_numpy(model.encode(rows["smiles"].tolist()))
    with torch.no_grad():
        mean = model.predictor(z)[0][:, 0].numpy()
    return float(np.nanmean(np.abs(mean - rows[target].to_numpy())))


def gather(config: dict, folder: Path) -> None:
    """small.json from every model that is there, and the drawings of what lies near a molecule."""
    found = {
        task["id"]: json.loads((folder / f"{task['id']}.json").read_text())
        for task in tasks_of(config)
        if (folder / f"{task['id']}.json").exists()
    }
    origin = environment()
    write_json(
        HERE / "small.json",
        {
            "command": "python experiments/03-drug-model/small.py",
            "commit": origin["commit"],
            "device": f"{origin['processor']}, one thread a model",
            "versions": origin["versions"],
            "config": config,
            "models": found,
        },
    )
    trained = [name for name in DRAWN if (folder / name / "model.safetensors").exists()]
    if trained:
        draw_neighbours(folder, trained)


def draw_neighbours(folder: Path, names: list[str]) -> None:
    """near.png: what each model writes at steps from one molecule, a row per model and width."""
    from rdkit import Chem
    from rdkit.Chem import Draw

    drawn, legends = [], []
    for name in names:
        model = api.load(folder / name)
        z = model.encode([NEIGHBOURS_OF])
        noise = np.random.default_rng(0).standard_normal((N_DRAWN, z.shape[1])).astype(np.float32)
        spread = model.latent_statistics.std.numpy()
        for width in STEPS:
            texts = model.decode(z + width * spread * noise)
            for text, valid in zip(texts["smiles"], texts["valid"], strict=True):
                drawn.append(Chem.MolFromSmiles(text if valid else "*"))  # an empty drawing would lose its legend
                legends.append(f"{name}, {width:g} sd" + ("" if valid else ": no molecule"))
    picture = Draw.MolsToGridImage(drawn, molsPerRow=N_DRAWN, subImgSize=(220, 150), legends=legends, returnPNG=True)
    (HERE / "near.png").write_bytes(picture if isinstance(picture, bytes) else picture.data)


if __name__ == "__main__":
    main()
