"""Design: search latent space for molecules with a high score, under constraints and within a budget.

``ORACLES`` and ``OPTIMIZERS`` list what can be named; a user's own class is passed as it is.
"""

from chemvae.design.auto import Auto
from chemvae.design.bayesian import BayesianOptimization
from chemvae.design.builtin import BUILTIN, MoleculeOracle
from chemvae.design.campaign import Progress, run_campaign
from chemvae.design.commands import CommandOracle
from chemvae.design.composition import Desirability
from chemvae.design.constraints import Alerts, Constraint, Range, Restriction, Similarity, Substructure, parse_constraint
from chemvae.design.csv_commands import CsvCommandOracle
from chemvae.design.front import Front
from chemvae.design.goals import Goal
from chemvae.design.gradient import GradientAscent
from chemvae.design.laboratory import Laboratory
from chemvae.design.learned import LearnedOracle
from chemvae.design.optimizer import Optimizer
from chemvae.design.oracles import CombinedOracle, FunctionOracle, Oracle, PredictorOracle, PropertyOracle, Score, make_oracle
from chemvae.design.random_search import RandomSearch
from chemvae.design.result import Result, compare, summary

ORACLES = {
    "function": FunctionOracle,
    "property": PropertyOracle,
    "predictor": PredictorOracle,
    "learned": LearnedOracle,
    "molecule": MoleculeOracle,
    "command": CommandOracle,
    "csv-command": CsvCommandOracle,
    "combined": CombinedOracle,
    "desirability": Desirability,
}
"""Kinds of oracle; :func:`make_oracle` makes one from what a user gives, or from a name in ``BUILTIN``."""

OPTIMIZERS = {
    "auto": Auto,
    "bayesian": BayesianOptimization,
    "gradient": GradientAscent,
    "pareto": Front,
    "random": RandomSearch,
}
"""Ways to search: ``ask(n) -> z``, ``tell(z, y)``."""

__all__ = [
    "BUILTIN",
    "OPTIMIZERS",
    "ORACLES",
    "Alerts",
    "CombinedOracle",
    "CommandOracle",
    "Constraint",
    "CsvCommandOracle",
    "Desirability",
    "FunctionOracle",
    "Goal",
    "Laboratory",
    "LearnedOracle",
    "MoleculeOracle",
    "Optimizer",
    "Oracle",
    "PredictorOracle",
    "Progress",
    "PropertyOracle",
    "Range",
    "Restriction",
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
