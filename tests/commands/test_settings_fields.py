"""What --help shows without importing torch is what the tables hold."""

import subprocess
import sys

import pytest

from chemvae.commands import train
from chemvae.commands.shared.settings_fields import settings_fields, table_names
from chemvae.models.posteriors import POSTERIORS
from chemvae.models.priors import learned_priors, trained_priors
from chemvae.objectives import OBJECTIVES
from chemvae.training.settings import PRESETS


def test_names_are_those_of_the_tables():
    assert train.PARTS == {"posterior": list(POSTERIORS), "prior": trained_priors(), "fitted_prior": learned_priors()}
    assert train.OBJECTIVES == {"objective": list(OBJECTIVES)} and list(PRESETS) == train.PRESETS


def test_a_field_shows_the_names_it_may_have():
    found = {one.name: one.choices for one in settings_fields("models/settings.py", "ModelSettings", choices=train.PARTS)}
    assert found["posterior"] == tuple(POSTERIORS) and found["latent_dim"] == ()


def test_a_table_that_is_not_there_is_said():
    with pytest.raises(LookupError, match="holds no table PLANETS"):
        table_names("models/priors/__init__.py", "PLANETS")


def test_help_of_train_shows_them_and_does_not_wait_for_torch():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom chemvae.cli import app\n"
        "found = CliRunner().invoke(app, ['train', '--help'], env={'COLUMNS': '300', 'TERMINAL_WIDTH': '300'})\n"
        "print(found.output)\nprint('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip().endswith("False")
    for names in ("|".join(POSTERIORS), "|".join(OBJECTIVES), "|".join(learned_priors()), "|".join(PRESETS)):
        assert names in found, names
    assert "--objective" in found
