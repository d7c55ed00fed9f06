"""Building blocks of the virtual emitters: as many sites as their tables promise."""

import pytest

from chemvae.data.virtual import oled_blocks
from tests.data.virtual.blocks import check_sites, check_tables, tables_of


def test_blocks_are_molecules_and_their_names_are_unique_in_a_table():
    check_tables(oled_blocks)


@pytest.mark.parametrize(
    ("table", "site", "n"),
    [
        ("DONORS", "[#7;H1]", 1),
        ("BRIDGES", "cBr", 1),
        ("BRIDGES", "cB([OH])[OH]", 1),
        ("TWO_DONOR_BRIDGES", "cBr", 2),
        ("TWO_DONOR_BRIDGES", "cB([OH])[OH]", 1),
        ("ACCEPTORS", "cBr", 1),
        ("TWO_SIDED_ACCEPTORS", "cBr", 2),
    ],
)
def test_every_block_has_the_sites_of_its_table(table, site, n):
    check_sites(tables_of(oled_blocks)[table], site, n)


def test_acceptors_have_no_site_of_a_donor_or_a_boronic_acid():
    for table in (oled_blocks.ACCEPTORS, oled_blocks.TWO_SIDED_ACCEPTORS, oled_blocks.BRIDGES):
        check_sites(table, "[#7;H1]", 0)
    check_sites(oled_blocks.ACCEPTORS, "B([OH])[OH]", 0)
