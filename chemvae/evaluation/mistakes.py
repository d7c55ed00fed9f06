"""Molecules that do not come back, and what kind of mistake each is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from chemvae.chem.fingerprints import scaffold, tanimoto
from chemvae.chem.molecules import invalid_reason, parse, parse_known, parse_raw, quiet
from chemvae.evaluation.roundtrip import Canonical, Encoded, encode_molecules, reconstruction_greedy

if TYPE_CHECKING:
    import pandas as pd

    from chemvae.models.vae import MolVAE

MISTAKES = {
    "unencodable": "the vocabulary lacks one of its symbols",
    "unfinished": "a molecule, but the end token was not written",
    "syntax": "a ring, branch or bracket is left open, or the grammar is broken",
    "aromaticity": "an aromatic system that has no alternating bonds",
    "valence": "an atom with too many bonds",
    "stereo": "right but for its stereo marks",
    "placement": "same formula and same scaffold: something sits in another place",
    "isomer": "same formula, other scaffold",
    "substituents": "same scaffold, other atoms on it",
    "other": "another scaffold and another formula",
}


def failures(model: MolVAE, smiles: Sequence[str]) -> pd.DataFrame:
    """List the molecules whose posterior mean, decoded greedily, is not the molecule.

    Parameters
    ----------
    model : MolVAE
    smiles : sequence of str
        Valid molecules.

    Returns
    -------
    DataFrame
        One row per failure in the order given: ``row``, ``smiles`` (input), ``decoded`` (as written, "" if it could not be
        encoded), ``kind`` (a key of :data:`MISTAKES`), ``reason`` (in words), ``similarity`` (Tanimoto, ECFP4 with 2048 bits;
        NaN where the decode is no molecule).
    """
    canonical = Canonical()
    encoded = encode_molecules(model, smiles, canonical)
    return failure_table(encoded, reconstruction_greedy(model, encoded, canonical)[1])


def failure_table(encoded: Encoded, decodes: pd.DataFrame) -> pd.DataFrame:
    """Classify what :func:`~chemvae.evaluation.roundtrip.reconstruction_greedy` decoded, as :func:`failures` describes."""
    import pandas as pd

    written = {int(row.row): row for row in decodes.itertuples(index=False)}
    records = []
    for i, source in enumerate(encoded.smiles):
        decode = written.get(i)
        if decode is not None and decode.same:
            continue
        text = "" if decode is None else str(decode.smiles)
        kind = "unencodable" if decode is None else classify(source, text, valid=bool(decode.valid))
        reason = encoded.reasons[i] or (invalid_reason(text) if decode is not None else None) or MISTAKES[kind]
        similarity = float(tanimoto([source], [text])[0, 0]) if text else float("nan")
        records.append((i, source, text, kind, reason, similarity))
    return pd.DataFrame(records, columns=["row", "smiles", "decoded", "kind", "reason", "similarity"])


def classify(source: str, decoded: str, *, valid: bool = True) -> str:
    """Name the mistake that turned ``source`` into ``decoded``: a key of :data:`MISTAKES`, or "none" for the same molecule.

    Parameters
    ----------
    source : str
        A valid SMILES.
    decoded : str
        As the decoder wrote it.
    valid : bool
        What the decoder says; a molecule that it calls not valid was not finished.

    Examples
    --------
    >>> [classify("C[C@H](N)O", s) for s in ("C[C@@H](N)O", "CC(N)O", "NCCO", "C1CC", "c1cccc1")]
    ['stereo', 'stereo', 'placement', 'syntax', 'aromaticity']
    """
    mol = parse(decoded)
    if mol is None:
        return _invalid_kind(decoded)
    if not valid:
        return "unfinished"
    truth = parse_known(source)
    if Chem.MolToSmiles(mol) == Chem.MolToSmiles(truth):
        return "none"
    if Chem.MolToSmiles(mol, isomericSmiles=False) == Chem.MolToSmiles(truth, isomericSmiles=False):
        return "stereo"
    same_formula = CalcMolFormula(mol) == CalcMolFormula(truth)
    same_scaffold = _flat_scaffold(mol) == _flat_scaffold(truth)
    if same_formula:
        return "placement" if same_scaffold else "isomer"
    return "substituents" if same_scaffold else "other"


def _invalid_kind(text: str) -> str:
    raw = parse_raw(text)
    with quiet():
        problems = [] if raw is None else [problem.GetType() for problem in Chem.DetectChemistryProblems(raw)]
    if not problems:
        return "syntax"
    return "valence" if problems[0].startswith("AtomValence") else "aromaticity"


def _flat_scaffold(mol: Chem.Mol) -> str | None:
    flat = Chem.Mol(mol)
    Chem.RemoveStereochemistry(flat)
    return scaffold(flat)
