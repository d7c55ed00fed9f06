"""Names that are known without a library: of the page's examples, and of a few molecules that everybody begins with."""

from __future__ import annotations

import re

DRUG, OLED = "drug", "oled"
EXAMPLES = {DRUG: ("paracetamol", "caffeine", "celecoxib"), OLED: ("mCP", "PXZ-TRZ", "TPBi")}
"""Kind of model -> names of molecules to begin with."""
KNOWN = {
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "celecoxib": "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1",
    "imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "ibuprofen": "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "naproxen": "COc1ccc2cc(C(C)C(=O)O)ccc2c1",
    "lidocaine": "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "metoprolol": "COCCc1ccc(OCC(O)CNC(C)C)cc1",
    "diazepam": "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21",
    "fluoxetine": "CNCCC(Oc1ccc(C(F)(F)F)cc1)c1ccccc1",
    "omeprazole": "COc1ccc2[nH]c(S(=O)Cc3ncc(C)c(OC)c3C)nc2c1",
    "benzene": "c1ccccc1",
    "ethanol": "CCO",
    "mCP": "c1cc(-n2c3ccccc3c3ccccc32)cc(-n2c3ccccc3c3ccccc32)c1",
    "PXZ-TRZ": "c1ccc(-c2nc(-c3ccccc3)nc(-c3ccc(N4c5ccccc5Oc5ccccc54)cc3)n2)cc1",
    "TPBi": "c1ccc(-n2c(-c3cc(-c4nc5ccccc5n4-c4ccccc4)cc(-c4nc5ccccc5n4-c4ccccc4)c3)nc3ccccc32)cc1",
    "4CzIPN": "N#Cc1c(-n2c3ccccc3c3ccccc32)c(C#N)c(-n2c3ccccc3c3ccccc32)c(-n2c3ccccc3c3ccccc32)c1-n1c2ccccc2c2ccccc21",
}
"""Name -> SMILES. Isomers are not told apart, as by the shipped models."""
OTHER_NAMES = {"acetaminophen": "paracetamol", "acetylsalicylic acid": "aspirin", "coffein": "caffeine"}
_WORD = re.compile(r"[\w .,'-]*[a-z]{3}[\w .,'-]*")
_ATOMS = re.compile(r"(Cl|Br|[BCNOPSFIHbcnops0-9-])+")


def find_name(text: str) -> tuple[str, str] | None:
    """Name and SMILES of a molecule that is known by name, whatever the case.

    Examples
    --------
    >>> find_name("Caffeine"), find_name("acetaminophen"), find_name("no such")
    (('caffeine', 'Cn1c(=O)c2c(ncn2C)n(C)c1=O'), ('paracetamol', 'CC(=O)Nc1ccc(O)cc1'), None)
    """
    key = OTHER_NAMES.get(text.strip().lower(), text.strip().lower())
    return next(((name, smiles) for name, smiles in KNOWN.items() if name.lower() == key), None)


def looks_like_name(text: str) -> bool:
    """Whether a text that is no molecule is meant as a name: a word, without the signs that a SMILES is written with.

    Examples
    --------
    >>> [looks_like_name(one) for one in ("ibuprofin", "Sodium azide", "C1CC", "c1ccccc", "CCN(CC")]
    [True, True, False, False, False]
    """
    return _WORD.fullmatch(text.strip()) is not None and _ATOMS.fullmatch(text.strip()) is None


def examples_for(model_name: str) -> list[tuple[str, str]]:
    """Molecules to begin with for a model, by what it is called.

    Examples
    --------
    >>> [name for name, _ in examples_for("oled")]
    ['mCP', 'PXZ-TRZ', 'TPBi']
    """
    kind = OLED if OLED in model_name.lower() else DRUG
    return [(name, KNOWN[name]) for name in EXAMPLES[kind]]
