"""From a raw table to a clean one: standardised, without duplicates, split, every dropped row with its reason."""
