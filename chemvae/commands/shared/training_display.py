"""What ``chemvae train`` lets the trainer tell: progress on the screen, validity per epoch, TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chemvae.commands.shared import console
from chemvae.errors import MissingExtraError
from chemvae.runs import RunFolder
from chemvae.sampling import sample
from chemvae.training import Callback
from chemvae.training.callbacks import STEP_FACTS

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

LINE_EVERY_S = 60.0
VALIDITY_SAMPLES = 500
_SHORT = {"cross_entropy": "CE", "kl": "KL"}
_BESIDE = ("property_nll", "noised", "points")
_EPOCH_COLUMNS = (
    ("reconstruction", "valid_reconstruction_greedy", "{:.1%}"),
    ("KL", "valid_kl", "{:.1f} nats"),
    ("CE", "valid_cross_entropy", "{:.2f} nats"),
    ("active units", "valid_active_units", "{:.0%}"),
    ("valid samples", "validity_prior_greedy", "{:.1%}"),
)


class Lines(Callback):
    """A line every minute and after each epoch: what is shown where nothing may move.

    Parameters
    ----------
    run : Path
        Its config.json, written before the first step, says how many molecules and epochs there are.
    every_s : float
    """

    def __init__(self, run: Path, every_s: float = LINE_EVERY_S):
        self.run, self.due, self.n_epochs = run, console.Every(every_s), 0
        self.stage = ""

    def on_step(self, info: dict[str, float]) -> None:
        if not self.n_epochs:
            self.begin()
        self.show(info)

    def begin(self) -> None:
        """Say what is trained on."""
        config = being_trained(self.run).read_config()
        self.n_epochs = config["training"]["epochs"]
        dropped = ", ".join(f"{reason}: {count:,}" for reason, count in config.get("dropped", {}).items() if count)
        console.say(
            f"Training on {config['n_train']:,} molecules, measuring on {config['n_valid']:,} others."
            + (f" Left out: {dropped}." if dropped else "")
        )

    def show(self, info: dict[str, float]) -> None:
        """Show where training stands."""
        if self.due():
            speed = f"{info['molecules_per_s']:,.0f} molecules/s, {console.duration(info['eta_s'])} left"
            console.say(
                f"epoch {info['epoch']}/{self.n_epochs}, step {info['step']:,}/{info['n_steps']:,}: {losses(info)}, {speed}"
            )

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        console.say(epoch_line(row, self.n_epochs))

    def on_stage(self, name: str, number: int, n_stages: int) -> None:
        """Say which stage of a recipe begins."""
        self.stage = f"stage {number}/{n_stages}, {name}"
        console.say(f"{self.stage[0].upper()}{self.stage[1:]}")

    def on_tuning(self, row: dict[str, float]) -> None:
        if self.due():
            console.say(f"{self.stage}: {tuning_facts(row)}, {console.duration(row['eta_s'])} left")


class Bar(Lines):
    """A bar that moves from the first step to the last, with a line above it after each epoch."""

    def __init__(self, run: Path, progress: Any, before: str = ""):
        super().__init__(run)
        self.progress, self.reconstruction = progress, ""
        self.task = progress.add_task(before, total=None, facts="")
        if before:
            progress.start()

    def begin(self) -> None:
        super().begin()
        self.progress.start()

    def show(self, info: dict[str, float]) -> None:
        speed = f"{info['molecules_per_s']:,.0f} mol/s"
        facts = f"{losses(info)}{self.reconstruction}  {speed}  {console.duration(info['eta_s'])} left"
        words = f"epoch {info['epoch']}/{self.n_epochs}"
        self.progress.update(self.task, description=words, total=info["n_steps"], completed=info["step"], facts=facts)

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        self.reconstruction = f"  rec {row['valid_reconstruction_greedy']:.0%}"
        super().on_epoch(row, model)
        if row["epoch"] == self.n_epochs and not self.stage:
            self.progress.stop()

    def on_tuning(self, row: dict[str, float]) -> None:
        facts = f"{tuning_facts(row)}  {console.duration(row['eta_s'])} left"
        self.progress.update(self.task, description=self.stage, total=None, facts=facts)


def being_trained(run: Path) -> RunFolder:
    """The folder that says what is trained: a run's own, or that of the first stage of its recipe."""
    stages = run / "stages"
    first = sorted(stages.glob("*/config.json"), key=lambda path: path.stat().st_mtime)[:1]
    return RunFolder(first[0].parent) if first else RunFolder(run).unfinished()


def tuning_facts(row: dict[str, float]) -> str:
    """What a stage that tunes has reached.

    Examples
    --------
    >>> tuning_facts({"round": 20, "valid": 0.91, "told": 0.4, "elapsed_s": 3.0, "eta_s": 9.0})
    'round 20, valid 0.91, told 0.4'
    """
    return ", ".join(f"{name} {value:.3g}" for name, value in row.items() if name not in ("elapsed_s", "eta_s"))


def losses(info: dict[str, float]) -> str:
    """The loss and its parts, by the names the objective gives them; what only goes beside it is left out.

    Examples
    --------
    >>> losses({"step": 20, "loss": 23.14, "cross_entropy": 20.0, "kl": 18.2, "property_nll": 1.2})
    'loss 23.1  CE 20.0  KL 18.2 nats'
    >>> losses({"step": 20, "loss": 23.14, "iwae": -23.14})
    'loss 23.1  iwae -23.1 nats'
    """
    shown = [name for name in info if name not in STEP_FACTS and name not in _BESIDE]
    parts = [f"{_SHORT.get(name, name)} {info[name]:.1f}" for name in shown]
    return "  ".join([f"loss {info['loss']:.1f}", *parts]) + " nats"


def epoch_line(row: dict[str, float], n_epochs: int) -> str:
    """What an epoch reached, on held-out molecules: what is measured of every model, and the objective's own parts."""
    parts = [f"{name} {form.format(row[key])}" for name, key, form in _EPOCH_COLUMNS if key in row]
    known = {"loss", *_SHORT, *_BESIDE}
    own = [name for key in row if (name := key.removeprefix("train_")) != key and name not in known and f"valid_{name}" in row]
    parts += [f"{name} {row[f'valid_{name}']:.2f} nats" for name in own]
    return (
        f"epoch {row['epoch']:>{len(str(n_epochs))}}/{n_epochs}  "
        + "  ".join(parts)
        + f"  {console.duration(row['elapsed_s'])}"
    )


@contextmanager
def progress(run: Path, before: str = "", *, is_first: bool = True) -> Iterator[list[Callback]]:
    """Give the callback that shows training: a bar on a terminal, lines elsewhere, nothing under -q.

    Parameters
    ----------
    run : Path
    before : str
        What happens until the first step, in words; shown at once.
    is_first : bool
        Another process of the same training shows nothing.
    """
    if console.is_quiet() or not is_first:
        yield []
    elif not console.is_live():
        console.say(before) if before else None
        yield [Lines(run)]
    else:
        from rich.progress import BarColumn, Progress, TextColumn

        facts = TextColumn("{task.fields[facts]}")
        columns = TextColumn("{task.description}"), BarColumn(bar_width=16), facts
        bar = Progress(*columns, console=console.console(), transient=True)
        try:
            yield [Bar(run, bar, before)]
        finally:
            bar.stop()


class PriorValidity(Callback):
    """Adds to each epoch the share of 500 greedy decodes of N(0, I) that are molecules."""

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        found = sample(model, VALIDITY_SAMPLES, seed=0, temperature=0.0, prior="normal")
        row["validity_prior_greedy"] = float(found["valid"].mean())


class TensorBoard(Callback):
    """Writes every number the trainer tells as a TensorBoard scalar.

    Parameters
    ----------
    folder : Path
        In a run's folder, and of the run that is trained there.
    writer : SummaryWriter, optional
        Made for the folder at the first number if not given.

    Raises
    ------
    MissingExtraError
        If tensorboard is not installed.
    """

    def __init__(self, folder: Path, writer: Any = None):
        self.folder, self._writer = Path(folder), writer
        self._kind: Any = _summary_writer() if writer is None else None  # tensorboard's types are not there without it

    @property
    def writer(self) -> Any:
        """The SummaryWriter."""
        if self._writer is None:
            self._writer = self._kind(str(RunFolder(self.folder.parent).unfinished().file(self.folder.name)))
        return self._writer

    def on_step(self, info: dict[str, float]) -> None:
        for name in info.keys() - {"step", "n_steps", "eta_s"}:
            self.writer.add_scalar(f"step/{name}", info[name], info["step"])

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        for name in row.keys() - {"epoch", "step"}:
            self.writer.add_scalar(f"epoch/{name}", row[name], row["step"])
        self.writer.flush()


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtraError("tensorboard", "tensorboard", "--tensorboard") from None
    return SummaryWriter
