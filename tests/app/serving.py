"""A server of a tiny model and a small library, with its desk and its workers in threads of this process: quick."""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from starlette.testclient import TestClient

import chemvae
from chemvae import library
from chemvae.app import server
from chemvae.app.desk.answers import Answers
from chemvae.app.jobs import queue as job_queue
from chemvae.app.plain import as_json
from chemvae.app.processes import worker
from chemvae.app.safety import Gate
from chemvae.app.settings import ServeSettings
from chemvae.app.work.bench import Bench
from chemvae.chem.properties import compute_table
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import ChemVAEError
from chemvae.models.settings import ModelSettings
from chemvae.models.storage import open_model, save_model
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.progress import CancelToken
from chemvae.runs import RunFolder
from chemvae.training import Trainer, TrainingSettings
from tests.library.conftest import SMILES

HOME = "http://127.0.0.1:8080"
QUIET_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(chemvae.__file__).parents[1]), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a small model that writes molecules: a search with one that does not decodes a hundred times as often."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    save_model(writing_model(), RunFolder(path))
    return path


def writing_model(epochs: int = 12, beta: float = 0.1) -> MolVAE:
    """A model that has learned to write the molecules of the library."""
    data = SmilesDataset(SMILES, Vocabulary.from_smiles(SMILES), compute_table(SMILES, ["logP", "qed"]).to_numpy(dtype=float))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MolVAE(data.vocabulary, ModelSettings(16, 24, 96, 8, 8, precision="fp32"), ("logP", "qed"))
    settings = TrainingSettings(
        epochs=epochs, batch_size=16, learning_rate=1e-2, beta=beta, ema_decay=0.9, threads=1, min_kl=0.0, min_active_units=0.0
    )
    model.predictor.fit_scale(torch.tensor(data.labels))
    held_out = SmilesDataset(SMILES[:20], data.vocabulary, data.labels[:20])
    Trainer(model, data, held_out, settings, device="cpu").fit()
    model.training_facts = TrainingFacts(max_tokens=40)
    return model.eval()


@pytest.fixture(scope="session")
def lib(tmp_path_factory: pytest.TempPathFactory, run: Path) -> Path:
    """A library by that model, with names."""
    folder = tmp_path_factory.mktemp("libraries")
    table = folder / "molecules.csv"
    table.write_text("name,smiles\n" + "".join(f"molecule {i},{one}\n" for i, one in enumerate(SMILES)))
    library.build(str(table), folder / "lib", str(run), ["qed"], library.Reading(id_column="name"), library.Work(device="cpu"))
    return folder / "lib"


class ThreadDesk:
    """In place of :class:`chemvae.app.processes.child.Desk`: the same answers, given here."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = dict(settings)
        self._answers: Answers | None = None

    async def ask(self, question: str, timeout_s: float = 60.0, **about: Any) -> Any:
        return as_json(await asyncio.to_thread(self._answer, question, about))

    def _answer(self, question: str, about: dict[str, Any]) -> Any:
        self._answers = self._answers or Answers(self.settings)
        return getattr(self._answers, question)(**about)

    def change(self, settings: dict[str, Any]) -> None:
        self.settings |= settings
        if self._answers is not None:
            self._answers.show(self.settings)

    def close(self) -> None:
        pass


class ThreadWorker:
    """In place of :class:`chemvae.app.processes.child.Child`: the job is done in a thread of this process."""

    def __init__(self, module: str, settings: dict[str, Any]):
        self.settings, self.token = dict(settings), CancelToken()
        self.said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.is_running = True
        self.code = 0

    async def start(self) -> None:
        pass

    async def send(self, message: dict[str, Any]) -> None:
        if message.get("cancel"):
            self.token.cancel("cancelled")
        if "job" in message:
            threading.Thread(target=self._work, args=(message["job"],), daemon=True).start()

    def _work(self, job: dict[str, Any]) -> None:
        send = type("Said", (), {"send": lambda _, message: self.said.put(as_json(message))})()
        state, reason = worker.do(Bench(self.settings), job, send, self.token)
        self.said.put({"end": {"state": state, "reason": reason}})
        self.said.put(None)

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        while (message := await asyncio.to_thread(self.said.get)) is not None:
            yield message

    def kill(self) -> None:
        self.token.cancel("cancelled")
        self.said.put(None)
        self.is_running = False

    async def wait(self) -> int:
        return self.code


@pytest.fixture(scope="session")
def in_threads(run: Path) -> Iterator[None]:
    """Let desks and workers of servers be threads here, with one model for all, and maps be quick."""
    model = open_model(str(run), "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chemvae.app.desk.answers.open_model", lambda name, device: model)
        patch.setattr("chemvae.app.work.bench.open_model", lambda name, device: model)
        patch.setattr("chemvae.app.work.libraries.best_method", lambda: "pca")
        patch.setattr(server, "Desk", ThreadDesk)
        patch.setattr(job_queue, "Child", ThreadWorker)
        yield


Serve = Callable[..., TestClient]


def start(project: Path, run: Path, lib: Path, token: str = "", base_url: str = HOME, **changes: Any) -> TestClient:
    """A server of a project that has started."""
    given = {"project": project, "library": str(lib), "model": str(run), "workers": 2, **changes}
    settings = ServeSettings(**given)
    client = TestClient(Gate(server.make_app(settings), settings, token), base_url=base_url)
    client.__enter__()
    return client


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory, run: Path, lib: Path, in_threads: None) -> Iterator[TestClient]:
    """One server of the small library, for all tests that leave it as it is but for jobs and uploads of their own."""
    served = start(tmp_path_factory.mktemp("served") / "project", run, lib)
    map_of(served)
    yield served
    served.__exit__(None, None, None)


def project_of(client: TestClient) -> Path:
    """The folder that a server keeps everything in."""
    return client.app.app.state.chemvae.project.path


@pytest.fixture
def serve(tmp_path: Path, client: TestClient, run: Path, lib: Path) -> Iterator[Serve]:
    """Starts a server of a project of its own, as often as it is called, with other settings."""
    opened: list[TestClient] = []
    shutil.copytree(project_of(client) / "maps", tmp_path / "project" / "maps")

    def serve_one(token: str = "", base_url: str = HOME, **changes: Any) -> TestClient:
        opened.append(start(tmp_path / "project", run, lib, token, base_url, **changes))
        return opened[-1]

    yield serve_one
    for one in opened:
        one.__exit__(None, None, None)


def finished(client: TestClient, name: str, seconds: float = 120.0) -> dict[str, Any]:
    """A job, once it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = client.get(f"/api/jobs/{name}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.02)
    raise ChemVAEError(f"job {name} did not end: {job}")


def asked(client: TestClient, kind: str, **settings: Any) -> dict[str, Any]:
    """Ask for a job and wait for its end."""
    answer = client.post("/api/jobs", json={"kind": kind, "settings": settings})
    assert answer.status_code == 201, answer.text
    return finished(client, answer.json()["id"])


def map_of(client: TestClient) -> dict[str, Any]:
    """The map, once it is made."""
    while (answer := client.get("/api/map")).status_code == 202:
        finished(client, answer.json()["job"])
    assert answer.status_code == 200, answer.text
    return answer.json()
