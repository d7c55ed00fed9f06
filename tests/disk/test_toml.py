"""TOML is read on every Python, and what is none says so."""

import pytest

from chemvae.disk.toml import parse_toml


def test_tables_numbers_and_lists_come_as_they_are_written():
    text = '[learn]\nbeta = 1e-3\nrounds = 5\n[learn.more]\nnames = ["a", "b"]\non = true\n'
    assert parse_toml(text) == {"learn": {"beta": 1e-3, "rounds": 5, "more": {"names": ["a", "b"], "on": True}}}


@pytest.mark.parametrize("text", ["beta = ", "[a]\n[a]\n", "a = 1\na = 2", "{}"])
def test_what_is_no_toml_is_a_value_error(text):
    with pytest.raises(ValueError):
        parse_toml(text)
