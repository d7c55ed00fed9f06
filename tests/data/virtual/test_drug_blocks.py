"""Building blocks of the virtual drugs: each table's blocks have the one site that its reaction needs."""

import pytest
from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

from chemvae.chem.molecules import canonicalize
from chemvae.data.virtual import drug_blocks
from tests.data.virtual.blocks import check_sites, check_tables, tables_of

NAMED = [item for table in tables_of(drug_blocks).values() for item in table.items()]


def cip_labels(smiles: str) -> list[str]:
    mol = Chem.MolFromSmiles(smiles)
    rdCIPLabeler.AssignCIPLabels(mol)
    return [item.GetProp("_CIPCode") for item in (*mol.GetAtoms(), *mol.GetBonds()) if item.HasProp("_CIPCode")]


def test_blocks_are_molecules_and_their_names_are_unique():
    check_tables(drug_blocks)
    assert len(dict(NAMED)) == len(NAMED)  # one flat table looks them up


@pytest.mark.parametrize(
    ("table", "site"),
    [
        ("ACIDS", "[CX3](=O)[OX2H1]"),
        ("AMINES", "[NX3;H2][CX4]"),
        ("CYCLIC_AMINES", "[NX3;H1;$(N([CX4])[CX4])]"),
        ("ANILINES", "[NX3;H2]c"),
        ("SULFONYL_CHLORIDES", "S(=O)(=O)Cl"),
        ("HETEROARYL_CHLORIDES", "cCl"),
        ("ALDEHYDES", "[CX3;H1]=O"),
        ("BROMO_ACIDS", "[CX3](=O)[OX2H1]"),
        ("BROMO_ACIDS", "cBr"),
        ("BORONIC_ACIDS", "cB([OH])[OH]"),
        ("BOC_DIAMINES", "NC(=O)OC([CH3])([CH3])[CH3]"),
        ("BOC_DIAMINES", "[NX3;H1,H2;!$(NC=O)]"),
    ],
)
def test_every_block_has_its_one_site(table, site):
    check_sites(tables_of(drug_blocks)[table], site)


def test_every_table_has_its_site_tested():
    tested = test_every_block_has_its_one_site.pytestmark[0].args[1]
    assert {table for table, _ in tested} == set(tables_of(drug_blocks))


@pytest.mark.parametrize(("name", "smiles"), [block for block in NAMED if block[0].startswith(("(R)", "(S)", "(E)"))])
def test_names_and_stereo_of_blocks_agree(name, smiles):
    assert cip_labels(smiles) == [name[1]]


def test_amino_alcohols_and_meso_forms_are_what_their_names_say():
    assert cip_labels(drug_blocks.AMINES["L-valinol"]) == ["S"]
    meso = drug_blocks.CYCLIC_AMINES["cis-2,6-dimethylmorpholine"]
    mirrored = meso.replace("@@", "!").replace("@", "@@").replace("!", "@")
    assert canonicalize(mirrored) == canonicalize(meso) and "@" in canonicalize(meso)
