"""The campaign: ask, decode, check, score, tell, until the budget is spent."""
