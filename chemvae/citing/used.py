"""From what was used, a name or a folder, to its papers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chemvae.citing.papers import ALWAYS, PAPERS, USES, Paper
from chemvae.errors import RunFolderError
from chemvae.models.storage import SHIPPED, shipped_models
from chemvae.registry import find
from chemvae.runs import RunFolder

SEARCH_FILE = "settings.json"
WEIGHTED = ("noised_codes", "prior_points", "sleep")


def cite(*used: str | Path) -> dict[str, Paper]:
    """Find the papers behind what was used.

    Parameters
    ----------
    *used : str or Path
        Run folders, folders of searches, shipped models, commands, or names of posteriors, priors, objectives, methods,
        projections and properties; "prior mixture" where a name stands in several tables. Nothing: the shipped model.

    Returns
    -------
    dict of str to Paper
        By key (``kingma2014``), those that every model rests on first. ``str(paper)`` is a line, ``paper.bibtex(key)`` an
        entry.

    Raises
    ------
    UnknownNameError
        If a name is neither a folder nor known.
    RunFolderError
        If a folder is neither a run nor a search.

    Examples
    --------
    >>> list(cite("iwae"))
    ['gomez2018', 'kingma2014', 'burda2016', 'tucker2019']
    """
    found = dict.fromkeys(ALWAYS)
    for one in used or ("drug",):
        for name in _names(one):
            found |= dict.fromkeys(USES.get(name, ()))
    return {key: PAPERS[key] for key in found}


def _names(used: str | Path) -> list[str]:
    """Keys in USES of what a name or folder stands for."""
    path = Path(used)
    if str(used) in shipped_models():
        return [f"model {used}", *_of_run({"model": RunFolder(SHIPPED / str(used)).read_config()["model"]})]
    if path.is_dir():
        return _of_folder(path)
    by_name: dict[str, list[str]] = {}
    for key in USES:
        kind, _, name = key.partition(" ")
        by_name.setdefault(name, []).append(key)
        by_name[f"{kind} {name}"] = [key]
    return find(by_name, str(used), "command, method or name of a table")[1]


def _of_folder(path: Path) -> list[str]:
    if (path / SEARCH_FILE).is_file():
        return list(_of_search(json.loads((path / SEARCH_FILE).read_text(encoding="utf-8"))))
    if not RunFolder(path).exists():
        raise RunFolderError(path, "is neither a run nor a search.", "Give the folder of -o of train or optimize.")
    return list(_of_run(RunFolder(path).read_config()))


def _of_run(config: Mapping[str, Any]) -> Iterator[str]:
    """What a model was made of and trained with, from its config.json."""
    model, training = config.get("model", {}), config.get("training", {})
    yield f"posterior {_name(model.get('posterior'))}"
    yield from (f"prior {_name(model.get(key))}" for key in ("prior", "fitted_prior"))
    yield f"objective {_name(training.get('objective', 'beta-elbo'))}"
    yield from (f"setting {key}" for key in WEIGHTED if training.get(key))
    if model.get("predictor_heads", 1) > 1:
        yield "predictor heads"


def _of_search(settings: Mapping[str, Any]) -> Iterator[str]:
    """How a search went and what it sought, from its settings.json."""
    model = settings.get("model") or "drug"
    if model in shipped_models() or Path(model).is_dir():
        yield from _names(model)
    yield f"method {settings.get('method', 'auto')}"
    for flag in ("maximize", "minimize", "target"):
        yield from (f"property {one.partition('=')[0]}" for one in settings.get(flag) or ())


def _name(spec: Any) -> Any:
    """The name of a setting that is a name, or a mapping with one."""
    return spec.get("name") if isinstance(spec, Mapping) else spec
