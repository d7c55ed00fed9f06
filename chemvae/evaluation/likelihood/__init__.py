"""log p(x): importance sampling, annealed importance sampling, and what they say together."""
