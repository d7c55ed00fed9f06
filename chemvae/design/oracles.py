"""Oracles: what scores molecules. One door to the base class, the kinds of oracle, and :func:`make_oracle`.

A score that could not be had is NaN with its reason. It is never 0, and never the score of another molecule.
"""

from chemvae.design.kinds import CombinedOracle, FunctionOracle, JointOracle, PredictorOracle, PropertyOracle
from chemvae.design.making import make_oracle
from chemvae.design.oracle import DEFAULT_NAME, Oracle
from chemvae.design.score import NoScore, Score

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
    "make_oracle",
]
