"""A model to and from a run folder."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.disk.run_checks import damaged
from chemvae.disk.tensor_files import facts_of
from chemvae.errors import RunFolderError, SettingsError
from chemvae.models.labelled_regions import LabelledRegions
from chemvae.models.predictor import PropertyPredictor
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
USUAL_MODEL = "drug"  # taken where none is named
FITTED_LATER = ("priors.normal.", "priors.learned.", "latent_statistics.")  # what prior.safetensors holds
MAY_HAVE_GAPS = ("latent_statistics.references",)  # rows of NaN where there were fewer molecules


def shipped_models() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))


def find_run(name_or_run: str | Path) -> RunFolder:
    """Return the folder of a shipped model or a run; RunFolderError if there is none."""
    name = str(name_or_run)
    if name in shipped_models():
        return RunFolder(SHIPPED / name)
    run = RunFolder(name)
    if not run.path.exists() and run.path.name == name and shipped_models():
        remedy = f"Shipped models: {', '.join(shipped_models())}. Or give the path of a run folder."
        raise RunFolderError(name, "does not exist, and no shipped model has that name.", remedy)
    run.check()
    return run


def load_model(run: RunFolder) -> MolVAE:
    """Build the model of a run folder on the CPU, in eval mode, its weights frozen.

    Raises
    ------
    RunFolderError
        If a file is missing or damaged, or they do not belong together; before memory is taken for what is wrong.
    """
    config = run.read_config()
    with _Undrawn() if run.has("prior.safetensors") else contextlib.nullcontext():  # all parameters are read in a moment
        model = build_model(run, config)
    _load(model, run, "model.safetensors")
    if run.has("prior.safetensors"):
        _load(model, run, "prior.safetensors")
    if run.has("labels.safetensors"):
        _load_regions(model, run)
    if run.has("trees.safetensors"):
        _load_structure(model, run)
    run.warn_of_lost("prior.safetensors", "labels.safetensors", "trees.safetensors", "training_index.parquet")
    model.training_facts = facts_in(config, run.read_training_index())
    return model.eval().requires_grad_(False)


def facts_in(config: dict, hashes: np.ndarray | None = None) -> TrainingFacts:
    """What a config.json says of the training; where it has no settings of one, the KL counts nothing."""
    beta, elements = config.get("training", {}).get("beta", 0.0), config.get("elements", ())
    return TrainingFacts(config["max_tokens"], hashes, beta, frozenset(map(str, elements)))


def build_model(run: RunFolder, config: dict) -> MolVAE:
    """Build the untrained model that a run's config.json and vocabulary.json describe; RunFolderError if they do not.

    Where the run has weights their shapes are compared before the model takes memory.
    """
    vocabulary, content = None, run.read_vocabulary()
    try:
        vocabulary = Vocabulary.from_dict(content)
        settings, properties = ModelSettings.from_config(config["model"]), config["properties"]
        facts_in(config)
        make = partial(MolVAE, vocabulary, settings, list(properties), properties)
        shapes = make_untouched(make)
    except (RuntimeError, MemoryError, OverflowError):
        why = "a model of its sizes takes more memory than there is"
        raise damaged(run.path, "config.json", why) from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        name = "vocabulary.json" if vocabulary is None else "config.json"
        raise damaged(run.path, name, f"it misses {error}" if type(error) is KeyError else error) from None
    for name, part in (("model.safetensors", model_tensors), ("prior.safetensors", prior_tensors)):
        if run.has(name):
            run.check_tensors(name, facts_of(part(shapes)))
    return make()


def make_untouched(make: Callable[[], MolVAE]) -> MolVAE:
    """Make a model whose tensors have their shapes and types, and no numbers: what is not written to takes no memory."""
    with _Untouched():
        return make()


class _Untouched(TorchFunctionMode):
    """While it lasts new tensors are not filled, and nothing is written into them."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        if name.endswith("_") and not name.endswith("__") and isinstance(tensor := _first(args, kwargs), Tensor):
            return tensor
        if function in _FILLED:
            return torch.empty(*_FILLED[function](*args), **{key: kwargs[key] for key in ("dtype", "device") if key in kwargs})
        return function(*args, **kwargs)


class _Undrawn(TorchFunctionMode):
    """While it lasts no random numbers are drawn to begin with: neither the time nor the random state is spent."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__name__", "").endswith(_DRAWS) and isinstance(tensor := _first(args, kwargs), Tensor):
            return tensor
        return function(*args, **kwargs)


def _first(args: tuple, kwargs: dict) -> Any:
    """The first argument, named or not."""
    return next(iter((*args, *kwargs.values())), None)


_DRAWS = ("uniform_", "normal_", "orthogonal_")
_FILLED: dict[Any, Callable[..., tuple]] = {
    torch.zeros: lambda *size: size,
    torch.ones: lambda *size: size,
    torch.randn: lambda *size: size,
    torch.rand: lambda *size: size,
    torch.full: lambda size, _=None: (size,),
    torch.eye: lambda n, m=None: (n, n if m is None else m),
}
"""What makes a filled tensor, and its size from its arguments."""


def open_model(given: MolVAE | str | Path | None = None, device: str = "auto") -> MolVAE:
    """A model as it is, or the one that a name or a run folder stands for; the shipped one by default.

    Raises
    ------
    SettingsError
        If none is named and none shipped, or its name is empty.
    RunFolderError
        If there is none of this name, or it is damaged.
    """
    if given is None and USUAL_MODEL not in shipped_models():
        raise SettingsError("name the model with -m RUN; make one with: chemvae train DATA -p COLUMN -o RUN")
    if given is not None and not isinstance(given, (str, Path)):
        return given
    if given is not None and not str(given).strip():
        raise SettingsError("the name of the model is empty (a shell variable that is not set?); leave -m out, or name one")
    return load_model(find_run(given or USUAL_MODEL)).to(find_device(device))


def describe_model(model: MolVAE) -> dict[str, Any]:
    """Return what config.json must say to build this model again."""
    return {
        "model": asdict(model.settings),
        "properties": model.property_units,
        "max_tokens": model.training_facts.max_tokens,
        "elements": sorted(model.training_facts.elements),
    }


def save_model(model: MolVAE, run: RunFolder, **facts: Any) -> None:
    """Write a run folder that :func:`load_model` reads; ``facts`` go into config.json."""
    run.write_vocabulary(model.vocabulary.to_dict())
    run.write_config({**describe_model(model), **facts})
    run.write_tensors("model.safetensors", model_tensors(model))
    if model.latent_statistics.is_fitted:
        run.write_tensors("prior.safetensors", prior_tensors(model))
    if model.predictor.regions.is_fitted:
        run.write_tensors("labels.safetensors", model.predictor.regions.tensors())
    if model.predictor.structure.is_fitted:
        run.write_tensors("trees.safetensors", model.predictor.structure.tensors())
    if model.training_facts.hashes is not None:
        run.write_training_index(model.training_facts.hashes)


def model_tensors(model: MolVAE) -> dict[str, Tensor]:
    """The state of model.safetensors: all but the priors and latent statistics."""
    return {key: value for key, value in model.state_dict().items() if not key.startswith(FITTED_LATER)}


def prior_tensors(model: MolVAE) -> dict[str, Tensor]:
    """The state of prior.safetensors."""
    return {key: value for key, value in model.state_dict().items() if key.startswith(FITTED_LATER)}


def _load(model: MolVAE, run: RunFolder, name: str) -> None:
    expected = prior_tensors(model) if name == "prior.safetensors" else model_tensors(model)
    model.load_state_dict(run.read_tensors(name, facts_of(expected), gaps=MAY_HAVE_GAPS), strict=False)


def _load_regions(model: MolVAE, run: RunFolder) -> None:
    regions = model.predictor.regions
    found = run.read_tensors("labels.safetensors", facts_of(regions.tensors()))
    for name, own in regions.tensors().items():
        own.copy_(found[name])


def _load_structure(model: MolVAE, run: RunFolder) -> None:
    try:
        model.predictor.structure.load(run.read_tensors("trees.safetensors"))
    except ValueError as error:
        raise damaged(run.path, "trees.safetensors", error) from None


def find_device(device: str) -> torch.device:
    """Turn "auto", "cpu", "cuda", "cuda:1" or "mps" into a device; "auto" takes a GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise SettingsError("there is no CUDA device here (or torch is a CPU build); use --device cpu, or see `chemvae doctor`")
    try:
        return torch.device(device)
    except RuntimeError:
        raise SettingsError(f"device must be auto, cpu, cuda, cuda:1 or mps, got '{device}'") from None


OF_TOKENS = ("encoder.embedding.weight", "decoder.embedding.weight", "decoder.output.weight", "decoder.output.bias")
"""Tensors with a row for each token."""


def transfer_weights(source: MolVAE, target: MolVAE) -> None:
    """Start ``target`` from ``source``: all that has the same shape, and the rows of tokens both vocabularies hold.

    The predictor is taken over only if it predicts the same properties, and of its heads as many as both have.
    """
    theirs, ours = model_tensors(source), target.state_dict()
    rows = [
        (source.vocabulary.tokens.index(t), i) for i, t in enumerate(target.vocabulary.tokens) if t in source.vocabulary.tokens
    ]
    from_rows, to_rows = (list(side) for side in zip(*rows, strict=True))
    for key, value in theirs.items():
        if key.startswith("predictor.") and source.property_names != target.property_names:
            continue
        if key.startswith("predictor.others.") and key not in ours:
            continue
        if key.startswith("priors.trained.") and (key not in ours or source.settings.prior != target.settings.prior):
            continue
        if key in OF_TOKENS and ours[key].shape[1:] == value.shape[1:]:
            ours[key][to_rows] = value[from_rows]
        elif ours[key].shape == value.shape:
            ours[key] = value
        else:
            raise SettingsError(
                f"--init needs the same sizes: {key} is {list(value.shape)} there, {list(ours[key].shape)} here"
            )
    target.load_state_dict(ours)


def fingerprint(model: nn.Module) -> str:
    """Return a short hash of a model's weights, to tell whether a record belongs to it."""
    digest = hashlib.sha1()
    regions = [one for one in model.modules() if isinstance(one, LabelledRegions) and one.is_fitted]
    extra = {f"regions.{name}": tensor for one in regions for name, tensor in one.tensors().items()}
    extra |= _structure_of(model)
    for name, tensor in sorted((model.state_dict() | extra).items()):
        digest.update(name.encode())
        if tensor.dtype == torch.float64 and torch.equal(tensor, tensor.float().double()):
            tensor = tensor.float()  # label statistics of models that kept them so: the same records belong to them
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _structure_of(model: nn.Module) -> dict[str, Tensor]:
    """The trees of a model that has some, named as nothing else of it is."""
    heads = [one.structure for one in model.modules() if isinstance(one, PropertyPredictor) and one.structure.is_fitted]
    return {f"trees.{name}": tensor for one in heads for name, tensor in one.tensors().items()}
