"""One small search for all tests of results."""

import pytest

from chemvae.design import Goal, run_campaign
from tests.design.toys import ToyModel, chain


@pytest.fixture(scope="package")
def result():
    return run_campaign(
        ToyModel(), None, goals=[Goal("carbons"), Goal("qed")], budget=25, start=[chain(0, 0)], constraints=["SAS<4", "MW<250"],
        known=[chain(3, 3), "c1ccccc1"], method="random", batch_size=5,
    )  # fmt: skip
