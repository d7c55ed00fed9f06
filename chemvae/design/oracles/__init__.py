"""Oracles: what scores molecules. One door to the base class, the sorts of oracle, and :func:`make_oracle`.

A score that could not be had is NaN with its reason. It is never 0, and never the score of another molecule.
"""

from chemvae.design.oracles.base import DEFAULT_NAME, Oracle
from chemvae.design.oracles.combined import CombinedOracle, JointOracle
from chemvae.design.oracles.factory import make_oracle
from chemvae.design.oracles.score import NoScore, Score
from chemvae.design.oracles.simple import FunctionOracle, PredictorOracle, PropertyOracle
from chemvae.design.oracles.uncertain import UncertainOracle, cautious

__all__ = [
    "DEFAULT_NAME",
    "CombinedOracle",
    "FunctionOracle",
    "JointOracle",
    "NoScore",
    "Oracle",
    "PredictorOracle",
    "PropertyOracle",
    "Score",
    "UncertainOracle",
    "cautious",
    "make_oracle",
]
