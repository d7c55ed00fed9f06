"""What the files of a run folder must be before they are believed: plain files, JSON of the right kind, a known version."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chemvae.disk.checksums import json_sha256
from chemvae.errors import RunFolderError

FORMAT_VERSION = 1
MOST_TOKENS = 100_000
LARGEST_JSON_BYTES = 64 * 1024**2
DECIDING = ("model", "properties", "max_tokens")
"""Parts of config.json whose sha256 is kept: a change in them would pass as another answer."""
AGAIN = "Copy the file again from its origin."


def plain_file(folder: Path, name: str, largest: int | None = None) -> Path:
    """Return the path of a file of a run folder.

    Raises
    ------
    RunFolderError
        If it is not there, no file (a folder, a pipe, a device, a link that leads nowhere), or absurdly large.
    """
    path = folder / name
    if path.is_symlink() and not path.exists():
        raise RunFolderError(folder, f"has a {name} that is a link to nothing.", AGAIN)
    if not path.exists():
        raise RunFolderError(folder, f"lacks {name}.", "Copy the whole folder again.")
    if not path.is_file():
        raise RunFolderError(folder, f"has a {name} that is no file.", AGAIN)
    if largest is not None and path.stat().st_size > largest:
        raise RunFolderError(folder, f"has a {name} of {path.stat().st_size:,} bytes, which is none of ours.", AGAIN)
    return path


def read_json(folder: Path, name: str) -> Any:
    """Read one JSON file of a run folder; RunFolderError if it is missing or damaged."""
    path = plain_file(folder, name, LARGEST_JSON_BYTES)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise damaged(folder, name, "it is nested too deeply") from None
    except OSError as error:
        raise cannot_be_read(folder, name, error) from None
    except ValueError as error:
        raise damaged(folder, name, error) from None


def damaged(folder: Path, name: str, why: object, remedy: str = AGAIN) -> RunFolderError:
    """The error for a file that is not what was written."""
    return RunFolderError(folder, f"has a damaged {name} ({first_line(why)}).", remedy)


def cannot_be_read(folder: Path, name: str, error: OSError) -> RunFolderError:
    """The error for a file that the system does not hand out."""
    words = error.strerror or first_line(error)
    return RunFolderError(folder, f"has a {name} that cannot be read ({words}).", "Change who may read it, or copy it again.")


def first_line(why: object) -> str:
    """The first line of an error's words, without its full stop."""
    return (str(why).splitlines() or [type(why).__name__])[0][:200].rstrip(".")


# config.json ----------------------------------------------------------------------------------------------------------------


def is_count(value: Any) -> bool:
    """Whether this is a whole number from 0 on, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _texts(value: Any, *, or_none: bool = False) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) or (or_none and one is None) for one in value.values())


def _is_origin(value: Any) -> bool:
    """Whether config.json says in the right words what was trained on."""
    if not isinstance(value, dict):
        return False
    optional = all(isinstance(value.get(name), (str, type(None))) for name in ("source", "smiles_column", "split_column"))
    always = all(isinstance(value.get(name, ""), str) for name in ("on_invalid", "standardize"))
    targets = value.get("targets", [])
    return optional and always and isinstance(targets, list) and all(isinstance(name, str) for name in targets)


def _is_sums(value: Any) -> bool:
    """Whether these are checksums by name: one, or two while a file is exchanged."""
    sums = [one for held in value.values() for one in _as_list(held)] if isinstance(value, dict) else [None]
    return all(isinstance(one, str) and re.fullmatch("[0-9a-f]{64}", one) for one in sums)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_COUNTS = ("counts by name", lambda value: isinstance(value, dict) and all(map(is_count, value.values())))
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "model": ("settings by name", lambda value: isinstance(value, dict)),
    "properties": ("units by name", lambda value: _texts(value, or_none=True)),
    "max_tokens": (f"a whole number from 1 to {MOST_TOKENS:,}", lambda value: is_count(value) and 1 <= value <= MOST_TOKENS),
    "training": ("settings by name", lambda value: isinstance(value, dict)),
    "data": ("a source, its columns and how they are read", _is_origin),
    "init": ("a model or null", lambda value: isinstance(value, (str, type(None)))),
    "n_train": ("a count", is_count),
    "n_valid": ("a count", is_count),
    "dropped": _COUNTS,
    "labels_missing": _COUNTS,
    "labels_not_numeric": _COUNTS,
    "sha256": ("checksums by file", _is_sums),
}
"""What config.json may say, by key; other keys are nobody's concern."""


def check_config(folder: Path, config: Any) -> None:
    """Refuse a config.json of another version, with a value of the wrong kind, or changed where it decides the answers."""
    if not isinstance(config, dict):
        raise damaged(folder, "config.json", f"it holds a {type(config).__name__}, no settings by name")
    _check_version(folder, config.get("format_version"))
    for name, (words, is_right) in KINDS.items():
        if name in config and not is_right(config[name]):
            raise damaged(folder, "config.json", f"{name} is {_shown(config[name])}, not {words}")
    known = recorded_sums(config, "config.json")
    if known and deciding_sha256(config) not in known:
        raise RunFolderError(
            folder, "has a config.json whose settings are not those it was saved with (its sha256 differs).",
            'Copy the file again from its origin; if you changed it on purpose, delete "config.json" under its "sha256".',
        )  # fmt: skip


def _check_version(folder: Path, version: Any) -> None:
    if not is_count(version) or version == 0:
        raise damaged(folder, "config.json", f"its format_version is {_shown(version)}, which no chemvae has written")
    if version > FORMAT_VERSION:
        problem = f"has format version {_shown(version)}; this chemvae reads up to {FORMAT_VERSION}."
        raise RunFolderError(folder, problem, "Update chemvae, or copy config.json again if it is damaged.")


def _shown(value: Any) -> str:
    """A value in a few words, however large it is."""
    if isinstance(value, int) and abs(value) > 10**18:
        return "an absurdly large number"
    text = repr(value) if not isinstance(value, (dict, list)) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def deciding_sha256(config: Mapping[str, Any]) -> str:
    """The sha256 of what decides a model's answers."""
    return json_sha256({name: config[name] for name in DECIDING if name in config})


def recorded_sums(config: Any, name: str) -> list[str]:
    """The checksums that config.json keeps of a file; none in folders of earlier versions."""
    sums = config.get("sha256") if isinstance(config, dict) else None
    held = sums.get(name, []) if isinstance(sums, dict) else []
    return [one for one in _as_list(held) if isinstance(one, str)]
