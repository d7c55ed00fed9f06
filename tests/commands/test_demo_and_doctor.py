"""chemvae demo and chemvae doctor."""

import json
from pathlib import Path

from chemvae import doctor
from chemvae.commands.shared import training_display
from chemvae.doctor import Finding


def test_demo_hands_on_what_was_asked_and_shows_training(chemvae, monkeypatch, tmp_path):
    asked = {}
    monkeypatch.setattr("chemvae.demo.run_demo", lambda **given: asked.update(given))
    assert chemvae("demo", "--fast", "--seed", 3, "-o", "there").exit_code == 0
    (shown,) = asked.pop("callbacks")
    assert asked == {"out": Path("there"), "model": None, "start": None, "train": False, "seed": 3, "fast": True}
    assert isinstance(shown, training_display.Lines) and shown.run == Path("there/run")


def test_doctor_finds_this_installation_sound(chemvae):
    found = chemvae("doctor", "--json", "-")
    assert found.exit_code == 0, found.output
    findings = {finding["topic"]: finding for finding in json.loads(found.stdout)}
    assert findings["self-test"]["state"] == "ok" and "trained" in findings["self-test"]["text"]
    assert {"Python", "packages", "RDKit", "device", "processor", "kernels", "cache"} <= findings.keys()


def test_doctor_exits_with_1_when_something_is_broken(chemvae, monkeypatch):
    broken = Finding(
        "RDKit", "broken", "rdkit-pypi 2022.9.5 is installed over rdkit and breaks it.", "pip uninstall rdkit-pypi"
    )
    monkeypatch.setattr(doctor, "examine", lambda self_test: [broken])
    found = chemvae("doctor")
    assert found.exit_code == 1
    assert "BROKEN" in found.stderr and "pip uninstall" in found.stderr
