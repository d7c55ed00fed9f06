"""Old names of modules: each still found, with a warning that says where it is now."""

import importlib
import subprocess
import sys
import warnings

import pytest

from chemvae.deprecation.modules import MOVED


@pytest.mark.parametrize("old", sorted(MOVED))
def test_what_a_name_leads_to_is_there(old):
    module = importlib.import_module(f"chemvae.{old}")
    assert module.__name__ == f"chemvae.{old}"
    for home in MOVED[old].split():
        importlib.import_module(f"chemvae.{home}")
    with pytest.raises(AttributeError, match="never"):
        _ = module.never_was


@pytest.mark.parametrize(
    ("statement", "new"),
    [
        ("from chemvae.design.constraints import Substructure", "chemvae.design.filters.structure"),
        ("from chemvae.design.constraints import Restriction as Substructure", "chemvae.design.filters.base"),
        ("from chemvae.data.preparation import load_table as Substructure", "chemvae.data.prepare.tables"),
        ("from chemvae.design.result import running_top as Substructure", "chemvae.design.results.summary"),
        ("from chemvae.design.campaign import run_campaign as Substructure", "chemvae.design.campaign.run"),
        ("from chemvae.models.gru import GRU as Substructure", "chemvae.models.gru.layer"),
    ],
)
def test_an_old_import_works_and_warns(statement, new):
    names: dict = {}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        exec(statement, names)
    assert names["Substructure"].__module__ == new
    assert any("goes in the next version" in str(one.message) for one in said)


def test_names_that_never_were_are_not_found():
    done = subprocess.run([sys.executable, "-c", "import chemvae.design.nothing"], capture_output=True, text=True)
    assert "ModuleNotFoundError" in done.stderr
