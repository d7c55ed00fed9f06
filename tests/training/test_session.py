"""Settings that a run chooses for itself when it goes on from another model."""

from dataclasses import replace

from chemvae.training.session import FEW_MOLECULES, for_tuning
from chemvae.training.settings import TrainingSettings


def test_few_molecules_are_read_in_small_batches_and_never_for_long():
    tuned = for_tuning(TrainingSettings(epochs=10), 320)
    assert (tuned.batch_size, tuned.learning_rate, tuned.patience) == (32, 4e-4, 5)
    assert tuned.warmup_steps == 10  # a tenth of 10 epochs of 10 batches


def test_what_the_user_chose_stays():
    asked = TrainingSettings(epochs=10, batch_size=256, learning_rate=3e-3, patience=0, warmup_steps=7)
    assert for_tuning(asked, 320, given={"batch_size", "learning_rate", "patience", "warmup_steps"}) == asked
    half = for_tuning(asked, 320, given={"batch_size"})
    assert half == replace(asked, learning_rate=4e-4, patience=5, warmup_steps=2)  # a tenth of 10 epochs of 2 batches


def test_a_more_careful_preset_stays():
    careful = TrainingSettings(batch_size=8, learning_rate=1e-5, patience=2, warmup_steps=1)
    assert for_tuning(careful, 320) == careful


def test_many_molecules_are_trained_on_as_ever():
    assert for_tuning(TrainingSettings(), FEW_MOLECULES) == TrainingSettings()
    assert for_tuning(TrainingSettings(), FEW_MOLECULES - 1) != TrainingSettings()
