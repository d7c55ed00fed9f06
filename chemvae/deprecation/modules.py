"""Modules that stand elsewhere now: importing one by its old name works for one version more, and says where to look.

What is public is what ``chemvae`` and the rooms' ``__init__`` list; these names were never promised, but are in use.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

MOVED: dict[str, str] = {
    "chem.evolution": "chem.ga.breeding",
    "chem.fragments": "chem.ga.fragments",
    "chem.graphs": "chem.ga.graphs",
    "chem.mutation": "chem.ga.mutation",
    "data.checking": "data.prepare.checking",
    "data.cleaning": "data.prepare.cleaning",
    "data.columns": "data.files.columns",
    "data.datasets": "data.tokens.datasets",
    "data.download": "data.catalog.download",
    "data.drug_blocks": "data.virtual.drug_blocks",
    "data.kept": "data.catalog.cache",
    "data.oled_blocks": "data.virtual.oled_blocks",
    "data.preparation": "data.prepare.preparation",
    "data.reading": "data.files.reading",
    "data.sdf": "data.files.formats.sdf",
    "data.sources": "data.prepare.sources",
    "data.streams": "data.files.streams",
    "data.tables": "data.prepare.tables",
    "data.tokenfiles": "data.tokens.tokenfiles",
    "data.tokenizing": "data.tokens.tokenizing",
    "data.vocabulary": "data.tokens.vocabulary",
    "data.writing": "data.files.writing",
    "design.auto": "design.optimizers.latent_ga",
    "design.bayesian": "design.optimizers.turbo",
    "design.book": "design.evaluators.ledger design.evaluators.receipt",
    "design.builtin": "design.oracles.named design.oracles.simple",
    "design.candidates": "design.campaign.candidates",
    "design.chooser": "design.optimizers.acquisition",
    "design.commands": "design.oracles.programs.command_json",
    "design.composition": "design.oracles.desirability",
    "design.conditions": "design.campaign.task seeding design.campaign.run "
    "design.campaign.goal_matching design.optimizers.factory models.storage",
    "design.constraints": "design.filters.chain design.filters.base "
    "design.filters.property_bounds design.filters.structure design.filters.parsing",
    "design.crew": "design.oracles.pools",
    "design.csv_commands": "design.oracles.programs.command_csv",
    "design.front": "design.optimizers.pareto",
    "design.gradient": "design.optimizers.gradient",
    "design.history": "design.evaluators.history",
    "design.hypervolume": "design.surrogates.hypervolume",
    "design.kinds": "design.oracles.simple design.oracles.combined",
    "design.laboratory": "design.evaluators.laboratory",
    "design.learned": "design.oracles.learned",
    "design.making": "design.oracles.factory",
    "design.measurements": "design.evaluators.results_table",
    "design.memory": "design.oracles.cache",
    "design.model_based": "design.optimizers.surrogate_based",
    "design.optimizer": "design.optimizers.base design.optimizers.archive",
    "design.oracle": "design.oracles.base",
    "design.process": "design.surrogates.exact_gp",
    "design.programs": "design.oracles.programs.program",
    "design.progress": "design.campaign.progress",
    "design.random_search": "design.optimizers.random_search",
    "design.record": "design.evaluators.journal",
    "design.region": "design.optimizers.latent_region",
    "design.report": "design.results.report",
    "design.report_figures": "design.results.report_figures",
    "design.report_reasons": "design.results.report_data",
    "design.result": "design.results.result design.results.outcome design.results.summary design.results.describe",
    "design.retraining": "design.optimizers.retraining",
    "design.rounds": "design.campaign.loop",
    "design.score": "design.oracles.score",
    "design.scoring": "design.evaluators.base design.evaluators.direct design.evaluators.history",
    "design.surrogate": "design.surrogates.latent_gp design.surrogates.predicted design.surrogates.training_set",
    "design.tanimoto": "design.surrogates.tanimoto_gp design.surrogates.training_set",
    "design.worker": "parallel.timed",
    "models.flow": "models.priors.flow",
    "models.gates": "models.gru.kernels",
    "models.growth": "models.widening",
    "models.property_features": "qsar.features",
    "models.property_kernel": "qsar.kernel",
    "models.property_model": "qsar.model",
    "models.statistics": "models.latent_statistics",
    "models.workspace": "models.gru.workspace",
    "ray_pool": "parallel.ray",
    "sampling.decodes": "sampling.latent_points",
    "sampling.overlap": "sampling.pipeline",
    "sampling.syntax": "sampling.masked sampling.grammar",
    "training.critic": "training.tuning.critic",
    "training.decoder_tuning": "training.tuning.base",
    "training.finishing": "training.posthoc.finish",
    "training.monitor": "training.validation",
    "training.noised_codes": "objectives.noised_codes models.priors",
    "training.noised_tuning": "training.tuning.noised_codes",
    "training.prior_matching": "training.posthoc.prior_matching",
    "training.prior_points": "objectives.own_samples",
    "training.prior_tuning": "training.tuning.expert_iteration",
    "training.refitting": "training.posthoc.predictor",
    "training.reward_tuning": "training.tuning.reinforce",
}
"""Module below chemvae -> the modules, between blanks, that hold what it held."""

RENAMED = {
    "Restriction": "Filter",
    "Gatekeeper": "FilterChain",
    "Auto": "LatentGA",
    "Front": "ParetoGA",
    "Memory": "ScoreCache",
    "Record": "Journal",
    "Scoring": "Evaluator",
    "DirectScoring": "OracleEvaluator",
    "Desk": "LaboratoryEvaluator",
    "Standing": "BestSoFar",
    "ModelBased": "SurrogateBased",
    "StepWidth": "TrustRegionSize",
    "TanimotoChooser": "TanimotoAcquisition",
    "Process": "ExactGP",
    "PriorPoints": "OwnSamples",
    "Points": "LatentPoints",
    "PriorTuningSettings": "ExpertIterationSettings",
    "RewardTuningSettings": "ReinforceSettings",
    "NoisedTuningSettings": "NoisedCodeSettings",
    "tune_to_prior": "tune_by_expert_iteration",
    "tune_by_reward": "tune_by_reinforce",
}
"""Names in these modules that are called otherwise now."""


def moved_names(module: str, homes: str, names: tuple[str, ...] = ()) -> Callable[[str], Any]:
    """A module's ``__getattr__`` for names that stand in other modules now.

    Parameters
    ----------
    module : str
        Its ``__name__``.
    homes : str
        Modules below chemvae, between blanks.
    names : tuple of str
        The only ones, where the module is a package now; without any, all that are there.

    Examples
    --------
    >>> old = moved_names("chemvae.design.constraints", "design.filters.base")
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     old("Restriction").__name__, str(said[0].message).partition(";")[0]
    ('Filter', 'chemvae.design.constraints.Restriction is chemvae.design.filters.base.Filter now')
    """

    def getattr_of_module(name: str) -> Any:
        if name in names if names else not name.startswith("_"):
            new = RENAMED.get(name, name)
            for home in homes.split():
                found = importlib.import_module(f"chemvae.{home}")
                if hasattr(found, new):
                    place = f"chemvae.{home}.{new}"
                    warnings.warn(
                        f"{module}.{name} is {place} now; the old name goes in the next version", DeprecationWarning, 2
                    )
                    return getattr(found, new)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return getattr_of_module


class MovedModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of :data:`MOVED`, after everything that is really there."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """A spec for a module that has moved, None for all others."""
        if fullname.removeprefix("chemvae.") not in MOVED or not fullname.startswith("chemvae."):
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        """Let it hand out what stands elsewhere."""
        homes = MOVED[module.__name__.removeprefix("chemvae.")]
        module.__dict__["__getattr__"] = moved_names(module.__name__, homes)


def install() -> None:
    """Have old names of modules found from now on."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
