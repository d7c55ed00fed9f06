"""The numbers and choices of a campaign: checked together, sorted from options, and the same search however they are given."""

import pytest

from chemvae.design import CampaignSpec, run_campaign
from chemvae.design.campaign.spec import Controls, sort_options
from chemvae.errors import SettingsError
from chemvae.progress import CancelToken
from tests.design.toys import Bowl, ToyModel, chain


def test_all_complaints_come_at_once():
    with pytest.raises(SettingsError) as caught:
        CampaignSpec(budget=0, seed=-1, patience=1.5, batch_size=0, timeout_s="5", time_limit_s=0)
    told = " ".join(caught.value.complaints)
    assert len(caught.value.complaints) == 6
    assert all(name in told for name in ("budget", "seed", "patience", "batch_size", "timeout_s", "time_limit_s"))


@pytest.mark.parametrize(("budget", "size"), [(1, 5), (250, 5), (500, 10), (3200, 64), (10_000, 64)])
def test_a_round_is_a_fiftieth_of_the_budget_within_bounds(budget, size):
    assert CampaignSpec(budget=budget).molecules_per_round == size
    assert CampaignSpec(budget=budget, batch_size=7).molecules_per_round == 7


def test_a_generator_is_read_once_and_the_spec_can_be_used_again():
    spec = CampaignSpec(goals=(name for name in ("qed", "SAS")), start=(chain(i, 1) for i in range(2)))
    assert spec.goals == ("qed", "SAS") and list(spec.start) == list(spec.start) == [chain(0, 1), chain(1, 1)]


def test_options_are_sorted_and_unknown_ones_name_the_nearest():
    token = CancelToken()
    spec, controls = sort_options(CampaignSpec(seed=4, budget=9), {"budget": 30, "cancel": token, "callback": None})
    assert (spec.seed, spec.budget) == (4, 30) and controls == Controls(cancel=token)
    with pytest.raises(SettingsError) as caught:
        run_campaign(ToyModel(), Bowl(), budget=5, bacth_size=5, timeout=3.0)
    assert [text.split("; ")[1] for text in caught.value.complaints] == [
        "did you mean 'batch_size'?",
        "did you mean 'timeout_s'?",
    ]


def test_a_spec_gives_the_search_that_its_arguments_give():
    named = run_campaign(ToyModel(), Bowl(), 12, 3, "random", [chain(2, 2)], None, ["MW<250"], batch_size=4)
    spec = CampaignSpec(budget=12, seed=3, method="random", start=[chain(2, 2)], constraints=["MW<250"], batch_size=4)
    whole = run_campaign(ToyModel(), Bowl(), spec=spec)
    assert whole.history["smiles"].tolist() == named.history["smiles"].tolist() and whole.settings == named.settings
    changed = run_campaign(ToyModel(), Bowl(), budget=5, spec=spec)
    assert changed.settings["budget"] == 5 and changed.settings["seed"] == 3
