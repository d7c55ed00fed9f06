"""The filter on plausibility."""

import pytest

from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.filters.plausible import Plausible
from chemvae.errors import UnknownNameError
from tests.contracts.filter_contract import FilterContract


class TestPlausible(FilterContract):
    allowed = ("CCO", "CC(=O)Oc1ccccc1C(=O)O", "C[NH+]1CCN(CC1)c1ccccc1")
    refused = ("C1=CC2=CC1=CC2", "OOOOC")

    def make_filter(self):
        return Plausible()


def test_what_is_not_known_is_named():
    assert "C1=CC2=CC1=CC2" in Plausible().explain("CC1=CC2=CC1=CC2")


def test_the_word_makes_the_filter_and_a_wrong_one_is_refused():
    assert [one.label for one in gather_constraints(plausible="ChEMBL")] == ["known in chembl"]
    with pytest.raises(UnknownNameError, match="chembl"):
        gather_constraints(plausible="chebml")


def test_a_campaign_and_its_words_have_it():
    from chemvae.design import CampaignSpec
    from chemvae.design.search_settings import SearchSettings, in_words

    assert [one.label for one in CampaignSpec(plausible="chembl").filters([])] == ["known in chembl"]
    settings = SearchSettings(**in_words({"plausible": "chembl-rings"})[0])
    assert settings.arguments()["plausible"] == "chembl-rings"
