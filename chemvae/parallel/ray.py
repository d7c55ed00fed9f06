"""As much of a pool of processes as :class:`~chemvae.parallel.pool.Workers` needs, over Ray."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from chemvae.errors import ChemVAEError, LostWorkerError, MissingExtraError
from chemvae.parallel.worker import apply


class RayPool:
    """Tasks of the cluster that RAY_ADDRESS names or this program is connected to, else of one started on this machine.

    Parameters
    ----------
    jobs : int
        Tasks at a time; 0 or less takes every core of the cluster.
    cores : int
        Of a cluster that is started here.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    ChemVAEError
        If the cluster cannot be reached.
    """

    def __init__(self, jobs: int, cores: int):
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError:
            raise MissingExtraError("ray", "ray", "The engine 'ray'") from None
        self._ray = ray
        if not ray.is_initialized():
            _connect(ray, cores)
        self.jobs = jobs if jobs > 0 else max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self._sent: dict[int, tuple[Callable, Any]] = {}  # functions, kept alive with what stands for them in the cluster

    def submit(self, function: Callable, block: Sequence) -> RayAnswer:
        """Have a function applied to the items of a block; a function is sent once, however many blocks follow."""
        if id(function) not in self._sent:
            self._sent[id(function)] = function, self._ray.put(function)
        once = self._ray.remote(max_retries=0)(apply)  # what failed is for the caller to judge, and may be dear
        return RayAnswer(self._ray, once.remote(self._sent[id(function)][1], list(block)))

    def shutdown(self) -> None:
        """Forget the functions. The cluster goes on: it may serve others, and ends with the program that started it."""
        self._sent.clear()


class RayAnswer:
    """What will come of a task; as much of a Future as is needed."""

    def __init__(self, ray: Any, reference: Any):
        self._ray, self._reference = ray, reference

    def done(self) -> bool:
        """Whether :meth:`result` answers at once."""
        return bool(self._ray.wait([self._reference], timeout=0)[0])

    def result(self) -> list:
        """Wait for the values; raises what the function raised, LostWorkerError if the task was lost."""
        try:
            return self._ray.get(self._reference)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause if isinstance(error.cause, Exception) else error from None
        except self._ray.exceptions.RayError as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise LostWorkerError(f"A Ray task was lost: {reason} If memory ran out, use fewer --jobs.") from error

    def cancel(self) -> None:
        """End it."""
        self._ray.cancel(self._reference, force=True)


def _connect(ray: Any, cores: int) -> None:
    own = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": cores}
    try:
        ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False, **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ChemVAEError(
            f"Ray could not be started or reached: {reason} Check RAY_ADDRESS, or use --engine local."
        ) from error
