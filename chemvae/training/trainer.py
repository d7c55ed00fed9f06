"""The one training loop: Fabric, phases, checkpoints, resume, callbacks."""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.disk.run_checks import first_line
from chemvae.errors import ChemVAEError, InterruptedRunError, RunFolderError, SettingsError, command_line
from chemvae.models.storage import model_tensors
from chemvae.models.vae import MolVAE
from chemvae.objectives import Loss, Objective, ObjectiveContext, build_objective
from chemvae.parallel import limited_threads
from chemvae.progress import ENDING_SIGNALS, CancelToken, HeardSignal, signal_handlers
from chemvae.runs import RunFolder
from chemvae.schedules import cosine_decay, cyclical, linear_warmup, step_by_time
from chemvae.training.best_weights import START, BestWeights
from chemvae.training.callbacks import Callback
from chemvae.training.checkpoint import misfit_of, progress_from
from chemvae.training.data_parallel import DataParallel
from chemvae.training.ema import WeightAverage
from chemvae.training.optim import make_fabric, make_optimizer
from chemvae.training.processes import ALONE, Processes
from chemvae.training.settings import TrainingSettings
from chemvae.training.validation import check_collapse, measure, measure_objective

log = logging.getLogger(__name__)
LOG_EVERY = 20  # steps between two readings of the loss; a reading waits for the device
BEFORE_ITS_END = ("time limit", "cancelled")  # why a run may stop that can still go on
BUDGET = "budget"  # why a run ends that was to take so long and no longer: it is finished, and cannot go on
FIRST_CHECKPOINT_S = 30.0  # of this call: a run that ends early is worth resuming soon
REASONS = (None, "interrupted", "early", BUDGET, *BEFORE_ITS_END)
COLLAPSED_EPOCHS = 2  # in a row, after the KL weight has risen, before a run is given up


@dataclass
class Progress:
    """Everything besides tensors that must survive a restart."""

    step: int = 0
    epoch: int = 0
    batch: int = 0  # batches done in this epoch
    elapsed_s: float = 0.0
    best_loss: float = math.inf
    bad_epochs: int = 0
    collapsed_epochs: int = 0
    sums: dict[str, float] = field(default_factory=dict)  # of this epoch's training losses
    rows: list[dict[str, Any]] = field(default_factory=list)  # of metrics.csv


class Trainer:
    """Train a model on a data set.

    Parameters
    ----------
    model : MolVAE
        Trained in place; after :meth:`fit` it holds the averaged weights.
    train, valid : SmilesDataset
    settings : TrainingSettings
    run : RunFolder or None
        Where checkpoints and metrics go; None keeps nothing on disk.
    objective : Objective, optional
        Minimised instead of the one that the settings name.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps".
    callbacks : sequence of Callback
    processes : Processes
        Those that share the training, connected.
    """

    def __init__(
        self,
        model: MolVAE,
        train: SmilesDataset,
        valid: SmilesDataset,
        settings: TrainingSettings,
        run: RunFolder | None = None,
        objective: Objective | None = None,
        device: str = "auto",
        callbacks: tuple[Callback, ...] = (),
        processes: Processes = ALONE,
    ):
        self.processes = processes
        self.settings, self.train_data, self.valid_data, self.run, self.callbacks = settings, train, valid, run, callbacks
        self.n_batches = train.n_batches(settings.batch_size)
        self.n_steps = settings.epochs * self.n_batches
        jobs = settings.threads or torch.get_num_threads()
        context = ObjectiveContext(settings, self.beta, train, jobs, model)
        self.objective = build_objective(objective or settings.objective, context)
        self.fabric = make_fabric(device, self.processes.local_rank if self.processes.size > 1 else None)
        self.module = model.to(self.fabric.device)
        self.module.word_dropout = settings.word_dropout
        self.average = WeightAverage(self.module, settings.ema_decay)
        optimizer = make_optimizer(self.module, settings.learning_rate, settings.weight_decay)
        self.model, self.optimizer = self.fabric.setup(self.module, optimizer)
        self.networks = {phase: one.to(self.fabric.device) for phase, one in self.objective.networks().items()}
        self.own_optimizers = {
            phase: make_optimizer(one, settings.learning_rate, settings.weight_decay) for phase, one in self.networks.items()
        }
        self.generator = torch.Generator(self.fabric.device).manual_seed(settings.seed + self.processes.seed_offset)
        self.progress = Progress()
        self.parallel: DataParallel | None = None  # while fit runs, where threads split the batch
        self.best: BestWeights | None = None  # where the weights of the best epoch are to be kept
        self.budget_s = 0.0  # of all calls together, into which schedules and end are to fit; 0 takes what the epochs take
        self._stop: str | None = None
        self._heard = HeardSignal()

    # ---------------------------------------------------------------- schedules

    def place(self, step: int) -> float:
        """This step, or as many as the time that is over stands for, where the budget ends before the epochs do."""
        return step_by_time(step, self.n_steps, self.progress.elapsed_s, self.budget_s)

    def beta(self, step: int) -> float:
        """KL weight at this step."""
        s, n, place = self.settings, round(self.settings.kl_warmup * self.n_steps), self.place(step)
        share = cyclical(place, n, s.kl_cycles) if s.kl_schedule == "cyclical" else linear_warmup(place, n)
        return s.beta_start + (s.beta - s.beta_start) * share

    def learning_rate(self, step: int) -> float:
        s = self.settings
        warmup = min(s.warmup_steps, self.n_steps // 10)
        return s.learning_rate * cosine_decay(self.place(step), self.n_steps, warmup, s.final_learning_rate)

    # ---------------------------------------------------------------- the loop

    def fit(self, cancel: CancelToken | None = None) -> Progress:
        """Train to the end, to the time limit, until it is interrupted, or until a token of another thread cancels it.

        After a time limit or a cancellation all is saved, the model holds the averaged weights, and the run can be resumed.

        Raises
        ------
        InterruptedRunError
            After Ctrl-C or a termination signal, everything saved.
        CollapseError
            If the latent space carries nothing although the KL weight has long risen.
        ChemVAEError
            If the loss is no longer a number; the last checkpoint is kept.
        """
        started = time.monotonic() - self.progress.elapsed_s
        call_started = last_saved = time.monotonic()
        with self._threads(), self._signals():
            self._offer_start()
            while self.progress.epoch < self.settings.epochs and not self._stop:
                for batch in self._epoch_batches():
                    self._prepare()
                    self._train_step(batch)
                    now = time.monotonic()
                    self.progress.elapsed_s = now - started
                    self._stop = self._agreed(self._stop or self._asked_to_stop(now - call_started, cancel))
                    if self._stop:
                        break
                    if now - last_saved > self._checkpoint_s(is_first=last_saved == call_started):
                        self.save()
                        last_saved = now
                if self._stop in (None, BUDGET) or self.progress.batch == self.n_batches:
                    self._end_epoch()
                    self._stop = self._agreed(self._stop)
                    last_saved = time.monotonic()
            self._leave()
        return self.progress

    def _agreed(self, reason: str | None) -> str | None:
        """Why the first process stops: all do then."""
        return REASONS[self.processes.agreed(REASONS.index(reason), self.fabric.device)]

    def _checkpoint_s(self, *, is_first: bool) -> float:
        """Seconds until a checkpoint is due within an epoch."""
        usual = 60 * self.settings.checkpoint_min or math.inf
        return min(usual, FIRST_CHECKPOINT_S) if is_first else usual

    def _asked_to_stop(self, seconds: float, cancel: CancelToken | None) -> str | None:
        """Why to stop after so many seconds of this call, if there is a reason."""
        limit = 60 * self.settings.time_limit_min
        if limit and seconds > limit:
            return "time limit"
        if self.budget_s and self.progress.elapsed_s > self.budget_s:
            return BUDGET
        return "cancelled" if cancel is not None and cancel.is_cancelled else None

    @contextlib.contextmanager
    def _threads(self) -> Iterator[None]:
        """Data-parallel threads where they apply; each operation then runs on one thread."""
        with limited_threads(self.settings.threads):
            threads = torch.get_num_threads()
            if self.fabric.device.type != "cpu" or threads == 1 or not self.objective.splits or self.networks:
                yield
                return
            self.parallel = DataParallel(self.module, threads, self.settings.seed + self.processes.seed_offset)
            try:
                with limited_threads(1):
                    yield
            finally:
                self.parallel.close()
                self.parallel = None

    def _epoch_batches(self) -> Iterator[Batch]:
        p = self.progress
        return self.train_data.epoch(p.epoch, self.settings.batch_size, self.settings.seed, start=p.batch)

    def _prepare(self) -> None:
        """Let the objective make what it needs from the averaged model, every so many steps."""
        if self.objective.is_due(self.progress.step):
            with self.average.applied(), limited_threads(self.parallel.threads if self.parallel else 0):
                self.objective.prepare(self.module, self.progress.step)

    def _train_step(self, batch: Batch) -> None:
        p = self.progress
        self.model.train()
        for group in [group for one in (self.optimizer, *self.own_optimizers.values()) for group in one.param_groups]:
            group["lr"] = self.learning_rate(p.step)
        parts: dict[str, Tensor] = {}
        for phase in self.objective.phases:
            own = self.processes.share(batch)
            loss = self._backward(own, phase)
            self._add_up(phase, self.processes.weight(len(batch), len(own)))
            parts |= loss.parts
            if phase in self.networks:
                self._update_network(phase)
            else:
                norm = self._update(self.average if phase == self.objective.phases[-1] else None)
        loss = Loss(loss.total, parts)
        p.step += 1
        p.batch += 1
        if p.step % LOG_EVERY == 0 or p.batch == self.n_batches:
            self._read_losses(loss, norm, len(batch))

    def _add_up(self, phase: str, weight: float) -> None:
        """Give every process the gradient of the whole batch."""
        self.processes.add_up(self.networks.get(phase, self.module), weight)

    def _backward(self, batch: Batch, phase: str) -> Loss:
        """Leave the gradient of this phase's loss in the parameters."""
        step = self.progress.step
        if self.parallel is not None:

            def loss_of(part: Batch, noise: torch.Generator) -> Loss:
                return self.objective(self.module, part, step, phase, noise)

            return self.parallel.backward(batch, loss_of, step)
        loss = self.objective(self.model, batch.to(self.fabric.device), step, phase, self.generator)
        self.own_optimizers.get(phase, self.optimizer).zero_grad()
        self.fabric.backward(loss.total)
        return loss

    def _update_network(self, phase: str) -> None:
        """Clip and step a network of the objective's own."""
        torch.nn.utils.clip_grad_norm_(self.networks[phase].parameters(), self.settings.clip_norm)
        self.own_optimizers[phase].step()

    def _update(self, average: WeightAverage | None) -> Tensor:
        """Clip, step the optimizer, move the average if this ends a step; return the gradient's norm."""
        step = self.progress.step + 1
        if self.parallel is not None:
            return self.parallel.update(self.optimizer.optimizer, self.settings.clip_norm, average, step)
        norm = self.fabric.clip_gradients(
            self.model, self.optimizer, max_norm=self.settings.clip_norm, error_if_nonfinite=False
        )
        self.optimizer.step()
        if average is not None:
            average.update(step)
        assert norm is not None, "Fabric gives one where it clips to a norm"
        return norm

    def _read_losses(self, loss: Loss, norm: Tensor, n_molecules: int) -> None:
        p = self.progress
        values = {"loss": float(loss.total.detach()), **{name: float(value) for name, value in loss.parts.items()}}
        if not math.isfinite(values["loss"]) or not math.isfinite(float(norm)):
            raise ChemVAEError(
                f"The loss is no longer a number at step {p.step}. Lower --learning-rate (now {self.settings.learning_rate:g}) "
                "and go on with --resume from the last checkpoint, or start anew."
            )
        for name, value in (*values.items(), ("readings", 1.0)):
            p.sums[name] = p.sums.get(name, 0.0) + value
        speed = self._speed(p.step, n_molecules)
        left = (self.n_steps - p.step) * self.settings.batch_size
        info = {
            "step": p.step,
            "n_steps": self.n_steps,
            "epoch": p.epoch + 1,
            **values,
            "molecules_per_s": speed,
            "eta_s": left / speed,
        }
        for callback in self.callbacks:
            callback.on_step(info)

    def _speed(self, step: int, n_molecules: int) -> float:
        """Molecules per second since the last reading."""
        now = time.monotonic()
        before, then = getattr(self, "_last_reading", (step - LOG_EVERY, None))
        self._last_reading = (step, now)
        if then is None or now <= then:
            return max(1e-9, self.settings.batch_size * step / max(self.progress.elapsed_s, 1e-3))
        return max(1e-9, (step - before) * n_molecules / (now - then))

    def _end_epoch(self) -> None:
        p = self.progress
        readings = p.sums.pop("readings", 1.0)
        row = {
            "epoch": p.epoch + 1,
            "step": p.step,
            "elapsed_s": round(p.elapsed_s, 1),
            "learning_rate": self.learning_rate(p.step),
        }
        row |= self.objective.schedule(p.step)
        row["molecules_per_s"] = round(p.step * self.train_data.n_read / self.n_batches / max(p.elapsed_s, 1e-9), 1)
        row |= {f"train_{name}": value / readings for name, value in p.sums.items()}
        with self._averaged():
            facts = self._held_out()
            row |= {f"valid_{name}": value for name, value in facts.items()}
            row["valid_loss"] = self.objective.valid_loss(facts)
            for callback in self.callbacks:
                callback.on_epoch(row, self.module)
        p.rows.append(row)
        p.epoch, p.batch, p.sums = p.epoch + 1, 0, {}
        if self.best is not None:
            self.best.offer(row["valid_loss"], p.epoch, self.average)
        self._judge(row, facts)
        self.save()

    def _offer_start(self) -> None:
        """Measure what there is before the first step, where the best is kept."""
        if self.best is not None and self.progress.step == 0:
            with self._averaged():
                self.best.offer(self.objective.valid_loss(self._held_out()), START, self.average)

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """The averaged weights, on all threads."""
        with self.average.applied(), limited_threads(self.parallel.threads if self.parallel else 0):
            yield

    def _held_out(self) -> dict[str, float]:
        """The figures of the model, as it is, on held-out molecules."""
        step, seed = self.progress.step, self.settings.seed
        own = measure_objective(self.module, self.valid_data, self.objective, step, seed)
        return {**own, **measure(self.module, self.valid_data, seed)}

    def _judge(self, row: dict[str, float], facts: dict[str, float]) -> None:
        """Early stopping, and giving up on a collapsed run."""
        p, s = self.progress, self.settings
        if self.place(p.step) >= s.kl_warmup * self.n_steps:  # before that the loss being minimised still changes
            improved = row["valid_loss"] < p.best_loss - 1e-4
            p.best_loss = min(p.best_loss, row["valid_loss"])
            p.bad_epochs = 0 if improved else p.bad_epochs + 1
            collapsed = bool(self.objective.collapse(facts, s))
            p.collapsed_epochs = p.collapsed_epochs + 1 if collapsed else 0
        if s.patience and p.bad_epochs >= s.patience:
            self._stop = "early"
        if p.collapsed_epochs >= COLLAPSED_EPOCHS:
            self.save()
            check_collapse(facts, s, self.objective)

    def _leave(self) -> None:
        """Put the averaged weights in place; save and speak up if this was not the end."""
        self.objective.close()
        if self._stop in ("interrupted", *BEFORE_ITS_END):
            self.save()
        if self._stop == "interrupted":
            where = f" Go on with: {command_line('train', '--resume', '-o', self.run.resumed_at)}" if self.run else ""
            sentence = f"Interrupted at step {self.progress.step} of {self.n_steps}; everything is saved.{where}"
            raise InterruptedRunError(sentence, self._heard.exit_code)
        self.average.copy_to_model()
        if self.best is not None:
            self.best.copy_to_model()
        self.module.eval()
        if self.progress.rows and self._stop not in BEFORE_ITS_END:
            last = {name[6:]: value for name, value in self.progress.rows[-1].items() if name.startswith("valid_")}
            check_collapse(last, self.settings, self.objective)

    @property
    def stopped_by(self) -> str | None:
        """None if training ran to its end, else "time limit", "cancelled", "early" or "budget"."""
        return self._stop

    # ---------------------------------------------------------------- saving

    def save(self) -> None:
        """Write checkpoint, averaged weights and metrics; each file whole or not at all.

        The checkpoint comes first: it holds all of them. A model that was finished before stays beside the prior that was
        fitted to it until the next is finished.
        """
        if self.run is None:
            return
        self.run.write_trainer(self.state())
        if not self.run.has("prior.safetensors"):
            self.run.write_tensors("model.safetensors", self.shipped_weights())
        self.run.write_metrics(self.progress.rows)

    def shipped_weights(self) -> dict[str, torch.Tensor]:
        """Averaged parameters and buffers, without what prior.safetensors holds."""
        return {**model_tensors(self.module), **self.average.weights}

    def state(self) -> dict[str, Any]:
        return {
            "model": self.module.state_dict(),
            "average": self.average.weights,
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "objective": self.objective.state(),
            "own_optimizers": {phase: one.state_dict() for phase, one in self.own_optimizers.items()},
            "progress": vars(self.progress),
            "n_steps": self.n_steps,
            **({} if self.best is None else {"best": self.best.state()}),
        }

    def resume(self, epochs_before: Collection[int] = ()) -> None:
        """Restore the last checkpoint of the run folder.

        Parameters
        ----------
        epochs_before : collection of int
            How many epochs the run was to have before more were asked for; its checkpoint may be of that time.

        Raises
        ------
        RunFolderError
            If there is none, it is damaged, or it belongs to other data or settings.
        SettingsError
            If the trainer has no run folder.
        """
        if self.run is None:
            raise SettingsError("a trainer without a run folder has nothing to resume; give it the folder as run=")
        state = self.run.read_trainer()
        if problem := misfit_of(state, self.module, self.average.weights, self.optimizer, self.generator):
            raise _other_checkpoint(self.run, problem)
        if state["n_steps"] not in {self.n_steps, *(n * self.n_batches for n in epochs_before)}:
            problem = f"has a trainer.pt that was made for {state['n_steps']} steps, this run has {self.n_steps}."
            raise RunFolderError(self.run.path, problem, "Resume with the same data, epochs and batch size, or start anew.")
        try:
            self._restore(state)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
            raise _other_checkpoint(self.run, first_line(error)) from None

    def _restore(self, state: dict[str, Any]) -> None:
        progress = progress_from(state["progress"], Progress, self.n_batches)
        self.module.load_state_dict(state["model"])
        self.average.load(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.objective.load(state.get("objective", {}))
        for phase, one in self.own_optimizers.items():
            one.load_state_dict(state["own_optimizers"][phase])
        if self.best is not None:
            self.best.load(state.get("best", {}))
        self.progress = progress

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn Ctrl-C and signals that ask for the end into a stop after the current step; a second Ctrl-C is the usual one."""

        def stop(number: int, frame: object) -> None:
            self._stop, self._heard.number = "interrupted", self._heard.number or number
            signal.signal(signal.SIGINT, signal.default_int_handler)

        with signal_handlers(dict.fromkeys((signal.SIGINT, *ENDING_SIGNALS), stop)):
            yield


def _other_checkpoint(run: RunFolder, why: str) -> RunFolderError:
    remedy = "Copy both from one run, or start anew without --resume."
    return RunFolderError(run.path, f"has a trainer.pt that does not fit its config.json ({why}).", remedy)
