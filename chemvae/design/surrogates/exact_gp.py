"""A Gaussian process for given hyperparameters, written out, and its fit by BoTorch."""

from __future__ import annotations

import logging
import math
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from chemvae.gp.kernels import rbf
from chemvae.gp.linalg import cholesky
from chemvae.parallel import limited_threads

if TYPE_CHECKING:
    from botorch.models import SingleTaskGP

logger = logging.getLogger(__name__)

FIT_ITERATIONS = 40
SMALL = 1_000  # observations: up to here a fit is done sooner on one thread than on four beside busy neighbours


class ExactGP:
    """The posterior for given hyperparameters, in standardised units.

    k(a, b) = s_z exp(-|z_a - z_b|^2 / (2 l^2)) + s_p exp(-|(p_a - p_b) / l_p|^2 / 2) + v p_a . p_b

    Parameters
    ----------
    x : Tensor [N, D + P]
        Codes, then standardised predicted properties (P may be 0), float64.
    y : Tensor [N]
        Standardised utilities.
    n_latent : int
        D.
    state : dict
        As :func:`fit_hyperparameters` returns it.
    """

    def __init__(self, x: Tensor, y: Tensor, n_latent: int, state: dict[str, Tensor]):
        self.x, self.n_latent, self.state = x, n_latent, state
        noisy = self.kernel(x, x) + state["noise"] * torch.eye(len(x), dtype=x.dtype)
        self.root = cholesky(noisy)  # [N, N]
        self.weights = torch.cholesky_solve((y - state["mean"])[:, None], self.root)[:, 0]

    def kernel(self, a: Tensor, b: Tensor) -> Tensor:
        """Covariances [A, B] of inputs a [A, D + P] and b [B, D + P]."""
        s, d = self.state, self.n_latent
        total = s["z_scale"] * rbf(a[:, :d] / s["z_length"], b[:, :d] / s["z_length"])
        if a.shape[1] == d:
            return total
        p, q = a[:, d:], b[:, d:]
        total = total + s["p_scale"] * rbf(p / s["p_length"], q / s["p_length"])
        return total + s["line"] * p @ q.T

    def variance(self, a: Tensor) -> Tensor:
        """Prior variances [A]."""
        s = self.state
        if a.shape[1] == self.n_latent:
            return s["z_scale"].expand(len(a))
        return s["z_scale"] + s["p_scale"] + s["line"] * a[:, self.n_latent :].square().sum(dim=1)

    def marginal(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Posterior means and variances [A]."""
        cross = self.kernel(a, self.x)
        half = torch.linalg.solve_triangular(self.root, cross.T, upper=False)  # [N, A]
        return self.state["mean"] + cross @ self.weights, (self.variance(a) - half.square().sum(dim=0)).clamp_min(1e-10)

    def joint(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Posterior means [A] and covariances [A, A]."""
        cross = self.kernel(a, self.x)
        half = torch.linalg.solve_triangular(self.root, cross.T, upper=False)
        return self.state["mean"] + cross @ self.weights, self.kernel(a, a) - half.T @ half


def fit_hyperparameters(x: Tensor, y: Tensor, n_latent: int, before: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Fit kernel, noise and mean by maximum a posteriori with BoTorch.

    Parameters
    ----------
    x : Tensor [N, D + P]
        Codes, then standardised predicted properties (P may be 0).
    y : Tensor [N]
        Standardised utilities.
    n_latent : int
        D.
    before : dict, optional
        An earlier answer, to start from and to keep where the fit fails.

    Returns
    -------
    dict
        ``mean, noise, z_scale, z_length`` (scalars), and where P > 0 ``p_scale, line`` (scalars) and ``p_length`` [P].
    """
    model = make_botorch_model(x, y, n_latent, before)
    try:
        with limited_threads(1 if len(x) <= SMALL else 0):
            _maximise_likelihood(model)
    except (RuntimeError, ValueError, ArithmeticError) as error:  # former hyperparameters: worse, not wrong
        logger.debug("The Gaussian process kept its hyperparameters: %s", error)
        model = make_botorch_model(x, y, n_latent, before)
    return _read(model, n_latent, x.shape[1] - n_latent)


def make_botorch_model(x: Tensor, y: Tensor, n_latent: int, state: dict[str, Tensor] | None = None) -> SingleTaskGP:
    """Make the process as a BoTorch model, at given hyperparameters or at plain ones."""
    from botorch.exceptions.warnings import InputDataWarning
    from botorch.models import SingleTaskGP

    kernel = _botorch_kernel(n_latent, x.shape[1] - n_latent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputDataWarning)  # z is not in a unit cube, and need not be
        model = SingleTaskGP(x, y[:, None], covar_module=kernel, outcome_transform=None)
    if state is not None:
        _write(model, state)
    return model


def _maximise_likelihood(model: SingleTaskGP) -> None:
    from botorch.exceptions.errors import ModelFittingError
    from botorch.fit import fit_gpytorch_mll
    from gpytorch.mlls import ExactMarginalLogLikelihood

    mll = ExactMarginalLogLikelihood(model.likelihood, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jitter and iteration limits: an unfinished fit is good enough
        try:
            fit_gpytorch_mll(mll, optimizer_kwargs={"options": {"maxiter": FIT_ITERATIONS}}, max_attempts=1)
        except ModelFittingError as error:
            raise ArithmeticError(str(error)) from error


def _botorch_kernel(n_latent: int, n_properties: int) -> Any:
    """RBF over z, plus RBF and line over the predicted properties where there are any."""
    from gpytorch.kernels import LinearKernel, RBFKernel, ScaleKernel
    from gpytorch.priors import GammaPrior, LogNormalPrior

    def scaled(kernel: Any) -> Any:
        return ScaleKernel(kernel, outputscale_prior=GammaPrior(2.0, 2.0))

    width = LogNormalPrior(math.sqrt(2.0) + 0.5 * math.log(n_latent), math.sqrt(3.0))
    over_z = RBFKernel(active_dims=tuple(range(n_latent)), lengthscale_prior=width)
    over_z.lengthscale = math.sqrt(n_latent)
    if not n_properties:
        return scaled(over_z)
    dims = tuple(range(n_latent, n_latent + n_properties))
    width = LogNormalPrior(math.sqrt(2.0) + 0.5 * math.log(n_properties), 1.0)
    over_p = RBFKernel(ard_num_dims=n_properties, active_dims=dims, lengthscale_prior=width)
    return scaled(over_z) + scaled(over_p) + LinearKernel(active_dims=dims, variance_prior=GammaPrior(2.0, 2.0))


def _handles(model: SingleTaskGP, n_properties: int) -> dict[str, tuple[Any, str]]:
    """Where BoTorch keeps each hyperparameter: name -> (module, attribute)."""
    if not n_properties:
        over_z = model.covar_module
    else:
        over_z, over_p, line = model.covar_module.kernels
    found = {
        "mean": (model.mean_module, "constant"),
        "noise": (model.likelihood, "noise"),
        "z_scale": (over_z, "outputscale"),
        "z_length": (over_z.base_kernel, "lengthscale"),
    }
    if n_properties:
        found["p_scale"] = (over_p, "outputscale")
        found["p_length"] = (over_p.base_kernel, "lengthscale")
        found["line"] = (line, "variance")
    return found


def _read(model: SingleTaskGP, n_latent: int, n_properties: int) -> dict[str, Tensor]:
    handles = _handles(model, n_properties).items()
    state = {name: getattr(module, attribute).detach().double().clone() for name, (module, attribute) in handles}
    return {name: value.reshape(-1) if name == "p_length" else value.reshape(()) for name, value in state.items()}


def _write(model: SingleTaskGP, state: dict[str, Tensor]) -> None:
    for name, (module, attribute) in _handles(model, len(state.get("p_length", ()))).items():
        current = getattr(module, attribute)
        value = state[name].reshape(current.shape).to(current.dtype)
        if name == "mean":
            module.constant.data.copy_(value)
        else:
            module.initialize(**{attribute: value})
