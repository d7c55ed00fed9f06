"""The Kohn-Sham field: PySCF is loaded so that it uses what the processor has."""

import json
import os
import subprocess
import sys

import pytest

from chemvae.chem.properties import conformer
from chemvae.chem.quantum import dft, ris
from chemvae.chem.quantum.structure import Structure
from tests.chem.quantum.programs import needs

needs("pyscf", "dft")
ASK = """
import json, os, sys
from chemvae.chem.quantum.dft import load_pyscf
load_pyscf()
import pyscf.lib, threadpoolctl
loaded = [one for one in threadpoolctl.threadpool_info() if "pyscf" in one["filepath"] and one["user_api"] == "blas"]
print(json.dumps({"kernels": [one["architecture"] for one in loaded], "left": os.environ.get("OPENBLAS_CORETYPE")}))
"""


def answer(**variables):
    """What a program of its own says of the linear algebra that it has loaded."""
    surroundings = {name: value for name, value in os.environ.items() if name != dft.KERNELS} | variables
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True, env=surroundings)
    return json.loads(done.stdout)


def test_the_wheel_of_pyscf_does_not_take_a_young_processor_for_an_old_one():
    found = answer()
    if not found["kernels"] or not dft._has_avx2():
        pytest.skip("PySCF has no OpenBLAS of its own, or this is not Linux on a processor with AVX2")
    assert found == {"kernels": ["Haswell"], "left": None}


def test_a_tighter_field_moves_excitations_by_less_than_a_thousandth_of_an_electronvolt(monkeypatch):
    structure, found = Structure.from_mol(conformer("NC=O")), []
    for threshold in (dft.CONVERGED, 1e-10):
        monkeypatch.setattr(dft, "CONVERGED", threshold)
        found.append([energy for name, energy in ris.excited_states(structure).items() if name != "f"])
    assert found[0] == pytest.approx(found[1], abs=1e-3) and found[0] != found[1]


def test_what_a_user_says_of_the_kernels_stands():
    found = answer(OPENBLAS_CORETYPE="Nehalem")
    assert found["left"] == "Nehalem" and set(found["kernels"]) <= {"Nehalem"}
