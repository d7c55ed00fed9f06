"""Programs that score molecules: how one is run, and how it is asked and answers."""
