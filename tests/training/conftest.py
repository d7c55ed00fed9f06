"""The small trained model of :mod:`tests.trained_model`."""

from tests.trained_model import model, train, trained

__all__ = ["model", "train", "trained"]
