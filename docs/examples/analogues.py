"""Ten molecules around one, the most similar first."""

import chemvae

model = chemvae.load("drug")
near = chemvae.neighbourhood(model, "CC(=O)Nc1ccc(O)cc1", n=100, radius=0.5, temperature=0.0, seed=0)
print(near.head(10).to_string(index=False))
