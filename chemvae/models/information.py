"""What z carries: KL to the prior, dimensions in use, mutual information with the molecule. All in nats per molecule."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from chemvae.models.latent_space import HasPriors, find_prior
from chemvae.models.posteriors import Posterior, diagonal_parameters

ACTIVE_VARIANCE = 0.01  # of the posterior mean; Burda, Grosse & Salakhutdinov, 2016
N_OTHERS = 16
TABLE_NUMBERS = 2**24  # of z repeated for every pair of molecules, held at a time: 64 MB


def gaussian_kl(loc: Tensor, scale: Tensor, prior_loc: Tensor | float = 0.0, prior_scale: Tensor | float = 1.0) -> Tensor:
    """KL(N(loc, scale^2) || N(prior_loc, prior_scale^2)) in closed form, [N] from [N, D]; by default to N(0, I).

    Examples
    --------
    >>> gaussian_kl(torch.tensor([[0.0, 2.0]]), torch.ones(1, 2))
    tensor([2.])
    """
    ratio = scale / prior_scale
    return (0.5 * (((loc - prior_loc) / prior_scale) ** 2 + ratio**2 - 1.0) - ratio.log()).sum(dim=-1)


def kl_to_prior(q: Posterior, prior: Distribution, z: Tensor) -> Tensor:
    """KL(q(z|x) || prior) [N] in double precision: in closed form where the family has it, else estimated at draws.

    Parameters
    ----------
    q : Posterior
        Of N molecules.
    prior : Distribution
        The family's own; event shape [D].
    z : Tensor [K, N, D]
        Draws from q, read where there is no closed form: log q - log p, averaged over them.
    """
    if q.kl is None:
        return (q.log_prob(z).double() - prior.log_prob(z).double()).mean(dim=0)
    own, base = diagonal_parameters(q), diagonal_parameters(prior)
    if own is None or base is None:
        return q.kl.double()
    return gaussian_kl(*(part.double() for part in (*own, *base)))


def kl_to_model_prior(q: Posterior, model: HasPriors, z: Tensor) -> Tensor:
    """KL [N] in double precision to the prior that a model was trained with: :func:`kl_to_prior`, or estimated at draws.

    Parameters
    ----------
    q : Posterior
        Of N molecules.
    model : MolVAE
        Or what has ``priors``.
    z : Tensor [K, N, D]
        Draws from q.
    """
    if "trained" not in model.priors:
        return kl_to_prior(q, find_prior(model, "normal").distribution(), z)
    log_pz = find_prior(model, "trained").log_prob(z.flatten(0, 1).to(model.device)).to(z).view(z.shape[:2])
    return (q.log_prob(z).double() - log_pz.double()).mean(dim=0)


def active_units(loc: Tensor, threshold: float = ACTIVE_VARIANCE) -> float:
    """Share of latent dimensions whose posterior mean varies over the molecules [N, D] by more than ``threshold``.

    Examples
    --------
    >>> active_units(torch.tensor([[0.0, 1.0], [0.01, -1.0]]))
    0.5
    """
    if len(loc) < 2:
        return math.nan
    return float((loc.double().var(dim=0, correction=0) > threshold).double().mean())


def mutual_information(q: Posterior | Distribution, z: Tensor, chunk: int = 512) -> float:
    """Estimate what z knows about the molecule: I(x; z) = E KL(q(z|x) || p) - KL(q(z) || p) = E log q(z|x) / q(z).

    The aggregate q(z) is the mean of the N posteriors given, each molecule's own among them. So the estimate cannot exceed
    log N, and says "at least that much" when it comes near; for few molecules it is biased low.

    Parameters
    ----------
    q : Posterior or Distribution
        Of N molecules, of whatever family: every draw's density is read under every molecule's posterior.
    z : Tensor [N, D]
        One draw from each.
    chunk : int
        Rows of the [N, N] table at a time, at most.

    Returns
    -------
    float
        Nats per molecule; NaN for no molecule.

    References
    ----------
    Hoffman & Johnson, ELBO surgery, 2016. http://approximateinference.org/accepted/HoffmanJohnson2016.pdf

    Examples
    --------
    >>> from torch.distributions import Independent, Normal
    >>> loc = torch.tensor([[-50.0], [50.0]])                    # two molecules that z always tells apart
    >>> round(mutual_information(Independent(Normal(loc, 1.0), 1), loc), 6), round(math.log(2), 6)
    (0.693147, 0.693147)
    """
    if len(z) == 0:
        return math.nan
    if isinstance(q, Posterior) and not q.reads_any_z and len(z) > N_OTHERS + 1:
        return _information_by_few(q, z)
    gaussian = diagonal_parameters(q)
    if gaussian is not None:
        loc, scale, z = gaussian[0].double(), gaussian[1].double(), z.double()
        log_qz_x = Independent(Normal(loc, scale), 1).log_prob(z)  # [N]
        log_qz = torch.cat([_log_aggregate(rows, loc, scale) for rows in z.split(chunk)])  # [N]
        return float((log_qz_x - log_qz).mean())
    chunk = max(1, min(chunk, TABLE_NUMBERS // z.numel()))
    tables = (q.log_prob(rows[:, None].expand(-1, *z.shape)).double() for rows in z.split(chunk))  # [n, N] each
    log_qz = torch.cat([torch.logsumexp(table, dim=1) for table in tables]) - math.log(len(z))
    return float((q.log_prob(z).double() - log_qz).mean())


def _information_by_few(q: Posterior, z: Tensor) -> float:
    """The same where the density of a foreign z is dear: q(z) from each molecule's own posterior and those of 16 others.

    The own one counts 1/N and the others together the rest, as in the minibatch sampling of Chen et al. (2018, appendix C,
    https://arxiv.org/abs/1802.04942). Of so few the logarithm is low on the average, and the answer high by some tenths of a
    nat where posteriors overlap; it still ends at log N.
    """
    n, rows = len(z), torch.arange(len(z))
    log_qz_x = q.log_prob(z).double()
    steps = torch.linspace(1, n - 1, N_OTHERS).long().tolist()
    others = torch.stack([q[(rows + step) % n].log_prob(z).double() for step in steps])  # [16, N]
    rest = torch.logsumexp(others, dim=0) + math.log((n - 1) / n / N_OTHERS)
    return float((log_qz_x - torch.logaddexp(log_qz_x - math.log(n), rest)).mean())


def _log_aggregate(z: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
    """log (1/N) sum_j q(z|x_j) for rows z [n, D]: the squares are multiplied out, so no [n, N, D] table is made."""
    weight = scale.pow(-2)  # [N, D]
    distance = z.pow(2) @ weight.T - 2.0 * z @ (weight * loc).T + (weight * loc.pow(2)).sum(dim=1)  # [n, N]
    log_norm = scale.log().sum(dim=1) + 0.5 * loc.shape[1] * math.log(2.0 * math.pi)  # [N]
    return torch.logsumexp(-0.5 * distance - log_norm, dim=1) - math.log(len(loc))
