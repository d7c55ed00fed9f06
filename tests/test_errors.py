"""Errors are sentences that say what to do, with their facts as attributes."""

import pickle

import pytest

from chemvae import errors
from chemvae.errors import (
    ChemVAEError,
    InvalidMoleculeError,
    MissingExtraError,
    RunFolderError,
    SettingsError,
    UnknownNameError,
    UnknownTokenError,
)

EXAMPLES = [
    SettingsError(["a must be > 0", "b must be > 0"]),
    UnknownNameError("property", "logS", ["qed", "logP"], "logP"),
    InvalidMoleculeError("C1CC", "ring 1 is opened and never closed", 7),
    UnknownTokenError("C[Si]C", "Si", 2, 38),
    RunFolderError("runs/a", "holds no config.json.", "Train again."),
    MissingExtraError("pacmap", "maps", "A PaCMAP map"),
]


def test_every_error_is_one_of_ours_with_an_exit_code():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert all(issubclass(kind, ChemVAEError) and kind.exit_code in (1, 2, 3, 130, 143) for kind in kinds)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_each_prints_as_a_sentence_that_names_the_thing(error):
    text = str(error)
    assert text and "\n" not in text and not text.startswith(("'", "[")) or text.startswith(("'C1CC'", "'C[Si]C'"))
    facts = [value for value in vars(error).values() if isinstance(value, str)]
    assert all(fact in text for fact in facts)


def test_all_complaints_are_told_and_one_may_be_a_text():
    assert EXAMPLES[0].complaints == ["a must be > 0", "b must be > 0"] and str(EXAMPLES[0]) == "a must be > 0; b must be > 0"
    assert SettingsError("one").complaints == ["one"]


def test_choices_are_sorted_and_the_nearest_is_asked_for():
    assert str(EXAMPLES[1]) == "There is no property called 'logS'. Did you mean 'logP'? Choose one of: logP, qed."
    assert "Did you mean" not in str(UnknownNameError("property", "x", ["qed"]))


def test_they_are_caught_as_what_python_calls_them():
    with pytest.raises(ValueError, match="a must be"):
        raise EXAMPLES[0]
    with pytest.raises(KeyError, match="logS"):
        raise EXAMPLES[1]


def test_a_message_with_facts_survives_a_process():
    error = pickle.loads(pickle.dumps(SettingsError("one")))
    assert str(error) == "one" and error.complaints == ["one"]
