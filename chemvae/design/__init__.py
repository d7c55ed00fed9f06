"""Design: search latent space for molecules with a high score, under constraints and within a budget.

``ORACLES`` and ``OPTIMIZERS`` list what can be named; a user's own class is passed as it is.
"""

from chemvae.deprecation.names import renamed_names
from chemvae.design.campaign.run import CampaignSpec, Progress, run_campaign
from chemvae.design.evaluators.laboratory import Laboratory
from chemvae.design.filters.base import Filter
from chemvae.design.filters.property_bounds import Constraint, Range, parse_constraint
from chemvae.design.filters.structure import Alerts, Similarity, Substructure
from chemvae.design.goals import Goal
from chemvae.design.optimizers.base import Optimizer
from chemvae.design.optimizers.factory import OPTIMIZERS
from chemvae.design.optimizers.genetic import GraphGA
from chemvae.design.optimizers.gradient import GradientAscent
from chemvae.design.optimizers.latent_ga import LatentGA
from chemvae.design.optimizers.pareto import ParetoGA
from chemvae.design.optimizers.random_search import RandomSearch
from chemvae.design.optimizers.turbo import BayesianOptimization
from chemvae.design.oracles import CombinedOracle, FunctionOracle, Oracle, PredictorOracle, PropertyOracle, Score, make_oracle
from chemvae.design.oracles.desirability import Desirability
from chemvae.design.oracles.factory import BUILTIN, ORACLES
from chemvae.design.oracles.learned import LearnedOracle
from chemvae.design.oracles.listwise import ListOracle
from chemvae.design.oracles.programs.command_csv import CsvCommandOracle
from chemvae.design.oracles.programs.command_json import CommandOracle
from chemvae.design.oracles.simple import MoleculeOracle
from chemvae.design.results.result import Result
from chemvae.design.results.summary import compare, summary

__all__ = [
    "BUILTIN",
    "OPTIMIZERS",
    "ORACLES",
    "Alerts",
    "BayesianOptimization",
    "CampaignSpec",
    "CombinedOracle",
    "CommandOracle",
    "Constraint",
    "CsvCommandOracle",
    "Desirability",
    "Filter",
    "FunctionOracle",
    "Goal",
    "GradientAscent",
    "GraphGA",
    "Laboratory",
    "LatentGA",
    "LearnedOracle",
    "ListOracle",
    "MoleculeOracle",
    "Optimizer",
    "Oracle",
    "ParetoGA",
    "PredictorOracle",
    "Progress",
    "PropertyOracle",
    "RandomSearch",
    "Range",
    "Result",
    "Score",
    "Similarity",
    "Substructure",
    "compare",
    "make_oracle",
    "parse_constraint",
    "run_campaign",
    "summary",
]

__getattr__ = renamed_names(__name__, {"Restriction": "Filter", "Auto": "LatentGA", "Front": "ParetoGA"})
