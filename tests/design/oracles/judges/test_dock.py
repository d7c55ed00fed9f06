"""Docking: names, seeds and noise, and one ligand where dockstring and Open Babel are installed."""

import shutil

import pytest

from chemvae.design.oracles.judges import dock
from chemvae.design.oracles.judges.dock import DockOracle, make_dock
from chemvae.errors import SettingsError, UnknownNameError

ETHYLAMINE = "CCN"


@pytest.fixture
def pretended(monkeypatch):
    """Targets without dockstring."""
    monkeypatch.setattr(dock, "require_docking", lambda purpose: None)
    monkeypatch.setattr(dock, "targets", lambda: {"DRD2": None, "KIT": None})


def test_the_value_is_named_after_the_target_and_the_label_says_the_noise(pretended):
    one, four = make_dock("drd2", None), make_dock("KIT,seeds=4", None)
    assert (one.names, four.names, four.n_seeds) == (("dock_DRD2",), ("dock_KIT",), 4)
    assert "0.7 kcal/mol" in one.label and "0.35 kcal/mol" in four.label
    assert one.identity() != make_dock("drd2,seeds=2", None).identity()


def test_what_cannot_be_is_said(pretended):
    with pytest.raises(UnknownNameError, match="DRD2"):
        make_dock("DRD22", None)
    for text in ("DRD2,seeds=many", "DRD2,seeds=0", "DRD2,seeds=101"):
        with pytest.raises(SettingsError, match="seeds"):
            make_dock(text, None)


def test_the_score_is_the_mean_over_seeds_and_a_refusal_is_a_reason(pretended, monkeypatch):
    from chemvae.design.oracles.score import NoScore

    def pretend(self, smiles, seed):
        if smiles == "C":
            raise NoScore("no pose was found")
        return float(seed - dock.FIRST_SEED)

    monkeypatch.setattr(DockOracle, "_dock", pretend)
    good, bad = DockOracle("DRD2", 3).score(["CC", "C"])
    assert good.values == (1.0,) and bad.failed and bad.reason == "no pose was found"


def test_open_babel_is_asked_for_by_name(monkeypatch):
    monkeypatch.setattr(dock, "find_spec", lambda name: object())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SettingsError, match="'dock:DRD2' needs Open Babel's program obabel"):
        DockOracle("DRD2")


@pytest.mark.slow
def test_one_ligand_binds_weakly_and_again_the_same():
    pytest.importorskip("dockstring", reason="comes with the extra 'dock'")
    if shutil.which("obabel") is None:
        pytest.skip("Open Babel's program is not installed")
    score = DockOracle("DRD2").score([ETHYLAMINE])[0]
    assert not score.failed and -5.0 < score.values[0] < -1.0
