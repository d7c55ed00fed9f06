"""The public functions, composed from the rooms; prepare, encode, decode, fit and predict come from theirs as they are.

What a command can do, one of these does in the same words: the command parses, calls it, and shows the result. A room is
entered when its function is called: loading a model does not wait for what only training needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chemvae.data.given import as_written, list_molecules
from chemvae.data.prepare.preparation import Table, load_table, prepare
from chemvae.errors import ChemVAEError, NothingUsableError, SettingsError
from chemvae.models.storage import USUAL_MODEL, find_run, open_model
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder
from chemvae.seeding import as_seed
from chemvae.tables.public import as_list, decode, encode, fit, predict

if TYPE_CHECKING:
    import pandas as pd

    from chemvae.data.prepare.checking import Check
    from chemvae.design.campaign.run import Result
    from chemvae.design.search import FolderSearch
    from chemvae.evaluation.protocols import Evaluation
    from chemvae.maps import LatentLattice, MoleculeMap
    from chemvae.progress import CancelToken, ProgressCallback
    from chemvae.training.callbacks import Callback

__all__ = [
    "check", "complete", "decode", "edit", "encode", "evaluate", "evaluate_in_full", "fit", "load", "map", "map_lattice",
    "neighbors", "optimize", "optimize_in_folder", "predict", "prepare", "search", "serve", "train",
]  # fmt: skip
OF_A_FOLDER = ("resume", "overwrite", "batch_in", "batch_out", "may_run")
"""Options of a search that has a folder."""


def load(name_or_run: str | Path | None = None, device: str = "auto") -> MolVAE:
    """Load a shipped model or a run folder; no network, no side effects, no pickle.

    A process that is forked after a model was used hangs at its first product: torch's threads do not survive a fork. Start
    processes with ``multiprocessing.get_context("spawn")``, or call ``torch.set_num_threads(1)`` first thing in the forked one.

    Parameters
    ----------
    name_or_run : str or Path
        "drug", "oled", or the path of a run folder; "drug" by default, where it is shipped.
    device : str
        "auto" takes a GPU where there is one; else "cpu", "cuda", "cuda:1", "mps".

    Returns
    -------
    MolVAE
        In eval mode.

    Raises
    ------
    RunFolderError
        If it does not exist, or a file in it is missing, damaged or of a newer format.
    SettingsError
        If none is named and none shipped.
    """
    return open_model(name_or_run, device)


def train(
    data: Any,
    targets: Sequence[str] = (),
    preset: str = "cpu",
    out: str | Path | None = None,
    resume: bool = False,
    seed: int | None = 0,
    *,
    recipe: str = "plain",
    stages: Mapping[str, Mapping[str, Any]] | str | None = None,
    more_epochs: int = 0,
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
    **options: Any,
) -> MolVAE:
    """Train a model, or go on with an interrupted run.

    Parameters
    ----------
    data : str, Path, DataFrame, sequence of str, Table or None
        As :func:`chemvae.data.prepare.tables.load_table` takes it. With ``resume`` None does: the run remembers.
    targets : sequence of str
        Label columns for the property predictor; labels may be missing (NaN).
    preset : "tiny", "cpu" or "gpu"; ``options`` change single settings of it.
    out : str, Path or None
        The run folder; None keeps nothing on disk.
    resume : go on from the last checkpoint of ``out``, on the same data; where no run is there yet, ``data`` begins one.
    recipe : str
        "plain" trains once; "full" goes on with the stages of chemvae/training/recipes/full.toml, which make molecules of the
        samples: in a folder (``out``), with ``time_limit_min`` for all of them.
    stages : mapping of stage to mapping, or JSON, with settings in place of the recipe's.
    more_epochs : with ``resume``, train so many epochs longer than the run was to.
    callbacks : sequence of Callback
    cancel : CancelToken that ends the training from another thread as its time limit does: saved, usable, to be resumed.
    **options
        Settings by name, of :class:`chemvae.models.settings.ModelSettings` and
        :class:`chemvae.training.settings.TrainingSettings` (``epochs=5``, ``posterior="gaussian"``); how the data is read
        (``smiles_column, split_column, on_invalid, standardize``); ``tokens``, ``vocabulary``, ``device``, ``jobs`` and
        ``overwrite``, as in :class:`chemvae.training.session.RunSpec`; and ``init``, a model to start from: new symbols and
        properties are added to it, and few molecules get smaller steps (:func:`chemvae.training.session.for_tuning`).

    Returns
    -------
    MolVAE
        With averaged weights, its learned prior and calibrated predictor, in eval mode.

    Raises
    ------
    SettingsError, UnknownNameError, InputError, NothingUsableError, CollapseError, InterruptedRunError, RunFolderError
    """
    from chemvae.training.recipes.session import go_on, is_begun, start
    from chemvae.training.session import RunSpec

    run = None if out is None else RunFolder(out)
    if resume and (data is None or run is None or is_begun(run)):
        return go_on(run or RunFolder("."), data, options, callbacks, cancel, targets=targets, more_epochs=more_epochs)
    if more_epochs:
        raise SettingsError("more_epochs lengthens a run that is there (resume=True); say epochs of a new one")
    spec = RunSpec.of(data, targets, preset, as_seed(seed), **options)
    return start(spec, run, recipe, stages, callbacks, cancel)


def evaluate(model: MolVAE | str | Path | None, data: Any, seed: int | None = 0, **options: Any) -> dict[str, Any]:
    """Measure a model on held-out molecules; the keys and protocols of ``chemvae evaluate --json``.

    Parameters
    ----------
    model : MolVAE, name or run folder
    data : str, Path, DataFrame or sequence of str
        Label columns named like the model's properties are compared with its predictions.
    seed : int
    **options
        Fields of :class:`chemvae.evaluation.protocols.EvaluationSettings`, or of :func:`evaluate_in_full`: ``split``,
        ``smiles_column``, ``out``, ``overwrite``, ``device``.
    """
    return evaluate_in_full(model, data, seed, **options).figures


def evaluate_in_full(
    model: MolVAE | str | Path | None,
    data: Any,
    seed: int | None = 0,
    split: str | None = None,
    smiles_column: str | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    device: str = "auto",
    **options: Any,
) -> Evaluation:
    """As :func:`evaluate`, with what stands behind the figures.

    Parameters
    ----------
    split : str, optional
        Take this part of the data only, where it has a split column.
    out : path, optional
        A folder for ``report.html`` and ``report.json``.
    overwrite : bool
        Replace a report that is there.
    device : str
        Where a model that is named is loaded.
    """
    from chemvae.evaluation import write_report
    from chemvae.evaluation.protocols import run_evaluation

    if out is not None and (Path(out) / "report.html").exists() and not overwrite:
        raise ChemVAEError(f"'{out}' already holds a report. Add --overwrite to replace it, or choose another folder.")
    vae = open_model(model, device)
    table = load_table(data, smiles_column=smiles_column, optional_properties=vae.property_names)
    chosen = _part_of(table, split)
    labels = dict(zip(table.property_names, table.labels[chosen].T, strict=True))
    found = run_evaluation(vae, [table.smiles[i] for i in chosen], labels, seed=as_seed(seed), **options)
    if out is not None:
        name = Path(USUAL_MODEL if model is None else model) if not isinstance(model, MolVAE) else None
        known = {} if name is None else {"name": name.name, "history": find_run(name).read_metrics()}
        write_report(found, out, **known)
    return found


def _part_of(table: Table, split: str | None) -> np.ndarray:
    """Indices of the rows of one split; all rows if the data has no split column or none is asked for."""
    if split is None or table.split is None:
        return np.arange(len(table.smiles))
    parts = np.asarray(table.split, dtype=object)
    chosen = np.flatnonzero(parts == split)
    if len(chosen) == 0:
        there = ", ".join(f"{name} ({count:,})" for name, count in Counter(parts.tolist()).items())
        raise NothingUsableError(
            f"No row is marked '{split}' in the split column; there are: {there}. Choose with --split, or --split all."
        )
    return chosen


# data ---------------------------------------------------------------------------------------------------------------------


def check(
    data: Any, properties: str | Sequence[str] | None = (), model: MolVAE | str | Path | None = None, **options: Any
) -> Check:
    """List what is wrong with a table, as ``chemvae data check`` does; see :func:`chemvae.data.prepare.checking.check`.

    Parameters
    ----------
    data : str, Path, DataFrame or sequence of str
    properties : str, sequence of str or None
        Columns of labels to look at too; None: those that :func:`prepare` would keep by itself.
    model : MolVAE, name or run folder, optional
        Look for symbols that it cannot write.
    **options
        ``smiles_column``, ``standardize``, ``source_path``, ``jobs``.

    Examples
    --------
    >>> dict(check(["CCO", "C1CC", "OCC"]).counts)
    {'not a molecule': 1, 'duplicate': 1}
    """
    from chemvae.data.prepare import checking

    complaint = None if model is None else open_model(model, "cpu").vocabulary.complaint
    wanted = None if properties is None else as_list(properties)
    return checking.check(data, properties=wanted, symbol_check=complaint, **options)


# moving through latent space ----------------------------------------------------------------------------------------------


def neighbors(
    molecules: Any,
    among: Any = None,
    n: int = 10,
    model: MolVAE | str | Path | None = None,
    *,
    space: str = "fingerprint",
    out: str | Path | None = None,
    overwrite: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Find known molecules of a table that are near, new ones decoded around a molecule at rising radius, or both.

    With ``among`` alone, known ones (:func:`chemvae.tables.neighbors.neighbors`); without it, with ``out`` or with an option
    of the new ones, new ones too, as ``chemvae neighbors`` finds them.

    Parameters
    ----------
    molecules : str, sequence of str, Series, DataFrame or RDKit molecules
    among : str, Path, DataFrame or sequence of str, optional
        The table to look in; a catalog name or a file too.
    n : int
        Known neighbours of each, and new ones of each radius, >= 1.
    model : MolVAE, name or run folder
        For new ones and for ``space="latent"``; the shipped one by default.
    space : {"fingerprint", "latent"}
        What known ones are near in.
    out : path, optional
        A table, an ``.sdf`` or a page (``.html``) to write too.
    overwrite : bool
    **options
        ``radii``, ``n_decodes``, ``temperature``, ``seed`` of :class:`chemvae.moving.surroundings.AroundSettings`; ``device``.

    Returns
    -------
    DataFrame
        ``query, rank, smiles, row`` and ``similarity`` or ``distance`` of known ones; with new ones also ``kind`` (known or
        new), ``radius``, ``count`` and, where the model has its training index, ``novel``.

    Raises
    ------
    SettingsError, NothingUsableError, InvalidMoleculeError, UnknownTokenError

    Examples
    --------
    >>> neighbors("CCO", ["CCN", "CCCO", "c1ccccc1"], n=2)["smiles"].tolist()
    ['CCCO', 'CCN']
    """
    from chemvae.moving.finding import find_neighbors, write_neighbors
    from chemvae.tables.neighbors import neighbors as known_neighbors

    device = options.pop("device", "auto")
    if among is not None and out is None and not options:
        return known_neighbors(molecules, among, n, model, space=space)
    write = write_neighbors(out, overwrite=overwrite)
    return write(find_neighbors(open_model(model, device), molecules, among, n, space, **options))


def edit(
    smiles: str,
    along: str | None = None,
    model: MolVAE | str | Path | None = None,
    *,
    pair: Sequence[str] | None = None,
    fit: Any = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Change a molecule step by step: along a property, or as one molecule is changed into another.

    Parameters
    ----------
    smiles : str
    along : str, optional
        A property; a column of ``fit``; or ``COLUMN=VALUE``, a class of it.
    model : MolVAE, name or run folder
        The shipped one by default.
    pair : two SMILES, optional
        A and B of "A is to B as this molecule is to ?".
    fit : str, Path, DataFrame or sequence of str, optional
        Labelled molecules to learn the direction from; by default the training codes that the model keeps.
    out : path, optional
        A table, an ``.sdf``, a page (``.html``) or a row of pictures (``.png``) to write too.
    overwrite : bool
    **options
        ``steps``, ``radius``, ``direction`` ("max" or "min"), ``keep`` (SMARTS), ``n_samples``, ``seed`` of
        :class:`chemvae.moving.editing.EditSettings`; ``method``; ``device``.

    Returns
    -------
    DataFrame
        See :func:`chemvae.moving.editing.edit_molecule`; ``attrs["sentences"]`` says where the direction is from.

    Raises
    ------
    SettingsError, UnknownNameError, NothingUsableError, InvalidMoleculeError, UnknownTokenError
    """
    from chemvae.moving.finding import find_edit, write_edit

    write = write_edit(out, overwrite=overwrite)
    vae = open_model(model, options.pop("device", "auto"))
    return write(find_edit(vae, smiles, along, pair, fit, **options), smiles)


def complete(
    pattern: str,
    model: MolVAE | str | Path | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Fill the gaps of a partial SMILES, as ``chemvae complete`` does.

    Parameters
    ----------
    pattern : str
        ``_`` is one missing symbol, ``_{3}`` three, ``_{1,6}`` one to six, ``__`` any number.
    model : MolVAE, name or run folder
        The shipped one by default.
    out : path, optional
        A table, an ``.sdf`` or a page (``.html``) to write too.
    overwrite : bool
    **options
        Fields of :class:`chemvae.moving.completion.CompletionSettings`; ``like``, a molecule whose code is the first guess;
        ``device``.

    Returns
    -------
    DataFrame
        See :func:`chemvae.moving.completion.complete_pattern`.

    Raises
    ------
    SettingsError, UnknownTokenError, NothingUsableError, InvalidMoleculeError
    """
    from chemvae.moving.completion import CompletionSettings, complete_pattern
    from chemvae.moving.finding import write_completions
    from chemvae.registry import make_spec

    write = write_completions(out, overwrite=overwrite)
    vae, like = open_model(model, options.pop("device", "auto")), options.pop("like", None)
    return write(complete_pattern(vae, pattern, make_spec(CompletionSettings, None, options), like), pattern)


# design -------------------------------------------------------------------------------------------------------------------


def optimize(
    model: MolVAE | str | Path | None,
    oracle: Any = None,
    budget: int = 500,
    seed: int | None = 0,
    method: Any = "auto",
    start: Any = None,
    goals: Any = None,
    constraints: Any = None,
    *,
    out: str | Path | None = None,
    **options: Any,
) -> Result:
    """Search latent space for molecules that an oracle scores well; see :func:`chemvae.design.campaign.run.run_campaign`.

    Parameters
    ----------
    model : MolVAE, name or run folder
        Never changed.
    oracle, budget, seed, method, start, goals, constraints
        As in :func:`chemvae.design.campaign.run.run_campaign`.
    out : path, optional
        A folder for record, tables and report, as ``chemvae optimize -o`` makes it. Either goes on with what the other began.
    **options
        Other arguments of :func:`chemvae.design.campaign.run.run_campaign`, and ``device`` for a model that is named. With
        ``out`` also ``resume``, ``overwrite``, ``baseline``, ``batch_in``, ``batch_out``, and any other flag of ``chemvae
        optimize`` by its name; going on, what is not said, or as usual, is what it was.

    Returns
    -------
    Result

    Raises
    ------
    SettingsError, InvalidMoleculeError, ChemVAEError
        Each saying what to do.
    """
    seed = as_seed(seed)
    if start is not None and not isinstance(start, str):
        start = [as_written(one) for one in list_molecules(start)[0]]
    asked = {
        "oracle": oracle, "budget": budget, "seed": seed, "method": method, "start": start, "goals": goals,
        "constraints": constraints,
    }  # fmt: skip
    usual = {"budget": 500, "seed": 0, "method": "auto"}
    said = {
        name: value
        for name, value in asked.items()
        if (value is not None or name in usual) and not _is_usual(value, usual.get(name))
    }
    if out is not None:
        return optimize_in_folder(model, out, **said, **options).result
    from chemvae.design.campaign.run import run_campaign

    if stray := sorted({"baseline", *OF_A_FOLDER} & options.keys()):
        raise SettingsError(f"{', '.join(stray)}: only a search in a folder has that; name the folder with out=")
    vae = open_model(model, options.pop("device", "auto"))
    return run_campaign(vae, **(said if "spec" in options else usual | said), **options)


def _is_usual(value: Any, usual: Any) -> bool:
    return isinstance(value, (int, float, str)) and value == usual


def optimize_in_folder(
    model: MolVAE | str | Path | None,
    out: str | Path,
    *,
    device: str = "auto",
    callback: Any = None,
    watch: Any = None,
    **options: Any,
) -> FolderSearch:
    """As :func:`optimize` with ``out``: what came of it, with the baseline and the folder.

    Parameters
    ----------
    model : MolVAE, name, run folder or None
        None takes the one that the search here began with, or the shipped one.
    out : path
    device : str
        Where a model that is named is loaded.
    callback : callable, optional
        Told of each search's progress.
    watch : callable, optional
        In its place: opens what is told, see :data:`chemvae.design.search.Watch`.
    **options
        ``resume``, ``overwrite``, ``batch_in``, ``batch_out``, ``may_run``, ``cancel`` of
        :func:`chemvae.design.search.search_in_folder`; the rest is what is asked.
    """
    from contextlib import nullcontext

    from chemvae.design.search import search_in_folder

    is_named = model is None or isinstance(model, (str, Path))
    if "results" in options:
        options["batch_in"] = options.pop("results")
    how = {name: options.pop(name) for name in (*OF_A_FOLDER, "cancel") if name in options}
    asked = _said_by(options.pop("spec", None)) | options | ({"model": str(model)} if is_named and model is not None else {})
    return search_in_folder(
        lambda name: open_model(name if is_named else model, device), out, asked,
        watch=watch or (lambda *_: nullcontext(callback)), **how,
    )  # fmt: skip


def _said_by(spec: Any) -> dict[str, Any]:
    """The fields of a campaign's spec that are not as usual, and its budget."""
    given = {} if spec is None else {field.name: (getattr(spec, field.name), field.default) for field in fields(spec)}
    return {
        name: value
        for name, (value, usual) in given.items()
        if name == "budget" or not (value is usual or _is_usual(value, usual) or value == ())
    }


def map(
    data: Any,
    model: MolVAE | str | Path | None = None,
    *,
    out: str | Path | None = None,
    png: str | Path | None = None,
    projector: str | Path | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
    **options: Any,
) -> MoleculeMap:
    """Draw the 2D map of molecules in latent space, as ``chemvae map`` does.

    Parameters
    ----------
    data : str, Path, sequence of str or DataFrame
        Every column can colour the map, and so can what the model predicts.
    model : MolVAE, name or run folder, optional
    out, png : path, optional
        The page, ``.html``, and a picture, ``.png``, ``.pdf`` or ``.svg``; None writes none.
    projector : path, optional
        ``.safetensors``: keeps the projection, to place other molecules on the same map with ``onto=``.
    overwrite : bool
    progress, cancel : optional
        Told of each :class:`chemvae.progress.Progress`; ends it before anything is written.
    **options
        ``color``: column that colours the map at first; ``title``; ``device``; ``overlays`` and ``runs`` by name, as in
        :func:`chemvae.maps.map_molecules`; the fields of :class:`chemvae.maps.MapSettings`: ``method``, ``space``, ``onto``,
        ``limit``, ``smiles_column``, ``standardize``, ``seed``, ``jobs``, ``columns``.

    Returns
    -------
    MoleculeMap
        With coordinates, columns, the fitted projection, its quality, and ``write``.

    Raises
    ------
    CancelledError, ChemVAEError, SettingsError, InputError, NothingUsableError
    """
    from chemvae.maps import MapSettings, map_molecules
    from chemvae.tables import check_output

    for path, endings in ((out, (".html",)), (png, (".png", ".pdf", ".svg")), (projector, (".safetensors",))):
        if path is not None:
            check_output(path, endings, overwrite=overwrite)
    title, color, device = options.pop("title", None), options.pop("color", None), options.pop("device", "auto")
    over = {name: options.pop(name, None) for name in ("overlays", "runs")}
    settings = MapSettings(**options)
    found = map_molecules(open_model(model, device), data, settings, color=color, progress=progress, cancel=cancel, **over)
    if projector is not None:
        found.save_projection(projector)
    if out is not None:
        found.write(out, png, title=title, color=color)
    elif png is not None:
        found.write_picture(png, title=title, color=color)
    return found


def map_lattice(
    data: Any,
    model: MolVAE | str | Path | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
    **options: Any,
) -> LatentLattice:
    """Decode a lattice of points of a plane through latent space, as ``chemvae map --grid`` does.

    Parameters
    ----------
    data, model, out, overwrite, progress, cancel
        As for :func:`map`; the plane is that of the two leading components of the data's codes.
    **options
        ``color``: property behind the molecules; ``title``; ``device``; the fields of :class:`chemvae.maps.LatticeSettings`.

    Returns
    -------
    LatentLattice
    """
    from chemvae.maps import LatticeSettings, decode_lattice
    from chemvae.tables import check_output

    if out is not None:
        check_output(out, (".html",), overwrite=overwrite)
    title, color, device = options.pop("title", None), options.pop("color", None), options.pop("device", "auto")
    settings = LatticeSettings(**options)
    found = decode_lattice(open_model(model, device), data, settings, progress=progress, cancel=cancel)
    if out is not None:
        found.write(out, title=title, color=color)
    return found


# libraries ----------------------------------------------------------------------------------------------------------------


def search(
    library: str | Path,
    near: Any = None,
    n: int = 50,
    model: MolVAE | str | Path | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Search a library, as ``chemvae search`` does; :func:`chemvae.library.build` makes one.

    Parameters
    ----------
    library : path
    near : SMILES or latent point [D], optional
    n : int
        Hits at most.
    model : MolVAE, name or run folder
        The library's own by default.
    out : path, optional
        A file to write too, its ending says the format: a table, ``.sdf`` or ``.svg``.
    overwrite : bool
        Replace what is there.
    **options
        ``space, where, having, without, min_similarity, approximate`` of :class:`chemvae.library.Query`;
        ``jobs, engine, device`` of :func:`chemvae.library.search`.

    Returns
    -------
    DataFrame
        See :class:`chemvae.library.Hits`.
    """
    from chemvae.library import Query, search, write_hits
    from chemvae.library.hits import HIT_ENDINGS
    from chemvae.tables import check_output

    if out is not None:
        check_output(out, HIT_ENDINGS, overwrite=overwrite)
    how = {name: options.pop(name) for name in ("jobs", "engine", "device") if name in options}
    hits = search(library, Query(near, n, **options), model, **how).table
    if out is not None:
        write_hits(hits, out)
    return hits


# the app ------------------------------------------------------------------------------------------------------------------


def serve(
    project: str | Path = "chemvae-project",
    library: str | Path | None = None,
    model: str | Path | None = None,
    *,
    tell: Callable[[str], None] = print,
    **options: Any,
) -> None:
    """Serve the app on this machine until the process is told to end, as ``chemvae serve`` does.

    Parameters
    ----------
    project : path
        The folder that everything is kept in; made if it is not there.
    library : path, optional
        A library, or a table or catalog name to make one of; the project's own by default.
    model : name or run folder, optional
        The library's own, else the shipped one by default.
    tell : callable
        Told the address once it can be opened.
    **options
        Other fields of :class:`chemvae.app.settings.ServeSettings`: ``host``, ``port``, ``workers``, ``memory_limit`` (GiB),
        ``token``, ``limits``.

    Raises
    ------
    MissingExtraError
        Without the extra ``app``.
    SettingsError, ChemVAEError
        If what is asked is out of range; if the project or library cannot be opened, or the port is taken.
    """
    from chemvae.app.running import serve as run
    from chemvae.app.settings import ServeSettings
    from chemvae.registry import make_spec

    given = {"project": Path(project), "library": None if library is None else str(library)}
    run(make_spec(ServeSettings, None, given | {"model": None if model is None else str(model)} | options), tell)
