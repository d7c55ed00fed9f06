"""Training: settings, the loop, what is measured on the way, and what is fitted at the end."""

from chemvae.training.callbacks import Callback, MLflow, WandB
from chemvae.training.settings import PRESETS, TrainingSettings
from chemvae.training.trainer import Trainer

__all__ = ["PRESETS", "Callback", "MLflow", "Trainer", "TrainingSettings", "WandB"]
