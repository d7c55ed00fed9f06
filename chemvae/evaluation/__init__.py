"""Measure a model: sets of molecules, reconstruction, the bound, predictions; and the report that shows it all."""

from chemvae.evaluation.latent.curves import validity_against_norm, validity_against_radius
from chemvae.evaluation.likelihood.importance import log_evidence
from chemvae.evaluation.mistakes import failures
from chemvae.evaluation.protocols import Evaluation, evaluate_model, run_evaluation
from chemvae.evaluation.report import render_report, write_report
from chemvae.evaluation.settings import EvaluationSettings

__all__ = [
    "Evaluation",
    "EvaluationSettings",
    "evaluate_model",
    "failures",
    "log_evidence",
    "render_report",
    "run_evaluation",
    "validity_against_norm",
    "validity_against_radius",
    "write_report",
]
