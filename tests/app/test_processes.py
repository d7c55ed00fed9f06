"""The real thing: a server, a desk and workers as processes, killed and started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("httpx", reason="comes with the extra 'test'")

from tests.app.serving import QUIET_ENVIRONMENT
from tests.library.conftest import SMILES

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="ends processes by signals")]
SEARCH = {"start": [SMILES[3]], "goals": [{"name": "qed"}], "budget": 24, "seed": 3, "batch": 4}


class Server:
    """``chemvae serve`` in a process of its own."""

    def __init__(self, project: Path, run: Path, lib: Path, *flags: str):
        command = [sys.executable, "-m", "chemvae", "serve", "--port", "0", "--project", str(project), "-m", str(run)]
        self.process = subprocess.Popen(
            [*command, "--library", str(lib), *flags], stderr=subprocess.PIPE, text=True, env=QUIET_ENVIRONMENT
        )
        assert self.process.stderr is not None
        self.home = ""
        while not self.home:
            line = self.process.stderr.readline()
            assert line, "it ended before it listened"
            self.home = line.partition("Open ")[2].strip().rstrip("/")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.home + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def until(self, name: str, *states: str) -> dict[str, Any]:
        while (job := self.ask(f"/api/jobs/{name}"))["state"] not in states:
            time.sleep(0.05)
        return job

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(60)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    made: list[Server] = []
    yield made
    for one in made:
        if one.process.poll() is None:
            one.kill(signal.SIGTERM)


def children_of(pid: int) -> dict[int, str]:
    """Processes below one, with their commands; those that end while they are asked are left out."""
    import psutil

    found = {}
    for one in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found[one.pid] = " ".join(one.cmdline())
    return found


def is_alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pids: list[int], seconds: float = 60.0) -> bool:
    """Whether processes end within some seconds."""
    deadline = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_search_survives_kill_9_of_the_server_and_ends_with_the_history_of_an_undisturbed_one(servers, tmp_path, run, lib):
    project = tmp_path / "project"
    servers.append(first := Server(project, run, lib))
    whole = first.ask("/api/jobs", {"kind": "optimize", "settings": SEARCH})["id"]
    first.until(whole, "done")
    cut = first.ask("/api/jobs", {"kind": "optimize", "settings": SEARCH})["id"]
    record = project / "jobs" / cut / "history.jsonl"
    while not record.exists() or record.read_bytes().count(b"\n") < 8:
        time.sleep(0.02)
    below = list(children_of(first.process.pid))
    first.kill()
    assert gone(below), "desk and workers outlive their server"
    servers.append(second := Server(project, run, lib))
    job = second.until(cut, "done", "failed")
    assert job["state"] == "done", job["reason"]
    histories = [pd.read_csv(project / "jobs" / one / "history.csv").drop(columns="seconds") for one in (whole, cut)]
    pd.testing.assert_frame_equal(*histories)


def test_kill_9_of_a_worker_is_one_failed_job_that_can_be_gone_on_with(servers, tmp_path, run, lib):
    project = tmp_path / "project"
    servers.append(server := Server(project, run, lib))
    name = server.ask("/api/jobs", {"kind": "optimize", "settings": {**SEARCH, "budget": 400}})["id"]
    log = project / "jobs" / name / "log.txt"
    record = project / "jobs" / name / "history.jsonl"
    while not record.exists():
        time.sleep(0.02)
    import psutil

    for pid, command in children_of(server.process.pid).items():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "worker" in command and any(str(log) in one.path for one in psutil.Process(pid).open_files()):
                os.kill(pid, signal.SIGKILL)
    job = server.until(name, "failed", "done")
    assert job["state"] == "failed" and "SIGKILL" in job["reason"]
    assert server.ask("/api/card", {"smiles": "CCO"})["smiles"] == "CCO"
    server.ask(f"/api/jobs/{name}/resume", {}, "POST")
    server.until(name, "running", "done")
    server.ask(f"/api/jobs/{name}", method="DELETE")
    assert server.until(name, "cancelled", "done", "failed")["state"] in ("cancelled", "done")


def test_a_desk_that_is_killed_comes_back(servers, tmp_path, run, lib):
    servers.append(server := Server(tmp_path / "project", run, lib))
    server.ask("/api/card", {"smiles": "CCO"})
    for pid, command in children_of(server.process.pid).items():
        if "desk" in command:
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert server.ask("/api/card", {"smiles": "CCO"})["smiles"] == "CCO"


def test_memory_that_a_job_may_not_have_fails_it_with_a_sentence(tmp_path):
    code = (
        "from chemvae.app.processes.limits import limit_memory; limit_memory(300 << 20)\n"
        "try:\n    x = bytearray(600 << 20)\nexcept MemoryError:\n    print('refused')"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux counts what a process takes in this way")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=QUIET_ENVIRONMENT, check=True)
    assert told.stdout.strip() == "refused"


def test_fifty_clients_at_once_are_all_answered(servers, tmp_path, run, lib):
    servers.append(server := Server(tmp_path / "project", run, lib))
    server.ask("/api/card", {"smiles": "CCO"})
    answers: list[str] = []

    def ask(i: int) -> None:
        answers.append(server.ask("/api/card", {"smiles": SMILES[i]})["smiles"])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(50)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(300)
    assert len(answers) == 50


def test_an_upload_that_is_cut_off_leaves_nothing_and_the_server_goes_on(servers, tmp_path, run, lib):
    project = tmp_path / "project"
    servers.append(server := Server(project, run, lib))
    host, port = server.home.removeprefix("http://").split(":")
    head = (
        f"POST /api/uploads HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        'Content-Length: 1000000\r\n\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\nsmiles\n'
    )
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.encode() + b"CCO\n" * 1000)
    time.sleep(0.5)
    assert server.ask("/api/jobs")["jobs"] is not None and not list((project / "uploads").iterdir())


def test_nothing_of_the_server_is_left_when_it_is_told_to_end(servers, tmp_path, run, lib):
    servers.append(server := Server(tmp_path / "project", run, lib))
    server.ask("/api/card", {"smiles": "CCO"})
    below = list(children_of(server.process.pid))
    server.kill(signal.SIGTERM)
    assert below and gone(below)


def test_a_port_that_is_taken_is_one_sentence(tmp_path, run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "chemvae", "serve", "--port", str(taken.getsockname()[1]), "-m", str(run)]
        told = subprocess.run(
            [*command, "--project", str(tmp_path / "p")], capture_output=True, text=True, env=QUIET_ENVIRONMENT, timeout=120
        )
    assert told.returncode == 1 and "Choose another --port" in told.stderr and "Traceback" not in told.stderr


def test_two_servers_do_not_work_in_one_project(servers, tmp_path, run, lib):
    servers.append(Server(tmp_path / "project", run, lib))
    command = [sys.executable, "-m", "chemvae", "serve", "--port", "0", "--project", str(tmp_path / "project")]
    told = subprocess.run(command, capture_output=True, text=True, env=QUIET_ENVIRONMENT, timeout=120)
    assert told.returncode == 1 and "is being written by" in told.stderr and "Traceback" not in told.stderr


@pytest.mark.parametrize("library", ["no-such.csv", "."])
def test_a_library_that_is_none_is_one_sentence(tmp_path, library):
    command = [sys.executable, "-m", "chemvae", "serve", "--port", "0", "--project", "p", "--library", library]
    told = subprocess.run(command, capture_output=True, text=True, env=QUIET_ENVIRONMENT, timeout=120, cwd=tmp_path)
    assert told.returncode == 1 and library in told.stderr and "Traceback" not in told.stderr
