"""A front of two goals: drug-likeness against ease of synthesis."""

import os

import chemvae

budget = 20 if os.environ.get("CHEMVAE_FAST") else 300
goals = [chemvae.Goal("qed"), chemvae.Goal("SAS", "min")]
result = chemvae.optimize("drug", goals=goals, budget=budget, method="pareto", seed=0)
print(result.pareto.drop(columns="z").head(10).to_string(index=False))
