"""Who asks for a property that nobody knows but they is told where it can come from."""

import pytest

from chemvae.design.campaign.goal_matching import plan_goals
from chemvae.errors import UnknownNameError


def test_a_property_of_ones_own_is_told_of_tables_and_laboratories():
    with pytest.raises(UnknownNameError, match=r"called 'logD 7.4'.*--oracle 'fit:TABLE#COLUMN'.*--batch-out FILE"):
        plan_goals(None, ["logD 7.4"])
