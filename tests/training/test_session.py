"""What a run is made of, and the settings it chooses for itself when it goes on from another model."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from chemvae.errors import SettingsError, UnknownNameError
from chemvae.training.session import FEW_MOLECULES, OWN_OPTIONS, SETTING_NAMES, Reading, RunSpec, for_tuning
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


def test_what_a_user_says_is_sorted_into_one_spec():
    spec = RunSpec.of(
        ["CCO"], ["logP"], "tiny", 7, posterior="gaussian", beta=0.5, split_column="part", tokens="atom", jobs=3, overwrite=True
    )
    assert (spec.targets, spec.preset, spec.training.seed, spec.training.beta) == (("logP",), "tiny", 7, 0.5)
    assert spec.reading == Reading(split_column="part")
    assert (spec.tokens, spec.jobs, spec.overwrite, spec.given) == ("atom", 3, True, {"posterior", "beta"})
    with pytest.raises(FrozenInstanceError):
        spec.jobs = 1


def test_a_name_that_is_none_of_them_is_refused_with_the_nearest():
    for wrong, near in (("latent_dimm", "latent_dim"), ("standardise", "standardize"), ("devise", "device")):
        with pytest.raises(UnknownNameError, match=f"no setting called '{wrong}'. Did you mean '{near}'"):
            RunSpec.of(["CCO"], **{wrong: 1})


def test_every_keyword_has_one_place():
    named = [*OWN_OPTIONS, *(one.name for one in fields(Reading)), *SETTING_NAMES]
    assert len(named) == len(set(named))
    assert set(OWN_OPTIONS) <= {one.name for one in fields(RunSpec)}


def test_all_complaints_come_at_once():
    with pytest.raises(SettingsError) as caught:
        RunSpec.of(["CCO"], epochs=0, latent_dim=0, prior="nothing", objective="nothing")
    assert len(caught.value.complaints) == 4
