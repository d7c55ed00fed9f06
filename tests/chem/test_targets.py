"""Targets: similarity, patterns and formulas against RDKit and arithmetic."""

import math
import pickle

import pytest
from rdkit import DataStructs
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from chemvae.chem.fingerprints import tanimoto
from chemvae.chem.molecules import parse
from chemvae.chem.targets import FINGERPRINTS, HasPattern, IsomerOf, SimilarityTo, count_atoms, parse_formula
from chemvae.errors import InvalidMoleculeError, SettingsError, UnknownNameError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
MOLECULES = [ASPIRIN, "CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1", "C[N+](C)(C)CC(=O)[O-]"]


@pytest.mark.parametrize("fingerprint", FINGERPRINTS)
def test_a_molecule_is_wholly_similar_to_itself_and_similarity_is_symmetric(fingerprint):
    for one in MOLECULES:
        assert SimilarityTo(one, fingerprint)(parse(one)) == 1.0
        for other in MOLECULES:
            there, back = SimilarityTo(one, fingerprint)(parse(other)), SimilarityTo(other, fingerprint)(parse(one))
            assert there == back and 0.0 <= there <= 1.0


def test_ecfp4_is_the_one_of_the_constraints():
    near = SimilarityTo(ASPIRIN)
    assert [near(parse(one)) for one in MOLECULES] == pytest.approx(tanimoto(MOLECULES, [ASPIRIN])[:, 0])


def test_counts_tell_chains_apart_that_bits_do_not():
    short, long = "C" * 8, parse("C" * 12)
    assert SimilarityTo(short, "ECFP4")(long) == 1.0
    assert SimilarityTo(short, "ECFP4_counts")(long) == pytest.approx(22 / 34)  # 8+8+6, 12+12+10: each set of bonds once


def test_counted_tanimoto_is_minimum_over_maximum():
    from rdkit.Chem import rdFingerprintGenerator

    make = rdFingerprintGenerator.GetMorganGenerator(radius=2).GetSparseCountFingerprint
    one, other = (make(parse(text)).GetNonzeroElements() for text in ("CCCCO", "CCCO"))
    keys = one.keys() | other.keys()
    expected = sum(min(one.get(k, 0), other.get(k, 0)) for k in keys) / sum(max(one.get(k, 0), other.get(k, 0)) for k in keys)
    assert SimilarityTo("CCCCO", "ECFP4_counts")(parse("CCCO")) == pytest.approx(expected)
    assert DataStructs.TanimotoSimilarity(make(parse("CCCCO")), make(parse("CCCO"))) == pytest.approx(expected)


def test_what_is_no_target_is_named():
    with pytest.raises(InvalidMoleculeError, match="ring 1 is opened"):
        SimilarityTo("C1CC")
    with pytest.raises(UnknownNameError, match="ECFP4"):
        SimilarityTo("CCO", "ECFP")
    with pytest.raises(SettingsError, match="not a SMARTS"):
        HasPattern("c1cc(")
    with pytest.raises(SettingsError, match="not a SMARTS"):
        HasPattern("")


def test_a_pattern_is_found_or_not():
    assert [HasPattern("C(=O)[OX2H1,OX1-]")(parse(one)) for one in MOLECULES] == [1.0, 0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("smiles", [*MOLECULES, "[H]O[H]", "[2H]C", "[NH4+].[Cl-]", "FC(F)(F)c1cc(Br)c(I)s1"])
def test_atoms_are_counted_as_in_the_formula(smiles):
    counts = count_atoms(parse(smiles))
    formula = "".join(f"{element}{n}" for element, n in counts.items())
    bare = CalcMolFormula(parse(smiles)).rstrip("+-").rstrip()
    assert parse_formula(formula) == dict(counts) and dict(counts) == parse_formula(bare)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("C9H10N2O2PF2Cl", {"C": 9, "H": 10, "N": 2, "O": 2, "P": 1, "F": 2, "Cl": 1}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
        ("CH3CH2OH", {"C": 2, "H": 6, "O": 1}),
    ],
)
def test_formulas_are_read(formula, expected):
    assert parse_formula(formula) == expected


@pytest.mark.parametrize("formula", ["", "c6h6", "C9H10.5", "C-H", "Xx2", "CCO=", "2C"])
def test_what_is_no_formula_is_named(formula):
    with pytest.raises(SettingsError, match="not a molecular formula"):
        parse_formula(formula)


@pytest.mark.parametrize("smiles", ["CCO", "COC"])
def test_isomers_score_one(smiles):
    assert IsomerOf("C2H6O")(parse(smiles)) == 1.0


def test_other_formulas_score_by_their_atoms():
    """C2H4: carbon 2 (sigma 1), hydrogen 4 (sigma 1), all 6 (sigma 2); ethane has two hydrogens more, propane 1 + 4, 5 more."""
    score = IsomerOf("C2H4")
    assert score(parse("C=C")) == 1.0
    assert score(parse("CC")) == pytest.approx(math.exp(-0.5 * (0 + 2**2 + (2 / 2) ** 2) / 3))
    assert score(parse("CCC")) == pytest.approx(math.exp(-0.5 * (1 + 4**2 + (5 / 2) ** 2) / 3))
    assert score(parse("CCO")) == pytest.approx(math.exp(-0.5 * (0 + 2**2 + (3 / 2) ** 2) / 3))  # the O counts in the total


def test_targets_can_be_sent_to_another_process():
    for target in (SimilarityTo(ASPIRIN, "AP"), SimilarityTo(ASPIRIN), HasPattern("[OH]"), IsomerOf("C9H8O4")):
        again = pickle.loads(pickle.dumps(target))
        assert [again(parse(one)) for one in MOLECULES] == [target(parse(one)) for one in MOLECULES]
