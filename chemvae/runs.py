"""The run folder: the only file that knows its file names. A crash loses none of them.

``config.json``, ``environment.json``, ``vocabulary.json``, ``metrics.csv``, ``model.safetensors``, ``trainer.pt``,
``prior.safetensors``, ``labels.safetensors``, ``trees.safetensors``, ``training_index.parquet``, ``report.json``. A run folder
can be moved, zipped, mailed.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import torch
from safetensors.torch import load_file
from torch import Tensor

from chemvae.disk import run_checks
from chemvae.disk.checksums import file_sha256, json_sha256
from chemvae.disk.csv_tables import read_csv
from chemvae.disk.files import clear_leftovers, write_atomically
from chemvae.disk.locks import held
from chemvae.disk.run_checks import FORMAT_VERSION
from chemvae.disk.staging import Stage
from chemvae.disk.tensor_files import Facts, facts_in, misfit, not_finite, read_checkpoint, save_checkpoint, save_tensors
from chemvae.errors import ChemVAEError, RunFolderError, command_line

log = logging.getLogger(__name__)
NEEDED = ("config.json", "vocabulary.json", "model.safetensors")
FITTED = ("prior.safetensors", "labels.safetensors", "trees.safetensors", "training_index.parquet")
OWN = (*NEEDED, "environment.json", "metrics.csv", "trainer.pt", *FITTED, "tensorboard")
"""What a new run in the folder replaces; whatever else lies there stays."""
FURTHER_FACTS: dict[str, Callable[[], Any]] = {}
"""What other rooms add to :func:`environment`, by key."""
RECORDED_PACKAGES = ("chemvae", "torch", "rdkit", "numpy", "pandas", "scikit-learn", "botorch", "lightning-fabric")


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, indented, NaN as null."""
    text = json.dumps(_plain(content), indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    return str(value) if isinstance(value, Path) else value


class RunFolder:
    """One run on disk.

    Parameters
    ----------
    path : Path or str
        Need not exist yet.
    is_successor : bool
        Work with the run that is to take the place of the one in the folder: it gathers in a corner of it, and
        :meth:`take_over` puts it in place as a whole.
    """

    def __init__(self, path: Path | str, *, is_successor: bool = False):
        self.path, self.is_successor = Path(path), is_successor
        self.resumed_at = self.path  # the folder that a user names to go on with it; a stage's is its recipe's
        self._stage = Stage(self.path)

    def __repr__(self) -> str:
        return f"RunFolder('{self.path}')"

    def file(self, name: str) -> Path:
        """Where a file of the run is, or is to be."""
        return self._stage.making / name if self.is_successor else self._stage.find(name)

    def exists(self) -> bool:
        return self.file("config.json").exists()

    # ---------------------------------------------------------------- one writer, and one run after another

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other programs from writing here, and put in order what a killed one has left.

        Raises
        ------
        BusyFolderError
            If another one does, naming it.
        """
        with held(self.path):
            self._stage.settle()
            if not self.successor().exists():
                self._stage.discard()
            for name in OWN:
                clear_leftovers(self.file(name))
            yield

    def successor(self) -> RunFolder:
        """The run that is to take this one's place."""
        made = RunFolder(self.path, is_successor=True)
        made.resumed_at = self.resumed_at
        return made

    def unfinished(self) -> RunFolder:
        """The successor where one was begun, else this run: what is being trained here, or was last."""
        return self.successor() if self.successor().exists() else self

    def begin(self) -> None:
        """Make an empty place for a successor."""
        self._stage.begin()

    def take_over(self) -> None:
        """Put a successor that is whole in the place of the run before it."""
        self._stage.finish(OWN)
        self.is_successor = False

    @contextmanager
    def all_at_once(self) -> Iterator[RunFolder]:
        """Give the folder to write several files to that belong together: they appear in the end, all or none."""
        if self.is_successor:
            yield self
            return
        self._stage.begin()
        together = self.successor()
        try:
            if self.exists():  # it knows the checksums of the files beside it, and changes with them
                write_json(together.file("config.json"), self.read_json("config.json"))
            yield together
            self._stage.finish()
        finally:
            self._stage.discard()

    # ---------------------------------------------------------------- what must be there

    def check(self) -> None:
        """Raise RunFolderError if this is not a run folder or a needed file is missing."""
        if not self.path.exists():
            near = sorted(p.parent.name for p in self.path.parent.glob("*/config.json")) if self.path.parent.exists() else []
            hint = f"Runs beside it: {', '.join(near)}." if near else "Train one with: chemvae train DATA -o RUN."
            raise RunFolderError(self.path, "does not exist.", hint)
        missing = [name for name in NEEDED if not self.file(name).exists()]
        if missing:
            remedy = "Copy the whole folder again, or train anew with: chemvae train DATA -o RUN."
            if missing == ["model.safetensors"] and self.exists():
                remedy = f"If its training was ended early, go on with: {command_line('train', '--resume', '-o', self.path)}"
            raise RunFolderError(self.path, f"lacks {', '.join(missing)}.", remedy)

    def is_only_begun(self) -> bool:
        """Whether training was ended before its first checkpoint: nothing is there but what was asked."""
        learned = ("trainer.pt", "model.safetensors", *FITTED)
        return self.exists() and not any(self.has(name) for name in learned) and not len(self.read_metrics())

    # ---------------------------------------------------------------- JSON

    def read_json(self, name: str) -> Any:
        """Read one JSON file of the folder; RunFolderError if it is missing or damaged."""
        return run_checks.read_json(self.file(name).parent, name)

    def write_config(self, config: dict) -> None:
        """Write ``config.json``, with the sha256 of what decides the model's answers, and of the vocabulary if it is there."""
        content = {"format_version": FORMAT_VERSION, **_plain(config)}
        sums = {"config.json": run_checks.deciding_sha256(content)}
        if self.has("vocabulary.json"):
            sums["vocabulary.json"] = self._sha256("vocabulary.json")
        write_json(self.file("config.json"), {**content, "sha256": {**content.get("sha256", {}), **sums}})

    def read_config(self) -> dict:
        """Return ``config.json``; RunFolderError if it is damaged, or a newer chemvae wrote it."""
        config = self.read_json("config.json")
        run_checks.check_config(self.path, config)
        return config

    def write_vocabulary(self, content: dict) -> None:
        self._write_recorded("vocabulary.json", lambda temporary: write_json(temporary, content))

    def read_vocabulary(self) -> Any:
        """Return what ``vocabulary.json`` holds; RunFolderError if it is missing, damaged, or another one than was written."""
        content = self.read_json("vocabulary.json")
        self._verify("vocabulary.json")
        return content

    def write_report(self, report: dict) -> None:
        write_json(self.file("report.json"), report)

    def write_environment(self) -> None:
        """Record versions, machine and command."""
        write_json(self.file("environment.json"), environment())

    # ---------------------------------------------------------------- checksums

    def _write_recorded(self, name: str, write: Callable[[Path], Any]) -> None:
        """Write a file, and its sha256 into config.json, which at any moment knows the file that is there."""

        def write_and_record(temporary: Path) -> None:
            write(temporary)
            self._record(name, self._sha256(name, temporary), self._present(name))

        write_atomically(self.file(name), write_and_record)
        if len(self._recorded(name)) > 1:
            self._record(name, self._recorded(name)[0])

    def _present(self, name: str) -> list[str]:
        """The sha256 of the file that is there now, as recorded; of one that no config.json knows, as found."""
        return self._recorded(name)[:1] or ([self._sha256(name)] if self.file(name).is_file() else [])

    def _record(self, name: str, new: str, old: list[str] | tuple = ()) -> None:
        """Let config.json know a file's sha256, and while it is exchanged that of the one before; without a config nothing."""
        try:
            config = self.read_json("config.json")
            sums = {**config.get("sha256", {}), name: [new, *old] if old and old[0] != new else new}
        except (ChemVAEError, AttributeError, TypeError):
            return
        write_json(self.file("config.json"), {**config, "sha256": sums})

    def _recorded(self, name: str) -> list[str]:
        """What config.json says the sha256 of a file is; nothing in folders of earlier versions."""
        try:
            return run_checks.recorded_sums(self.read_json("config.json"), name)
        except ChemVAEError:
            return []

    def _sha256(self, name: str, path: Path | None = None) -> str:
        """The sha256 of a file's bytes, or of what it says where it is JSON."""
        path = path or self.file(name)
        return json_sha256(run_checks.read_json(path.parent, path.name)) if name.endswith(".json") else file_sha256(path)

    def _verify(self, name: str) -> None:
        """Refuse a file that is another one than config.json knows; it may be exchanged while it is read."""
        before = self._recorded(name)
        if before and self._sha256(name) not in {*before, *self._recorded(name)}:
            problem = f"has a {name} that is not the one it was saved with (its sha256 differs from that in config.json)."
            raise RunFolderError(self.path, problem, "Copy the whole folder again from its origin.")

    # ---------------------------------------------------------------- tensors

    def write_tensors(self, name: str, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
        """Write a ``.safetensors`` file."""
        self._write_recorded(name, lambda temporary: save_tensors(temporary, tensors, metadata))

    def check_tensors(self, name: str, expected: Facts) -> None:
        """Refuse a ``.safetensors`` file whose header does not say what is expected; no tensor is read."""
        path = run_checks.plain_file(self.file(name).parent, name)
        try:
            problem = misfit(facts_in(path), expected)
        except Exception as error:  # safetensors raises its own bare type
            raise run_checks.damaged(self.path, name, error) from None
        if problem:
            problem = f"has a {name} that does not fit its config.json and vocabulary.json ({problem})."
            raise RunFolderError(self.path, problem, "Copy all three from one run.")

    def read_tensors(self, name: str, expected: Facts | None = None, gaps: tuple[str, ...] = ()) -> dict[str, Tensor]:
        """Read a ``.safetensors`` file.

        Parameters
        ----------
        name : str
        expected : mapping of name to (type, shape), optional
            What its header must say, before anything is read.
        gaps : tuple of str
            Tensors that may hold rows of NaN; all else must be finite.

        Raises
        ------
        RunFolderError
            If it is missing, damaged, or another one than was written.
        """
        if expected is not None:
            self.check_tensors(name, expected)
        path = run_checks.plain_file(self.file(name).parent, name)
        self._verify(name)
        try:
            tensors = load_file(path)
        except Exception as error:  # safetensors raises its own bare type
            raise run_checks.damaged(self.path, name, error) from None
        if (spoilt := not_finite(tensors, gaps)) is not None:
            raise run_checks.damaged(self.path, name, f"'{spoilt}' holds numbers that are none")
        return tensors

    def has(self, name: str) -> bool:
        """Whether there is a file of this name, or a link, wherever it leads."""
        return os.path.lexists(self.file(name))

    def warn_of_lost(self, *names: str) -> None:
        """Say which files that config.json knows are gone, of those that a model can do without."""
        for name in names:
            if not self.has(name) and self._recorded(name):
                log.warning("The run folder '%s' lacks %s, which it was saved with: done without it.", self.path, name)

    def write_trainer(self, state: dict) -> None:
        """Write what resuming needs; plain tensors and numbers only, so that reading executes nothing."""
        self._write_recorded("trainer.pt", lambda temporary: save_checkpoint(temporary, state))

    def read_trainer(self) -> dict:
        """Read the trainer's state; RunFolderError if there is none or it is damaged."""
        if not self.has("trainer.pt"):
            raise RunFolderError(self.path, "has no trainer.pt to resume from.", "Start anew without --resume.")
        path = run_checks.plain_file(self.file("trainer.pt").parent, "trainer.pt")
        try:
            self._verify("trainer.pt")
            return read_checkpoint(path)
        except OSError as error:
            raise run_checks.cannot_be_read(self.path, "trainer.pt", error) from None
        except ValueError as error:
            raise run_checks.damaged(self.path, "trainer.pt", error, "Start anew without --resume.") from None

    # ---------------------------------------------------------------- tables

    def write_metrics(self, rows: list[dict]) -> None:
        write_atomically(self.file("metrics.csv"), lambda temporary: pd.DataFrame(rows).to_csv(temporary, index=False))

    def read_metrics(self) -> pd.DataFrame:
        """Return ``metrics.csv``, one row per epoch; empty if there is none, and with a warning if it is damaged."""
        path = self.file("metrics.csv")
        if not path.exists() or not path.is_file() or path.stat().st_size <= 1:
            return pd.DataFrame()
        try:
            table = read_csv(path)
            if len(table) and not (table.dtypes.map(pd.api.types.is_numeric_dtype).all() and "epoch" in table):
                raise ValueError("it holds other things than numbers by epoch")
        except (OSError, ValueError) as error:
            log.warning("%s is damaged (%s): done without it.", path, run_checks.first_line(error))
            return pd.DataFrame()
        return table

    def write_training_index(self, hashes: np.ndarray) -> None:
        """Keep the sorted hashes of the training molecules, for novelty."""
        frame = pd.DataFrame({"hash": np.sort(hashes)})
        self._write_recorded("training_index.parquet", lambda temporary: frame.to_parquet(temporary, index=False))

    def read_training_index(self) -> np.ndarray | None:
        if not self.has("training_index.parquet"):
            return None
        remedy = "Copy it again, or delete it to do without novelty."
        path = run_checks.plain_file(self.file("training_index.parquet").parent, "training_index.parquet")
        self._verify("training_index.parquet")
        try:
            column = pyarrow.parquet.read_table(path, columns=["hash"])["hash"]
        except Exception as error:  # whatever a damaged file makes the reader raise
            raise run_checks.damaged(self.path, "training_index.parquet", error, remedy) from None
        if column.type != pyarrow.uint64() or column.null_count:
            why = f"it holds {column.type} and {column.null_count} gaps instead of hashes"
            raise run_checks.damaged(self.path, "training_index.parquet", why, remedy)
        return column.to_numpy()


def environment() -> dict:
    """Describe where a result comes from: versions, commit, machine, command."""
    versions = {}
    for package in RECORDED_PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor_name(),
        "cores": os.cpu_count(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "commit": _commit(),
        **{name: describe() for name, describe in FURTHER_FACTS.items()},
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    except OSError:
        return platform.processor()


def _commit() -> str | None:
    """The commit of the source checkout, None for an installed package."""
    source = Path(__file__).resolve().parent
    command = ["git", "-C", str(source), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
