"""The run folder: the only file that knows its file names. A crash loses none of them.

``config.json``, ``environment.json``, ``vocabulary.json``, ``metrics.csv``, ``model.safetensors``, ``trainer.pt``,
``prior.safetensors``, ``training_index.parquet``, ``report.json``. A run folder can be moved, zipped, mailed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from chemvae.errors import RunFolderError
from chemvae.files import clear_leftovers, write_atomically
from chemvae.locks import held
from chemvae.staging import Stage

FORMAT_VERSION = 1
NEEDED = ("config.json", "vocabulary.json", "model.safetensors")
OWN = (*NEEDED, "environment.json", "metrics.csv", "trainer.pt", "prior.safetensors", "training_index.parquet", "tensorboard")
"""What a new run in the folder replaces; whatever else lies there stays."""
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
        return RunFolder(self.path, is_successor=True)

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
        try:
            yield self.successor()
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
                remedy = f"If its training was ended early, go on with: chemvae train --resume -o {self.path}"
            raise RunFolderError(self.path, f"lacks {', '.join(missing)}.", remedy)

    def is_only_begun(self) -> bool:
        """Whether training was ended before its first checkpoint: nothing is there but what was asked."""
        learned = ("trainer.pt", "model.safetensors", "prior.safetensors", "training_index.parquet")
        return self.exists() and not any(self.has(name) for name in learned) and not len(self.read_metrics())

    # ---------------------------------------------------------------- JSON

    def read_json(self, name: str) -> Any:
        """Read one JSON file of the folder; RunFolderError if it is missing or damaged."""
        try:
            return json.loads(self.file(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunFolderError(self.path, f"lacks {name}.", "Copy the whole folder again.") from None
        except (ValueError, UnicodeDecodeError) as error:
            raise RunFolderError(
                self.path, f"has a damaged {name} ({error}).", "Copy the file again from its origin."
            ) from None

    def write_config(self, config: dict) -> None:
        write_json(self.file("config.json"), {"format_version": FORMAT_VERSION, **config})

    def read_config(self) -> dict:
        """Return ``config.json``; RunFolderError if a newer chemvae wrote it."""
        config = self.read_json("config.json")
        version = config.get("format_version") if isinstance(config, dict) else None
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise RunFolderError(
                self.path, f"has format version {version}; this chemvae reads up to {FORMAT_VERSION}.", "Update chemvae."
            )
        return config

    def write_vocabulary(self, content: dict) -> None:
        write_json(self.file("vocabulary.json"), content)

    def write_report(self, report: dict) -> None:
        write_json(self.file("report.json"), report)

    def write_environment(self) -> None:
        """Record versions, machine and command."""
        write_json(self.file("environment.json"), environment())

    # ---------------------------------------------------------------- tensors

    def write_tensors(self, name: str, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
        """Write a ``.safetensors`` file."""
        plain = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
        write_atomically(self.file(name), lambda temporary: save_file(plain, temporary, metadata))

    def read_tensors(self, name: str) -> dict[str, Tensor]:
        """Read a ``.safetensors`` file; RunFolderError if it is missing or truncated."""
        path = self.file(name)
        if not path.exists():
            raise RunFolderError(self.path, f"lacks {name}.", "Copy the whole folder again.")
        try:
            return load_file(path)
        except Exception as error:  # safetensors raises its own bare type
            raise RunFolderError(
                self.path, f"has a damaged {name} ({error}).", "Copy the file again from its origin."
            ) from None

    def has(self, name: str) -> bool:
        return self.file(name).exists()

    def write_trainer(self, state: dict) -> None:
        """Write what resuming needs; plain tensors and numbers only, so that reading executes nothing."""

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:  # torch's own file says nothing of why it could not be written
                torch.save(state, file)

        write_atomically(self.file("trainer.pt"), write)

    def read_trainer(self) -> dict:
        """Read the trainer's state; RunFolderError if there is none or it is damaged."""
        path = self.file("trainer.pt")
        if not path.exists():
            raise RunFolderError(self.path, "has no trainer.pt to resume from.", "Start anew without --resume.")
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises several types for a damaged file
            reason = str(error).splitlines()[0]
            raise RunFolderError(self.path, f"has a damaged trainer.pt ({reason}).", "Start anew without --resume.") from None

    # ---------------------------------------------------------------- tables

    def write_metrics(self, rows: list[dict]) -> None:
        write_atomically(self.file("metrics.csv"), lambda temporary: pd.DataFrame(rows).to_csv(temporary, index=False))

    def read_metrics(self) -> pd.DataFrame:
        path = self.file("metrics.csv")
        return pd.read_csv(path) if path.exists() and path.stat().st_size > 1 else pd.DataFrame()

    def write_training_index(self, hashes: np.ndarray) -> None:
        """Keep the sorted hashes of the training molecules, for novelty."""
        frame = pd.DataFrame({"hash": np.sort(hashes)})
        write_atomically(self.file("training_index.parquet"), lambda temporary: frame.to_parquet(temporary, index=False))

    def read_training_index(self) -> np.ndarray | None:
        path = self.file("training_index.parquet")
        if not path.exists():
            return None
        try:
            return pd.read_parquet(path)["hash"].to_numpy()
        except (pyarrow.ArrowException, OSError, KeyError) as error:
            remedy = "Copy it again, or delete it to do without novelty."
            raise RunFolderError(self.path, f"has a damaged training_index.parquet ({error}).", remedy) from None


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
