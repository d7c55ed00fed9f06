"""What a job may be asked for: the settings of each kind, with the most that is taken of everything."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from chemvae.app.settings import Limits
from chemvae.errors import SettingsError
from chemvae.registry import find

LONGEST_SMILES, LONGEST_NAME = 2_000, 200
Smiles = Annotated[str, Field(min_length=1, max_length=LONGEST_SMILES)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Upload = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Settings(BaseModel):
    """Of any kind of job: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Neighbors(Settings):
    """Known molecules that are alike, and new ones around a molecule."""

    smiles: Smiles
    n: int = Field(24, ge=1, le=500)
    radius: FiniteFloat | None = Field(None, gt=0, le=10)


class Interpolate(Settings):
    """The way from one molecule to another."""

    smiles: Smiles
    to: Smiles
    steps: int = Field(9, ge=2, le=200)


class Edit(Settings):
    """A molecule changed along a property."""

    smiles: Smiles
    along: Name
    steps: int = Field(5, ge=1, le=200)
    keep: Name | None = None
    direction: Literal["max", "min"] = "max"
    radius: FiniteFloat | None = Field(None, gt=0, le=10)


class GoalOf(Settings):
    """One goal of a search."""

    name: Name
    direction: Literal["max", "min"] = "max"
    target: FiniteFloat | None = None
    weight: FiniteFloat = Field(1.0, gt=0, le=1e6)
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class Search(Settings):
    """What searches and campaigns have in common."""

    start: list[Smiles] = Field(default_factory=list, max_length=1_000)
    goals: list[GoalOf] = Field(default_factory=list, max_length=20)
    constraints: list[Name] = Field(default_factory=list, max_length=50)
    method: Name = "auto"
    budget: int = Field(500, ge=1)
    seed: Seed = 0
    min_similarity: FiniteFloat | None = Field(None, ge=0, le=1)
    scaffold: Name | None = None
    forbid: list[Name] = Field(default_factory=list, max_length=50)
    neutral: bool = False
    alerts: bool = False
    batch: int | None = Field(None, ge=1, le=1_000)
    diverse: int | None = Field(None, ge=1, le=1_000)
    patience: int | None = Field(None, ge=1, le=100_000)


class Optimize(Search):
    """A search for better molecules."""

    oracle: Annotated[str, Field(max_length=LONGEST_SMILES)] | None = None
    stop_at: FiniteFloat | None = None
    minutes: FiniteFloat | None = Field(None, gt=0)


class Campaign(Search):
    """A search that a laboratory measures for."""

    measured: list[Annotated[str, Field(pattern=r"^[^,:=<>]{1,60}$")]] = Field(default_factory=list, max_length=10)
    budget: int = Field(1_000, ge=1)


class Fit(Settings):
    """A property learned from an upload."""

    upload: Upload
    column: Name


class Train(Settings):
    """A model trained on an upload."""

    upload: Upload
    columns: list[Name] = Field(default_factory=list, max_length=50)
    minutes: FiniteFloat | None = Field(60, gt=0)
    preset: Literal["tiny", "cpu"] | None = None


class Place(Settings):
    """An upload on the map."""

    upload: Upload


class Library(Settings):
    """An upload as the library of the project."""

    upload: Upload


REQUESTS: dict[str, type[Settings]] = {
    "neighbors": Neighbors, "interpolate": Interpolate, "edit": Edit, "optimize": Optimize, "fit": Fit, "train": Train,
    "place": Place, "library": Library,
}  # fmt: skip
"""Kinds that a page may ask for."""


def checked(kind: str, settings: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """The settings of a job as it is given to a worker, the usual ones filled in.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    SettingsError
        Naming what cannot be taken, all of it at once.

    Examples
    --------
    >>> checked("neighbors", {"smiles": "CCO"}, Limits())
    {'smiles': 'CCO', 'n': 24, 'radius': None}
    """
    return read_settings(find(REQUESTS, kind, "kind of job")[1], settings, limits)


def read_settings(shape: type[Settings], settings: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """As :func:`checked`, for a class of settings."""
    try:
        found = shape(**settings).model_dump()
    except ValidationError as error:
        raise SettingsError([say_complaint(one) for one in error.errors()]) from None
    complaints = []
    if found.get("budget", 0) > limits.budget:
        complaints.append(f"budget must be at most {limits.budget:,}, got {found['budget']:,}")
    if (found.get("minutes") or 0) > limits.minutes:
        complaints.append(f"minutes must be at most {limits.minutes:,}, got {found['minutes']:,}")
    if complaints:
        raise SettingsError(complaints)
    return found


def say_complaint(error: Any) -> str:
    """One of pydantic's complaints in words."""
    where = ".".join(str(one) for one in error["loc"] if one not in ("body", "query", "path"))
    if error["type"] == "extra_forbidden":
        return f"there is no setting '{where[:60]}'"
    if error["type"] == "missing":
        return f"'{where}' is missing"
    return f"{where or 'the request'}: {error['msg'][:1].lower()}{error['msg'][1:]}"
