"""What the stages of a recipe do: one function per kind, from a run folder to the next."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

import torch

from chemvae.errors import NothingUsableError, SettingsError
from chemvae.models.priors import learned_priors
from chemvae.models.priors.fitting import Standardised
from chemvae.models.storage import load_model, save_model
from chemvae.models.structure.trees import TreeSettings
from chemvae.models.vae import MolVAE
from chemvae.progress import CancelToken
from chemvae.registry import find
from chemvae.runs import RunFolder
from chemvae.training.inputs import TrainingInputs
from chemvae.training.posthoc.finish import finish
from chemvae.training.posthoc.predictor import RefitSettings, refit_predictor
from chemvae.training.posthoc.structure import fit_structure
from chemvae.training.tuning.base import Report, TuningSettings
from chemvae.training.tuning.noised_codes import NoisedCodeSettings, tune_to_noised_codes
from chemvae.training.tuning.reinforce import ReinforceSettings, tune_by_reinforce

log = logging.getLogger(__name__)
Settings = TypeVar("Settings")
CHECKPOINT_S = 120.0
SHARE_OF_PREDICTOR = SHARE_OF_TREES = 0.25  # of the time that the last stage may take
FEWEST_TO_MATCH = 500  # training molecules; a prior is not matched to fewer


OF_MODEL = ("model", "properties", "max_tokens", "sha256", "format_version", "stage")
"""Entries of config.json that whatever saves a model writes itself."""


def facts_of(run: RunFolder) -> dict[str, Any]:
    """What a run's config.json says of its data and settings, to be said of the model that a stage makes of it."""
    return {name: value for name, value in run.read_config().items() if name not in OF_MODEL}


@dataclass
class StageFolder:
    """A stage's run folder as a :class:`~chemvae.training.tuning.base.Keeper`: what it reached, its time, and when to end."""

    run: RunFolder
    budget_s: float = 0.0
    """Seconds that it may take in all; 0 is any time."""
    cancel: CancelToken | None = None
    every_s: float = CHECKPOINT_S
    _saved: float = field(default_factory=time.monotonic)
    _taken: float = 0.0

    def restore(self) -> dict[str, Any] | None:
        """What was kept last."""
        return self.run.read_trainer() if self.run.has("trainer.pt") else None

    def offer(self, state: Callable[[], dict[str, Any]]) -> bool:
        """Keep it every two minutes, and where the stage is told to end."""
        is_told, is_over = self.is_told, bool(self.budget_s) and self._taken >= self.budget_s
        if is_told or time.monotonic() - self._saved > self.every_s:
            self.run.write_trainer(state())
            self._saved = time.monotonic()
        return is_told or is_over

    def time_share(self, elapsed_s: float) -> float:
        """Of the stage's time, what is over."""
        self._taken = elapsed_s
        return elapsed_s / self.budget_s if self.budget_s else 0.0

    @property
    def is_told(self) -> bool:
        """Whether the recipe is told to end, here or wherever it is."""
        return self.cancel is not None and self.cancel.is_cancelled


@dataclass
class Work:
    """What a stage after the first works with."""

    before: RunFolder
    """The run that the stage before it has left."""
    inputs: TrainingInputs
    keeper: StageFolder
    report: Report | None = None

    def done(self, model: MolVAE, settings: Any) -> None:
        """Keep the model as this stage leaves it."""
        save_model(model, self.keeper.run, **facts_of(self.before), stage=asdict(settings))
        self.keeper.run.write_environment()


def settings_of(kind: type[Settings], given: Mapping[str, Any]) -> Settings:
    """Make a stage's settings.

    Raises
    ------
    UnknownNameError
        If a name is no setting of it, naming the nearest.
    SettingsError
        If a value is out of its range.
    """
    known = dict.fromkeys(one.name for one in fields(kind))  # type: ignore[arg-type]  # a dataclass
    return kind(**{find(known, name, "setting")[0]: value for name, value in given.items()})


def between(work: Work, settings: NoisedCodeSettings) -> None:
    """The decoder learns from noised codes (:mod:`chemvae.training.tuning.noised_codes`)."""
    _tuned(work, settings, tune_to_noised_codes)


def reward(work: Work, settings: ReinforceSettings) -> None:
    """The decoder is rewarded (:mod:`chemvae.training.tuning.reinforce`); left out where it writes no molecule at all yet."""
    try:
        _tuned(work, settings, tune_by_reinforce)
    except NothingUsableError as error:
        log.warning("The stage is left out, as %s.", error)
        work.done(load_model(work.before), settings)


def _tuned(work: Work, settings: TuningSettings, tune: Callable[..., list[dict[str, float]]]) -> None:
    model, keeper = load_model(work.before), work.keeper
    rows = tune(model, work.inputs.train, settings, report=work.report, keeper=keeper)
    if keeper.is_told:
        return
    keeper.run.write_metrics(rows)
    work.done(model, settings)


@dataclass(frozen=True)
class FitSettings(RefitSettings):
    """Of the predictor, of trees beside it, and of the learned prior.

    Attributes
    ----------
    trees : boosted trees on fingerprints for each property (:mod:`chemvae.training.posthoc.structure`), kept where they are
        better than the predictor; 0 grows none.
    prior : kind of the learned prior, a name in PRIORS; "" leaves the model's own, as does one that its codes do not suit.
    rounds, texts : of :func:`~chemvae.training.posthoc.prior_matching.match_prior`; 0 rounds leave the prior as it was fitted.
    """

    trees: int = 0
    prior: str = ""
    rounds: int = 2
    texts: int = 12_000

    def __post_init__(self) -> None:
        if self.rounds < 0 or self.texts < 1 or self.trees < 0:
            found = f"{self.rounds}, {self.texts} and {self.trees}"
            raise SettingsError(f"rounds must be >= 0, texts >= 1 and trees >= 0, got {found}")
        if self.prior and self.prior not in learned_priors():
            raise SettingsError(f"prior must be one of {', '.join(learned_priors())}, got '{self.prior}'")


def fit(work: Work, settings: FitSettings) -> None:
    """The predictor is fitted once more, with trees beside it, and the learned prior, then matched to what its texts lack."""
    model, inputs = load_model(work.before), work.inputs
    of_predictor = {one.name: getattr(settings, one.name) for one in fields(RefitSettings)}
    budget_s = left_s = work.keeper.budget_s
    if model.property_names:
        of_it = RefitSettings(**of_predictor)
        refit_predictor(model, inputs.train, of_it, inputs.valid, SHARE_OF_PREDICTOR * budget_s)
        left_s -= SHARE_OF_PREDICTOR * budget_s
    if model.property_names and settings.trees:
        grown = TreeSettings(rounds=settings.trees)
        fit_structure(model, inputs.train, inputs.valid, grown, settings.seed, SHARE_OF_TREES * budget_s)
        left_s -= SHARE_OF_TREES * budget_s
    matched = settings.rounds > 0 and len(inputs.train) >= FEWEST_TO_MATCH
    torch.manual_seed(settings.seed)  # a flow starts from random weights
    if settings.prior:
        _take_prior(model, settings.prior)
    if isinstance(learned := model.priors["learned"], Standardised):
        learned.fit_s = left_s / (1 + matched * settings.rounds)  # each matching fits it again
    matching = {"rounds": settings.rounds, "texts": settings.texts}
    try:
        finish(model, inputs.train, inputs.valid, None, settings.seed, matching if matched else None)
    except NothingUsableError as error:
        log.warning("The learned prior is left as it was fitted to the codes, as %s.", error)
        finish(model, inputs.train, inputs.valid, None, settings.seed)
    work.done(model, settings)


def _take_prior(model: MolVAE, kind: str) -> None:
    """Let the learned prior be of this kind, if the codes suit it."""
    try:
        model.take_learned_prior(kind)
    except SettingsError as error:
        log.warning("The learned prior stays a %s: %s.", model.settings.fitted_prior, error)


KINDS: dict[str, tuple[type[Any], Callable[[Work, Any], None]]] = {
    "noised": (NoisedCodeSettings, between),
    "reward": (ReinforceSettings, reward),
    "fit": (FitSettings, fit),
}
"""What a stage after the first may do: its settings, and the function. The first trains."""


def checked(kind: str, given: Mapping[str, Any], budget_s: float = 0.0) -> Any:
    """The settings of a stage after the first; a critic's beginning is no longer than a third of a short stage."""
    made = settings_of(find(KINDS, kind, "kind of stage")[1][0], given)
    if isinstance(made, ReinforceSettings) and budget_s:
        most = max(1, round(budget_s / 3 * TEXTS_PER_S))
        made = replace(made, critic_points=min(made.critic_points, most))
    return made


TEXTS_PER_S = 200  # that a decoder of usual size writes on one slow core
