"""The campaign: ask, decode, check, score, tell, until the budget is spent."""

from chemvae.deprecation.modules import moved_names

__getattr__ = moved_names(__name__, "design.campaign.run", ("run_campaign",))
