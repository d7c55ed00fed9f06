"""Whether a checkpoint belongs to a training: looked at before any of it is taken over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from chemvae.disk.run_checks import is_count
from chemvae.disk.tensor_files import facts_of, misfit, not_finite
from chemvae.registry import wrong_kinds

PARTS = {"model": dict, "average": dict, "optimizer": dict, "generator": Tensor, "progress": dict, "n_steps": int}
OPTIMIZER_STATE = ("exp_avg", "exp_avg_sq")  # of AdamW, per parameter

Kind = TypeVar("Kind")


def misfit_of(
    state: Mapping[str, Any], model: nn.Module, average: Mapping[str, Tensor], optimizer: Optimizer, generator: Generator
) -> str | None:
    """Say what first sets a checkpoint apart from those of this training, or None.

    Parameters
    ----------
    state : mapping
        As read.
    model, average, optimizer, generator
        What it is to be loaded into; their names, types and shapes must be found again.
    """
    for name, kind in PARTS.items():
        if not isinstance(state.get(name), kind):
            return f"its '{name}' is missing or no {kind.__name__.lower()}"
    owned = model.state_dict()
    return (
        _misfit("model", state["model"], owned, {name for name, _ in model.named_parameters()})
        or _misfit("average", state["average"], average, set(average))
        or _optimizer_misfit(state["optimizer"], optimizer)
        or _misfit("generator", {"state": state["generator"]}, {"state": generator.get_state()}, set())
        or ("its 'objective' is no dict" if not isinstance(state.get("objective", {}), dict) else None)
    )


def _misfit(part: str, found: Mapping[Any, Any], expected: Mapping[str, Tensor], finite: set[str]) -> str | None:
    """The same of tensors by name; those named in ``finite`` must be numbers."""
    if not all(isinstance(one, Tensor) for one in found.values()):
        return f"its '{part}' holds something else than tensors"
    if problem := misfit(facts_of(found), facts_of(expected)):
        return f"{part}: {problem}"
    spoilt = not_finite({name: found[name] for name in finite})
    return f"{part}: '{spoilt}' holds numbers that are none" if spoilt else None


def _optimizer_misfit(found: Mapping[str, Any], optimizer: Optimizer) -> str | None:
    groups, own = found.get("param_groups"), optimizer.param_groups
    if not isinstance(groups, list) or len(groups) != len(own) or not all(isinstance(group, dict) for group in groups):
        return "optimizer: other groups of parameters"
    for group, ours in zip(groups, own, strict=True):
        numbers = group.get("params")
        if not isinstance(numbers, list) or len(numbers) != len(ours["params"]):
            return "optimizer: other parameters"
        if wrong := [name for name in ours if name != "params" and not _is_like(group.get(name, ours[name]), ours[name])]:
            return f"optimizer: '{wrong[0]}' is {group[wrong[0]]!r:.40}"
    parameters = [p for group in own for p in group["params"]]
    return _moments_misfit(found.get("state"), [number for group in groups for number in group["params"]], parameters)


def _is_like(value: Any, ours: Any) -> bool:
    """Whether a setting of the optimizer is of the kind of ours: a switch, a finite number, or as many of them."""
    if isinstance(ours, (bool, type(None))):
        return isinstance(value, (bool, type(None)))
    if isinstance(ours, tuple):
        return isinstance(value, (tuple, list)) and len(value) == len(ours) and all(map(_is_like, value, ours))
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _moments_misfit(state: Any, numbers: list[Any], parameters: list[Tensor]) -> str | None:
    """The averages that the optimizer keeps per parameter: none at all before the first step."""
    if not isinstance(state, dict) or (state and set(state) - set(numbers)):
        return "optimizer: state of other parameters"
    for number, parameter in zip(numbers, parameters, strict=True):
        held = state.get(number)
        if held is None:
            continue
        kept = {name: held.get(name) for name in OPTIMIZER_STATE} if isinstance(held, dict) else {"state": None}
        if problem := _misfit("optimizer", kept, dict.fromkeys(OPTIMIZER_STATE, parameter.detach()), set(OPTIMIZER_STATE)):
            return problem
    return None


def progress_from(values: Mapping[str, Any], kind: type[Kind], n_batches: int) -> Kind:
    """Make a Progress of what a checkpoint says.

    Raises
    ------
    TypeError, ValueError
        If it says too little, too much, or something impossible.
    """
    made: Any = kind(**values)
    if wrong := wrong_kinds(made):
        raise ValueError(f"progress: {wrong[0]}")
    if not all(is_count(value) for value in (made.step, made.epoch, made.batch)) or made.batch > n_batches:
        raise ValueError(f"progress: step {made.step}, epoch {made.epoch}, batch {made.batch} of {n_batches}")
    if not isinstance(made.rows, list) or not all(isinstance(row, dict) for row in made.rows):
        raise ValueError("progress: rows that are no rows")
    if not isinstance(made.sums, dict) or not all(isinstance(one, (int, float)) for one in made.sums.values()):
        raise ValueError("progress: losses that are no numbers")
    return made
