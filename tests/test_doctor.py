"""What the doctor finds, with installations made up."""

import importlib.util

import pytest

from chemvae import doctor
from chemvae.models.gru import kernels


def states(findings: list[doctor.Finding]) -> dict[str, str]:
    return {finding.topic: finding.state for finding in findings}


def test_this_installation_is_sound():
    assert "broken" not in states(doctor.examine(self_test=False)).values()


def test_the_old_package_that_hides_rdkit_is_named(monkeypatch):
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "2022.9.5" if name == "rdkit-pypi" else version(name))
    findings = doctor.examine()
    assert states(findings)["RDKit"] == "broken" and "self-test" not in states(findings)
    assert "pip uninstall" in findings[-1].remedy


def test_a_missing_package_comes_with_its_pip_line(monkeypatch):
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "botorch" else version(name))
    found = next(finding for finding in doctor.examine(self_test=False) if finding.topic == "packages")
    assert (found.state, found.remedy) == ("broken", "pip install botorch")


@pytest.mark.parametrize("name", doctor.EXTRAS)
def test_an_extra_that_is_missing_is_a_note_with_its_pip_line(monkeypatch, name):
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    found = doctor._extra(name)
    assert (found.state, found.remedy) == ("note", f"pip install 'chemvae[{name}]'")


def test_without_a_compiler_it_still_works(monkeypatch):
    monkeypatch.setenv("CHEMVAE_NO_COMPILER", "1")
    kernels.kernels.cache_clear()
    try:
        found = doctor._kernels()
    finally:
        kernels.kernels.cache_clear()
    assert found.state == "note" and "same numbers" in found.text


def test_the_kernels_in_use_are_named():
    used, found = kernels.kernels_in_use(), doctor._kernels()
    if used["kind"] == "compiled":
        assert used["isa"] in found.text and used["sha256"][:16] in found.text
    else:
        assert found.state == "note"


def test_a_cache_that_cannot_be_written_is_a_note(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "file" / "cache"))
    assert doctor._cache().state == "note"


def test_a_data_folder_that_is_not_there_is_a_note(monkeypatch, tmp_path):
    monkeypatch.setenv("CHEMVAE_DATA", str(tmp_path / "nowhere"))
    assert doctor._data_folder().state == "note"


def test_a_failing_self_test_is_broken_with_its_reason(monkeypatch):
    def fail() -> str:
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(doctor, "_walk_the_path", fail)
    assert doctor._self_test().state == "broken" and "no kernel image" in doctor._self_test().text
