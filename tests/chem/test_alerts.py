"""Alerts: textbook offenders are found, in the catalog that lists them, and their names are told."""

import pytest

from chemvae.chem.alerts import DEFAULT_CATALOGS, SOURCES, Alert, catalog_names, catalog_table, find_alerts, has_alert
from chemvae.chem.molecules import parse
from chemvae.errors import UnknownNameError

RHODANINE = "O=C1C(=Cc2ccccc2)SC(=S)N1C"


@pytest.mark.parametrize(
    ("smiles", "catalog", "name"),
    [
        ("Oc1ccccc1O", "PAINS", "catechol_A(92)"),
        (RHODANINE, "PAINS", "ene_rhod_A(235)"),
        ("CCN=[N+]=[N-]", "BRENK", "Azido_group"),
        (RHODANINE, "BRENK", "Thiocarbonyl_group"),
        ("CCN=[N+]=[N-]", "NIH", "azide"),
        (RHODANINE, "NIH", "rhodanine"),
    ],
)
def test_known_offenders_are_found_by_name(smiles, catalog, name):
    found = find_alerts(smiles, [catalog])
    assert name in [alert.name for alert in found] and has_alert(smiles, [catalog])
    assert all(alert.catalog.upper().startswith(catalog) for alert in found)


def test_catalogs_add_up():
    apart = [alert for catalog in SOURCES for alert in find_alerts(RHODANINE, [catalog])]
    assert sorted(map(str, apart)) == sorted(map(str, find_alerts(RHODANINE, tuple(SOURCES))))


@pytest.mark.parametrize("smiles", ["CCO", "CC(=O)NCC", "c1ccccc1C", "C1CCNCC1"])
def test_harmless_molecules_have_none(smiles):
    assert find_alerts(smiles, tuple(SOURCES)) == [] and not has_alert(smiles, tuple(SOURCES))


def test_a_molecule_may_be_given_and_nonsense_has_no_alert():
    assert find_alerts(parse("Oc1ccccc1O")) == find_alerts("Oc1ccccc1O")
    assert find_alerts("C1CC") == [] and not has_alert("C1CC")
    assert str(Alert("azide", "NIH")) == "azide (NIH)"


def test_names_of_catalogs_are_read_as_users_write_them():
    assert catalog_names("pains,Brenk , NIH,nih") == ("PAINS", "BRENK", "NIH")
    assert catalog_names(DEFAULT_CATALOGS) == DEFAULT_CATALOGS and set(SOURCES) <= set(catalog_table())
    with pytest.raises(UnknownNameError, match="Did you mean 'PAINS'"):
        catalog_names("PAIN")
