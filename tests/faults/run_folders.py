"""Run folders as they come back from full disks, bad cables, other versions, other people and hostile hands.

Each is tried by a command or two: it ends with one sentence that names the file, or, where the damage does not matter, with the
answers of the whole folder; never with other answers, and never after taking memory for what a file merely claims.
"""

from __future__ import annotations

import functools
import json
import os
import pickle
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from tests.faults.fault import Ending, Fault, chemvae, chemvae_here, said

try:
    import resource
except ImportError:  # Windows
    resource = None

MOLECULES = ["C" * n + tail for n in range(1, 9) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]
SMALL = dict(
    preset="tiny", epochs=2, batch_size=8, encoder_dim=8, decoder_dim=16, latent_dim=4, embedding_dim=4, predictor_dim=8,
    min_kl=0.0, min_active_units=0.0, device="cpu", threads=1,
)  # fmt: skip
SPARE_BYTES = 512 * 1024**2
"""More memory than any of these commands may take beyond what it had."""
Damage = Callable[[Path], Any]

WEIGHTS, PRIOR, INDEX, TRAINER = "model.safetensors", "prior.safetensors", "training_index.parquet", "trainer.pt"
LABELS, TREES = "labels.safetensors", "trees.safetensors"
CONFIG, VOCABULARY, METRICS, ENVIRONMENT = "config.json", "vocabulary.json", "metrics.csv", "environment.json"
READ_BY_ALL = (CONFIG, VOCABULARY, WEIGHTS, PRIOR, LABELS, TREES, INDEX)


# a whole folder, and what it answers ------------------------------------------------------------------------------------------


@functools.cache
def workshop() -> Path:
    """A folder with ``molecules.csv``, trained runs, and nothing that these faults leave behind."""
    folder = tempfile.TemporaryDirectory()
    workshop.kept = folder  # gone with the process
    rows = [f"{smiles},{len(smiles)},{-len(smiles)}" for smiles in MOLECULES]
    (Path(folder.name) / "molecules.csv").write_text("\n".join(["smiles,size,loss", *rows]) + "\n")
    return Path(folder.name)


@functools.cache
def trained(seed: int = 0, latent_dim: int = 4) -> Path:
    """The whole run folder of a small model."""
    from chemvae import api

    run = workshop() / f"run-{seed}-{latent_dim}"
    settings = {**SMALL, "latent_dim": latent_dim}
    api.train(workshop() / "molecules.csv", ["size", "loss"], out=run, seed=seed, **settings)
    give_trees(run)
    return run


def give_trees(path: Path) -> None:
    """Let a run predict its first property by structure as well."""
    from chemvae.models.storage import load_model
    from chemvae.models.structure.heads import describe_structures
    from chemvae.models.structure.trees import BoostedTrees, TreeSettings
    from chemvae.runs import RunFolder

    structure = load_model(RunFolder(path)).predictor.structure
    labels = np.array([len(one) for one in MOLECULES], dtype=float)
    structure.trees[0] = BoostedTrees.fit(describe_structures(MOLECULES), labels, TreeSettings(rounds=3))
    structure.share[0] = 0.5
    RunFolder(path).write_tensors(TREES, structure.tensors())


def commands(run: Path) -> dict[str, list[Any]]:
    """What is tried with a folder."""
    data = workshop() / "molecules.csv"
    return {
        "predict": ["predict", data, "-m", run, "-o", "-"],
        "sample": ["sample", "-m", run, "-n", 5, "--prior", "normal", "-o", "-"],
        "resume": ["train", "--resume", "-o", run, "--device", "cpu"],
        "evaluate": ["evaluate", data, "-m", run, "-o", run.parent / "report", "--n-samples", 20, "--split", "all"],
        "init": [
            "train",
            data,
            "--init",
            run,
            "-o",
            run.parent / "tuned",
            "--preset",
            "tiny",
            "--epochs",
            1,
            "--device",
            "cpu",
        ],
    }


@functools.cache
def answer(command: str) -> str:
    """What a command says of the whole folder."""
    ending = chemvae_here(*commands(trained())[command])
    assert ending.code == 0, ending.stderr
    return ending.stdout


def same(ending: Ending, command: str) -> list[str]:
    """Findings of a command that was to answer as ever."""
    found = [ending.rude] if ending.rude else []
    if ending.code:
        return [*found, f"{command} refused: {ending.stderr.strip()[-300:]}"]
    return found + (["other answers"] if command in ("predict", "sample") and ending.stdout != answer(command) else [])


def refused(ending: Ending, name: str) -> list[str]:
    """Findings of a command that was to end with one sentence that names a file of the folder."""
    sentences = [line for line in ending.stderr.splitlines() if line.startswith("error: ")]
    found = said(ending, name) + ([] if ending.code in (1, 2, 3) else [f"exit code {ending.code}"])
    advice = "weights_only" in ending.stderr or "torch.load" in ending.stderr
    return found + (["not one sentence"] if len(sentences) != 1 else []) + (["advice to load it unsafely"] if advice else [])


def act(damage: Damage, name: str | None, tried: Iterable[str], folder: Path) -> list[str]:
    """Damage a copy, and try it: with a name it must be refused, or with ``name?`` at least not answer otherwise."""
    run = shutil.copytree(trained(), folder / "run")
    damage(run)
    found = []
    for command in tried:
        before = most_memory()
        ending = chemvae_here(*commands(run)[command])
        grown = most_memory() - before
        may_pass = name is None or (name.endswith("?") and ending.code == 0)
        found += same(ending, command) if may_pass else refused(ending, name.rstrip("?"))
        found += [f"{command} took {grown / 1e6:.0f} MB"] if grown > SPARE_BYTES else []
    return found


def most_memory() -> int:
    """Bytes that this process has held at most; 0 where the system does not say."""
    return 0 if resource is None else 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fault(name: str, damage: Damage, file: str | None, *tried: str, short: bool = True) -> Fault:
    """A fault of this group; without a file the damage must not matter."""
    return Fault(name, functools.partial(act, damage, file, tried or ("predict",)), short=short)


# ways to damage a file --------------------------------------------------------------------------------------------------------


def exchange(name: str, make: Callable[[Path], Any]) -> Damage:
    """Put something else in the place of a file."""

    def damage(run: Path) -> None:
        (run / name).unlink()
        make(run / name)

    return damage


def flip(name: str, seed: int, bits: int = 1) -> Damage:
    """Flip bits somewhere in a file."""

    def damage(run: Path) -> None:
        content, draw = bytearray((run / name).read_bytes()), random.Random(f"{name} {seed}")
        for place in draw.sample(range(8 * len(content)), bits):
            content[place // 8] ^= 1 << place % 8
        (run / name).write_bytes(bytes(content))

    return damage


WAYS: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.touch(),
    "noise": lambda path: path.write_bytes(random.Random(0).randbytes(3000)),
    "zeros": lambda path: path.write_bytes(bytes(3000)),
    "a folder": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    **({"a pipe nobody writes to": lambda path: os.mkfifo(path)} if hasattr(os, "mkfifo") else {}),
    **({"a device without an end": lambda path: path.symlink_to("/dev/zero")} if Path("/dev/zero").exists() else {}),
    "a web page": lambda path: path.write_text("<!doctype html><title>404 Not Found</title>"),
}


def halve(name: str) -> Damage:
    """Cut a file in two."""
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[: (run / name).stat().st_size // 2])


def lengthen(name: str) -> Damage:
    """Append to a file."""
    return lambda run: (run / name).write_bytes((run / name).read_bytes() + b"\0" * 100)


def edit(name: str, change: Callable[[Any], Any]) -> Damage:
    """Change what a JSON file says, as an older version would have left it: without checksums."""

    def damage(run: Path) -> None:
        forget_sums(run)
        content = json.loads((run / name).read_text())
        changed = change(content)
        (run / name).write_text(json.dumps(content if changed is None else changed))

    return damage


def put(*path: str, value: Any) -> Damage:
    """Put a value at a place of config.json."""

    def change(config: dict) -> None:
        for key in path[:-1]:
            config = config[key]
        config[path[-1]] = value

    return edit(CONFIG, change)


def forget_sums(run: Path) -> None:
    """Make it a folder of an earlier version."""
    config = json.loads((run / CONFIG).read_text())
    config.pop("sha256", None)
    (run / CONFIG).write_text(json.dumps(config))


def write_text(name: str, text: str) -> Damage:
    """Let a file say something else."""
    return lambda run: (run / name).write_text(text)


def retensor(change: Callable[[dict[str, torch.Tensor]], Any], name: str = WEIGHTS) -> Damage:
    """Change the tensors of a file, as an older version would have left it."""

    def damage(run: Path) -> None:
        forget_sums(run)
        tensors = {key: value.clone() for key, value in load_file(run / name).items()}
        change(tensors)
        save_file(tensors, run / name)

    return damage


def take(name: str, other: Callable[[], Path]) -> Damage:
    """Take a file from another run."""
    return lambda run: shutil.copyfile(other() / name, run / name)


def swap(one: str, other: str) -> Damage:
    """Exchange two files."""

    def damage(run: Path) -> None:
        contents = (run / one).read_bytes(), (run / other).read_bytes()
        (run / other).write_bytes(contents[0])
        (run / one).write_bytes(contents[1])

    return damage


def restate(change: Callable[[dict[str, Any]], Any]) -> Damage:
    """Change a checkpoint, as an older version would have left it."""

    def damage(run: Path) -> None:
        forget_sums(run)
        state = torch.load(run / TRAINER, weights_only=True)
        changed = change(state)
        torch.save(state if changed is None else changed, run / TRAINER)

    return damage


def claim_a_terabyte(run: Path) -> None:
    """Let the header of the weights say that they are enormous."""
    forget_sums(run)
    header = json.dumps({"decoder.output.weight": {"dtype": "F32", "shape": [10**6, 250_000], "data_offsets": [0, 10**12]}})
    (run / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(100))


def claim_a_long_header(run: Path) -> None:
    """Let the weights say that their header is longer than any memory."""
    forget_sums(run)
    (run / WEIGHTS).write_bytes((2**62).to_bytes(8, "little") + bytes(100))


def run_a_program(run: Path) -> None:
    """Plant a checkpoint that would run a program when it is unpickled."""

    class Program:
        def __reduce__(self) -> tuple:
            return os.system, (f"touch {run / 'was-run'}",)

    forget_sums(run)
    torch.save({"model": Program()}, run / TRAINER)


def plain_pickle(run: Path) -> None:
    """Plant one without PyTorch's archive around it."""
    forget_sums(run)
    (run / TRAINER).write_bytes(pickle.dumps({"model": print}))


def only_the_owner(name: str) -> Damage:
    """Take everybody's right to read a file; root reads it all the same."""
    return lambda run: (run / name).chmod(0)


def set_at(tensors: dict[str, torch.Tensor], name: str, value: torch.Tensor) -> None:
    tensors[name] = value


def nested(depth: int = 200_000) -> str:
    return "[" * depth + "]" * depth


# the faults -------------------------------------------------------------------------------------------------------------------


def damages_of_files() -> list[Fault]:
    """The same for every file: missing, cut, exchanged for something else."""
    faults = []
    for name in (*READ_BY_ALL, TRAINER, METRICS, ENVIRONMENT):
        tried = "resume" if name == TRAINER else "predict"
        named = None if name in (METRICS, ENVIRONMENT) else name
        make = functools.partial(fault, short=name in (CONFIG, WEIGHTS, TRAINER))
        faults += [fault(f"{name} is {way}", exchange(name, put), named, tried, short=short) for way, put, short in ways(name)]
        faults += [make(f"{name} is cut in half", halve(name), named, tried)]
        faults += [make(f"{name} is longer than written", lengthen(name), named, tried)]
        faults += [make(f"{name} with a flipped bit ({seed})", flip(name, seed), f"{name}?", tried) for seed in range(4)]
        faults += [make(f"{name} with a hundred flipped bits", flip(name, 9, 100), f"{name}?", tried)]
    return faults


def ways(name: str) -> list[tuple[str, Callable[[Path], Any], bool]]:
    """Ways to exchange a file, and whether they belong to every run of the tests."""
    usual = ("empty", "a folder", "a link to nothing")
    return [(way, make, way in usual or name in (CONFIG, WEIGHTS, TRAINER)) for way, make in WAYS.items()]


def missing() -> list[Fault]:
    """What a folder cannot do without, and what is said of the rest."""
    need = {CONFIG: "predict", VOCABULARY: "predict", WEIGHTS: "predict", TRAINER: "resume"}
    spare = dict.fromkeys((PRIOR, LABELS, TREES), "sample") | dict.fromkeys((INDEX, TRAINER, METRICS, ENVIRONMENT), "predict")
    remove = {name: lambda run, name=name: (run / name).unlink() for name in (*need, *spare)}
    faults = [fault(f"{name} is missing for {tried}", remove[name], name, tried) for name, tried in need.items()]
    faults += [fault(f"{name} is missing and not needed", remove[name], None, tried) for name, tried in spare.items()]
    said = {name: functools.partial(is_said, name) for name in (PRIOR, LABELS, TREES, INDEX)}
    return faults + [Fault(f"{name} is lost, which is said", check) for name, check in said.items()]


def is_said(name: str, folder: Path) -> list[str]:
    """A model that can do without a file says that it was there."""
    run = shutil.copytree(trained(), folder / "run")
    (run / name).unlink()
    ending = chemvae_here(*commands(run)["predict"])
    return [] if ending.code == 0 and f"lacks {name}" in ending.stderr else [ending.stderr]


SETTINGS = {
    "a decoder of ten million units": put("model", "decoder_dim", value=10_000_000),
    "a decoder of 60,000 units": put("model", "decoder_dim", value=60_000),
    "a decoder of one unit more": put("model", "decoder_dim", value=17),
    "a size beyond all numbers": put("model", "latent_dim", value=10**40),
    "a size of nothing": put("model", "latent_dim", value=0),
    "a size below nothing": put("model", "latent_dim", value=-3),
    "half a dimension": put("model", "latent_dim", value=2.5),
    "a size in words": put("model", "latent_dim", value="four"),
    "a size that is true": put("model", "latent_dim", value=True),
    "a size that is null": put("model", "latent_dim", value=None),
    "a size that is a list": put("model", "latent_dim", value=[4]),
    "a posterior that is null": put("model", "posterior", value=None),
    "a posterior nobody knows": put("model", "posterior", value="banana"),
    "a posterior without a name": put("model", "posterior", value={"depth": 3}),
    "a prior nobody knows": put("model", "prior", value="pear"),
    "a prior that is a number": put("model", "prior", value=3),
    "another prior": put("model", "prior", value="gaussian"),
    "a precision nobody knows": put("model", "precision", value="int4"),
    "a setting nobody knows": put("model", "n_layers", value=3),
    "no settings": put("model", value=None),
    "settings that are a list": put("model", value=[1, 2]),
    "no properties": put("properties", value=None),
    "properties that are a list": put("properties", value=["size", "loss"]),
    "a property too many": put("properties", "third", value="1"),
    "a unit that is a number": put("properties", "size", value=7),
    "max_tokens 0": put("max_tokens", value=0),
    "max_tokens -3": put("max_tokens", value=-3),
    "max_tokens null": put("max_tokens", value=None),
    "max_tokens 1e300": put("max_tokens", value=1e300),
    "max_tokens of a thousand billions": put("max_tokens", value=10**15),
    "max_tokens in words": put("max_tokens", value="ten"),
    "max_tokens NaN": put("max_tokens", value=float("nan")),
    "checksums that are numbers": put("sha256", value={WEIGHTS: 5}),
    "checksums that are text": put("sha256", value="abc"),
    **{
        f"format version {json.dumps(version)[:20]}": put("format_version", value=version)
        for version in (0, -1, True, "1", 2.5, 1.0, None, 2, 10**30, [1])
    },
    "a list instead of settings": write_text(CONFIG, "[1, 2]"),
    "a number instead of settings": write_text(CONFIG, "7"),
    "null instead of settings": write_text(CONFIG, "null"),
    "deep nesting": write_text(CONFIG, nested()),
    "deep nesting within": edit(CONFIG, lambda config: {**config, "model": functools.reduce(lambda a, _: [a], range(500), 0)}),
    "a number of ten thousand digits": write_text(CONFIG, '{"format_version": ' + "9" * 10_000 + "}"),
    "another encoding": lambda run: (run / CONFIG).write_bytes((run / CONFIG).read_text().encode("utf-16")),
    "a changed name of a property": lambda run: (run / CONFIG).write_text(
        (run / CONFIG).read_text().replace('"size"', '"sizf"')
    ),
    "another length": lambda run: (run / CONFIG).write_text(
        (run / CONFIG).read_text().replace('"max_tokens": ', '"max_tokens": 1')
    ),
}
"""What config.json may come to say; all of it is refused."""

RESUMED = {
    "no training settings": put("training", value=None),
    "epochs that are null": put("training", "epochs", value=None),
    "half an epoch": put("training", "epochs", value=2.5),
    "epochs beyond all numbers": put("training", "epochs", value=10**40),
    "epochs in words": put("training", "epochs", value="two"),
    "a batch of nothing": put("training", "batch_size", value=0),
    "a seed that is null": put("training", "seed", value=None),
    "a seed in words": put("training", "seed", value="lucky"),
    "a learning rate of NaN": put("training", "learning_rate", value=float("nan")),
    "threads in words": put("training", "threads", value="all"),
    "a setting that is a list": put("training", "beta", value=[0.1]),
    "a setting nobody knows": put("training", "momentum", value=0.9),
    "an objective that is null": put("training", "objective", value=None),
    "no word of the data": put("data", value=None),
    "a source that is a number": put("data", "source", value=5),
    "targets that are null": put("data", "targets", value=None),
    "a column that is a list": put("data", "smiles_column", value=["smiles"]),
    "counts that are null": put("n_train", value=None),
    "counts in words": put("dropped", value={"empty cell": "many"}),
}
"""What config.json may come to say of the training."""

VOCABULARIES = {
    "two symbols exchanged": lambda run: reorder(run),
    "a symbol less": edit(VOCABULARY, lambda content: {**content, "tokens": content["tokens"][1:]}),
    "a symbol twice": edit(VOCABULARY, lambda content: {**content, "tokens": [content["tokens"][1], *content["tokens"][1:]]}),
    "a symbol of nothing": edit(VOCABULARY, lambda content: {**content, "tokens": ["", *content["tokens"][1:]]}),
    "a symbol that is a number": edit(VOCABULARY, lambda content: {**content, "tokens": [6, *content["tokens"][1:]]}),
    "symbols in one text": edit(VOCABULARY, lambda content: {**content, "tokens": "()1=CNOcl"[: len(content["tokens"])]}),
    "symbols that are null": edit(VOCABULARY, lambda content: {**content, "tokens": None}),
    "no mode": edit(VOCABULARY, lambda content: {"tokens": content["tokens"]}),
    "a mode nobody knows": edit(VOCABULARY, lambda content: {**content, "mode": "bytes"}),
    "a list": edit(VOCABULARY, lambda content: content["tokens"]),
    "deep nesting": write_text(VOCABULARY, nested()),
    "a million symbols": edit(VOCABULARY, lambda content: {**content, "tokens": [f"[{i}]" for i in range(1_000_000)]}),
}


def reorder(run: Path) -> None:
    """Exchange two symbols, so that every molecule becomes another one."""
    content = json.loads((run / VOCABULARY).read_text())
    content["tokens"][:2] = content["tokens"][1::-1]
    (run / VOCABULARY).write_text(json.dumps(content))


TENSORS = {
    "a tensor of NaN": retensor(lambda t: t["decoder.output.weight"].fill_(torch.nan)),
    "one NaN": retensor(lambda t: t["decoder.output.bias"][0].fill_(torch.nan)),
    "an infinity": retensor(lambda t: t["decoder.output.bias"][0].fill_(torch.inf)),
    "integers of eight bits": retensor(lambda t: [set_at(t, name, value.to(torch.int8)) for name, value in t.items()]),
    "one tensor of integers": retensor(lambda t: set_at(t, "decoder.output.bias", t["decoder.output.bias"].to(torch.int32))),
    "a tensor less": retensor(lambda t: t.pop("decoder.output.bias")),
    "a tensor more": retensor(lambda t: set_at(t, "decoder.extra", torch.zeros(3))),
    "a tensor turned round": retensor(lambda t: set_at(t, "decoder.output.weight", t["decoder.output.weight"].T.contiguous())),
    "a tensor without numbers": retensor(lambda t: set_at(t, "decoder.output.bias", torch.zeros(0))),
    "no tensors": retensor(lambda t: t.clear()),
    "a claim to a terabyte": claim_a_terabyte,
    "a claim to a header without end": claim_a_long_header,
    "those of another model": take(WEIGHTS, lambda: trained(1)),
    "those of a larger model": take(WEIGHTS, lambda: trained(0, 6)),
    "those of the prior": lambda run: shutil.copyfile(run / PRIOR, run / WEIGHTS),
}

CHECKPOINTS = {
    "a program": run_a_program,
    "a pickle without an archive": plain_pickle,
    "a list": restate(lambda state: [1, 2]),
    "a text": restate(lambda state: "checkpoint"),
    "nothing": restate(lambda state: {}),
    "other keys": restate(lambda state: {"weights": state["model"], "epoch": 3}),
    "a model of other names": restate(lambda state: {**state, "model": {f"net.{k}": v for k, v in state["model"].items()}}),
    "a model of other shapes": restate(lambda state: {**state, "model": {k: v[..., None] for k, v in state["model"].items()}}),
    "a model that is a list": restate(lambda state: {**state, "model": list(state["model"].values())}),
    "a model of NaN": restate(lambda state: [value.fill_(torch.nan) for value in state["average"].values()] and None),
    "an average of other names": restate(lambda state: {**state, "average": {"x": torch.zeros(3)}}),
    "another optimizer": restate(lambda state: {**state, "optimizer": {"state": {}, "param_groups": []}}),
    "moments of other shapes": restate(lambda state: set_moments(state, torch.zeros(7))),
    "moments of NaN": restate(lambda state: set_moments(state, None)),
    "a learning rate in words": restate(lambda state: state["optimizer"]["param_groups"][0].update(lr="fast")),
    "a short random state": restate(lambda state: {**state, "generator": state["generator"][:9]}),
    "a random state of numbers": restate(lambda state: {**state, "generator": torch.randn(5056)}),
    "steps in words": restate(lambda state: {**state, "n_steps": "many"}),
    "steps of another training": restate(lambda state: {**state, "n_steps": 7}),
    "progress below nothing": restate(lambda state: state["progress"].update(epoch=-1)),
    "progress beyond the epoch": restate(lambda state: state["progress"].update(batch=10**9)),
    "progress in words": restate(lambda state: state["progress"].update(step="three")),
    "progress that is null": restate(lambda state: state["progress"].update(elapsed_s=None)),
    "progress of other names": restate(lambda state: {**state, "progress": {"iteration": 3}}),
    "rows that are numbers": restate(lambda state: state["progress"].update(rows=[1, 2])),
    "an objective that is a list": restate(lambda state: {**state, "objective": [1]}),
    "the checkpoint of another run": take(TRAINER, lambda: trained(1)),
    "the checkpoint of a larger model": take(TRAINER, lambda: trained(0, 6)),
}


def set_moments(state: dict[str, Any], value: torch.Tensor | None) -> None:
    """Exchange what the optimizer keeps of a parameter; None fills it with NaN."""
    held = state["optimizer"]["state"][0]
    held["exp_avg"] = held["exp_avg"].fill_(torch.nan) if value is None else value


def ignored() -> list[Fault]:
    """What does not matter, or is only older."""
    table = {
        "metrics.csv of words": write_text(METRICS, "epoch,valid_kl\none,two\n"),
        "metrics.csv of uneven rows": write_text(METRICS, "a,b\n1\n1,2,3,4\n"),
        "metrics.csv that is no text": lambda run: (run / METRICS).write_bytes(b"\xff\xfe\x00epoch"),
        "environment.json that is a list": write_text(ENVIRONMENT, "[]"),
        "a report that is damaged": write_text("report.json", "{"),
        "files nobody knows": write_text("notes.txt", "mine"),
        "a folder of an earlier version": forget_sums,
        "config.json in another order and without indents": lambda run: (run / CONFIG).write_text(
            json.dumps(dict(reversed(json.loads((run / CONFIG).read_text()).items())))
        ),
        "vocabulary.json with other line ends": lambda run: (run / VOCABULARY).write_bytes(
            (run / VOCABULARY).read_bytes().replace(b"\n", b"\r\n")
        ),
        "keys nobody knows": put("colour", value="blue"),
        "the checksum of the exchange that a kill interrupted": half_exchanged,
    }
    return [fault(name, damage, None, "predict", "sample") for name, damage in table.items()]


def half_exchanged(run: Path) -> None:
    """Leave config.json as it is while a file is exchanged: it knows the new one and the one that is still there."""
    config = json.loads((run / CONFIG).read_text())
    config["sha256"][WEIGHTS] = ["0" * 64, config["sha256"][WEIGHTS]]
    (run / CONFIG).write_text(json.dumps(config))


def programs_are_not_run(folder: Path) -> list[str]:
    """A planted program in every tensor file is not run, by any command."""
    run = shutil.copytree(trained(), folder / "run")
    run_a_program(run)
    for name in (WEIGHTS, PRIOR):
        shutil.copyfile(run / TRAINER, run / name)
    endings = [chemvae_here(*words) for words in commands(run).values()]
    return [finding for one in endings for finding in said(one, "run")] + (["it was run"] if (run / "was-run").exists() else [])


def unreadable(name: str, folder: Path) -> list[str]:
    """A file that may not be read is named; root, who reads it all the same, gets the answers of the whole folder."""
    return act(only_the_owner(name), f"{name}?", ("predict",), folder)


def own_process(damage: Damage, file: str, command: str, folder: Path) -> list[str]:
    """As :func:`act`, in a process of its own."""
    run = shutil.copytree(trained(), folder / "run")
    damage(run)
    return refused(chemvae(*commands(run)[command], cwd=folder), file)


FAULTS = [
    *damages_of_files(),
    *missing(),
    *(fault(f"config.json says {name}", damage, CONFIG) for name, damage in SETTINGS.items()),
    *(fault(f"config.json of a run to resume says {name}", damage, CONFIG, "resume") for name, damage in RESUMED.items()),
    *(
        fault(f"vocabulary.json has {name}", damage, VOCABULARY, short="million" not in name)
        for name, damage in VOCABULARIES.items()
    ),
    *(fault(f"weights: {name}", damage, WEIGHTS) for name, damage in TENSORS.items()),
    *(fault(f"trainer.pt: {name}", damage, TRAINER, "resume") for name, damage in CHECKPOINTS.items()),
    *ignored(),
    fault("weights and prior exchanged", swap(WEIGHTS, PRIOR), ".safetensors"),
    fault("config.json and vocabulary.json exchanged", swap(CONFIG, VOCABULARY), CONFIG),
    fault("config.json of another model of these sizes", take(CONFIG, lambda: trained(1)), "sha256"),
    fault("config.json of a larger model", take(CONFIG, lambda: trained(0, 6)), ".json"),
    fault("the prior of another model", take(PRIOR, lambda: trained(1)), PRIOR),
    fault("a prior of NaN", retensor(lambda t: t["priors.learned.means"].fill_(torch.nan), PRIOR), PRIOR),
    *(Fault(f"{name} may not be read", functools.partial(unreadable, name)) for name in READ_BY_ALL),
    Fault("a program in every tensor file", programs_are_not_run, short=False),
    fault("metrics.csv of words, when it is evaluated", write_text(METRICS, "a,b\nx,y\nx,y\n"), None, "evaluate", short=False),
    fault("a damaged model to start from", flip(WEIGHTS, 3), WEIGHTS, "init", short=False),
    *(
        Fault(f"in a process of its own: {name}", functools.partial(own_process, damage, file, command), short=False)
        for name, damage, file, command in (
            ("a decoder of ten million units", SETTINGS["a decoder of ten million units"], CONFIG, "predict"),
            ("a flipped bit in the weights", flip(WEIGHTS, 1), WEIGHTS, "sample"),
            ("a planted program", run_a_program, TRAINER, "resume"),
        )
    ),
]
