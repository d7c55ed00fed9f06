"""What a model predicts from a molecule's structure, beside what it predicts from its code."""
