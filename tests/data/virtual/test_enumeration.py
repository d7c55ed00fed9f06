"""The libraries that chemvae makes: reactions that do what their names say, distinct and canonical members, fixed order."""

import numpy as np
import pytest
from rdkit import Chem

from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute
from chemvae.data.virtual import enumeration
from chemvae.data.virtual.enumeration import (
    enumerate_drugs,
    enumerate_oleds,
    make_product,
    react,
    react_all,
    shuffled,
    stream_library,
)
from chemvae.errors import SettingsError


@pytest.mark.parametrize(
    ("reaction", "reactants", "product"),
    [
        ("amide coupling", ("OC(=O)c1ccccc1", "NC"), "CNC(=O)c1ccccc1"),
        ("sulfonamide formation", ("ClS(=O)(=O)C", "C1CCNC1"), "CS(=O)(=O)N1CCCC1"),
        ("urea formation", ("Nc1ccccc1", "NCC"), "CCNC(=O)Nc1ccccc1"),
        ("SNAr", ("Clc1ncccn1", "C1COCCN1"), "c1cnc(N2CCOCC2)nc1"),
        ("reductive amination", ("O=Cc1ccccc1", "C1CCNCC1"), "c1ccc(C[NH+]2CCCCC2)cc1"),
        ("Boc removal", ("CC(C)(C)OC(=O)N1CCN(C(C)=O)CC1",), "CC(=O)N1CCNCC1"),
        ("Suzuki coupling", ("OB(O)c1ccccc1", "Brc1ccncc1"), "c1ccc(-c2ccncc2)cc1"),
        ("Buchwald-Hartwig amination", ("c1ccc2c(c1)[nH]c1ccccc12", "Brc1ccccc1"), "c1ccc(-n2c3ccccc3c3ccccc32)cc1"),
    ],
)
def test_reactions_give_the_product_of_the_textbook(reaction, reactants, product):
    assert react(reaction, *reactants) == canonicalize(product)


def test_amides_and_sulfonamides_do_not_react_as_amines():
    assert react_all("amide coupling", "CC(=O)O", "NC(=O)C1CCNCC1") == [canonicalize("CC(=O)N1CCC(C(N)=O)CC1")]
    with pytest.raises(ValueError, match="gives 0 products"):
        react("SNAr", "Clc1ncccn1", "CC(N)=O")


def test_stereo_survives_the_steps():
    product = react("amide coupling", "OC(=O)[C@@H]1CCCO1", "N[C@@H](C)c1ccccc1")
    assert product == canonicalize("O=C(N[C@@H](C)c1ccccc1)[C@@H]1CCCO1")


@pytest.mark.parametrize("library", ["virtual-drugs", "virtual-oleds"])
def test_every_block_of_every_route_reacts_in_one_way(library):
    for route in enumeration.routes(library):
        sizes = [len(part) for part in route.parts]
        for position, size in enumerate(sizes):
            for place in range(0, size, 1 if size < 60 else 29):
                index = np.ravel_multi_index([place if p == position else 0 for p in range(len(sizes))], sizes)
                assert Chem.MolFromSmiles(route(int(index)).smiles) is not None  # react() raises on 0 or 2 products


@pytest.mark.parametrize("library", ["virtual-drugs", "virtual-oleds"])
def test_members_are_canonical_as_they_come(library):
    members = [make_product(library, int(i)).smiles for i in shuffled(enumeration.library_size(library), 7)[:60]]
    assert [canonicalize(smiles) for smiles in members] == members


def test_drugs_are_drug_like_varied_and_distinct():
    rows = list(stream_library("virtual-drugs", ["qed", "MW"], limit=100))
    smiles = [row[0] for row in rows]
    assert len(set(smiles)) == 100
    assert all(row[2] >= 0.5 and 150 <= row[3] <= 500 for row in rows)
    assert rows[0][2] == compute("qed", smiles[0])
    assert 5 < sum("+]" in s for s in smiles) < 45 and 5 < sum("@" in s or "/" in s for s in smiles) < 60
    assert len({row[1].split(":")[0] for row in rows}) == 9


def test_emitters_hold_donor_and_acceptor():
    smiles = list(enumerate_oleds(limit=30))
    nitrogen = Chem.MolFromSmarts("[#7](-,:[c,n])(-,:c)-,:c")
    assert all(Chem.MolFromSmiles(s).HasSubstructMatch(nitrogen) for s in smiles)
    assert len(set(smiles)) == 30


def test_the_order_is_fixed_and_the_seed_changes_only_the_order():
    assert list(enumerate_drugs(limit=10)) == list(enumerate_drugs(limit=10))
    assert set(enumerate_drugs(limit=10)) != set(enumerate_drugs(limit=10, seed=1))
    assert sorted(shuffled(1000, 3).tolist()) == list(range(1000))


def test_the_shuffle_is_splitmix64():
    mask = 2**64 - 1

    def mix(x):
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        return x ^ (x >> 31)

    keys = [mix((i + 6 * 0x9E3779B97F4A7C15) & mask) for i in range(50)]
    assert shuffled(50, 5).tolist() == sorted(range(50), key=keys.__getitem__)


def test_processes_and_limits_agree():
    assert list(enumerate_drugs(limit=150, jobs=2)) == list(enumerate_drugs(limit=150))
    assert list(enumerate_drugs(limit=0)) == []
    with pytest.raises(SettingsError, match="limit"):
        list(enumerate_drugs(limit=-1))


def test_the_product_spaces_are_as_large_as_promised():
    assert enumeration.library_size("virtual-drugs") > 20_000
    assert enumeration.library_size("virtual-oleds") > 100_000


@pytest.mark.long
def test_the_whole_drug_library_has_the_counts_of_its_card():
    from chemvae.data.catalog.locate import DATASETS

    smiles = list(enumerate_drugs(jobs=2))
    assert len(set(smiles)) == len(smiles) == DATASETS["virtual-drugs"].counts.rows
