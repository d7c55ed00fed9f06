"""A model whose evidence and posterior are known: what every bound is held against."""

import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from chemvae.models.terms import Terms


class LinearGaussian:
    """x = W z + noise, z ~ N(0, I): evidence and posterior are known."""

    def __init__(self, n: int = 6, dim: int = 3, noise: float = 0.5):
        generator = torch.Generator().manual_seed(0)
        self.w = torch.randn(5, dim, generator=generator, dtype=torch.float64)
        self.x = torch.randn(n, 5, generator=generator, dtype=torch.float64)
        self.noise, self.dim = noise, dim
        precision = torch.eye(dim, dtype=torch.float64) + self.w.T @ self.w / noise**2
        self.covariance = torch.linalg.inv(precision)
        self.mean = self.x @ self.w @ self.covariance / noise**2

    def joint(self, z):  # [K, B, D] -> [K, B]
        log_prior = Normal(torch.zeros((), dtype=z.dtype), 1.0).log_prob(z).sum(-1)
        return log_prior + Normal(z @ self.w.T, self.noise).log_prob(self.x).sum(-1)

    def evidence(self):
        covariance = self.w @ self.w.T + self.noise**2 * torch.eye(5, dtype=torch.float64)
        return MultivariateNormal(torch.zeros(5, dtype=torch.float64), covariance).log_prob(self.x)

    def crude(self, stretch: float = 1.5):
        """A diagonal Gaussian around the true means, wider than the truth."""
        return Independent(Normal(self.mean, stretch * self.covariance.diagonal().sqrt().expand_as(self.mean)), 1)

    def terms(self, n_draws: int, seed: int = 0, closed_form: bool = True) -> Terms:
        """What a model with the crude posterior would hand to an objective: K draws of it for each of the n points."""
        torch.manual_seed(seed)
        q = self.crude()
        z = q.sample((n_draws,))
        prior = Normal(torch.zeros((), dtype=z.dtype), 1.0)
        log_pz = prior.log_prob(z).sum(-1)
        kl_dims = kl_divergence(q.base_dist, prior) if closed_form else None
        kl = None if kl_dims is None else kl_dims.sum(-1)
        return Terms(
            self.joint(z) - log_pz,
            log_pz,
            q.log_prob(z),
            kl,
            kl_dims,
            torch.zeros_like(log_pz),
            z,
            prior.sample(z.flatten(0, 1).shape),
        )
