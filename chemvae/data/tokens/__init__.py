"""SMILES as tokens: vocabulary, token files, batches."""
