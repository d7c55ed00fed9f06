"""Downloads from a server on this machine that breaks off, ignores ranges, or serves the wrong file."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chemvae.data.catalog.download import fetch
from chemvae.disk.checksums import file_sha256
from chemvae.errors import InputError

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT; the server's attributes say how badly."""

    def do_GET(self):
        server = self.server
        server.requests.append(self.headers.get("Range"))
        if server.status:
            self.send_error(server.status)
            return
        start = 0
        asked = self.headers.get("Range")
        if asked and server.knows_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                self.end_headers()
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        breaks = len(server.requests) <= server.n_breaks
        self.wfile.write(CONTENT[start : start + 300_000] if breaks else CONTENT[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests, server.status, server.n_breaks, server.knows_ranges = [], 0, 0, True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_address[1]}/file.csv"
        yield server
        server.shutdown()


def test_a_file_arrives_whole_with_its_progress(server, tmp_path):
    steps = []
    path = fetch(server.url, tmp_path / "new" / "file.csv", SHA256, progress=lambda done, total: steps.append((done, total)))
    assert path.read_bytes() == CONTENT and file_sha256(path) == SHA256
    assert steps[-1] == (len(CONTENT), len(CONTENT)) and steps == sorted(steps)
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_transfer_continues_where_it_stopped(server, tmp_path):
    server.n_breaks = 2
    fetch(server.url, tmp_path / "file.csv", SHA256, pause_s=0)
    assert (tmp_path / "file.csv").read_bytes() == CONTENT
    assert server.requests == [None, "bytes=300000-", "bytes=600000-"]


def test_what_arrived_is_kept_for_the_next_call(server, tmp_path):
    server.n_breaks = 1
    with pytest.raises(InputError, match="300,000 of 1,048,576 bytes.*300,000 bytes that arrived are kept.*--from PATH"):
        fetch(server.url, tmp_path / "file.csv", SHA256, attempts=1)
    assert not (tmp_path / "file.csv").exists()
    fetch(server.url, tmp_path / "file.csv", SHA256, attempts=1)
    assert server.requests[-1] == "bytes=300000-" and file_sha256(tmp_path / "file.csv") == SHA256


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.n_breaks, server.knows_ranges = 1, False
    fetch(server.url, tmp_path / "file.csv", SHA256, pause_s=0)
    assert file_sha256(tmp_path / "file.csv") == SHA256


def test_a_whole_part_file_is_recognised(server, tmp_path):
    (tmp_path / "file.csv.part").write_bytes(CONTENT)
    fetch(server.url, tmp_path / "file.csv", SHA256)
    assert file_sha256(tmp_path / "file.csv") == SHA256


def test_a_part_that_is_longer_than_the_file_is_dropped(server, tmp_path):
    (tmp_path / "file.csv.part").write_bytes(CONTENT + b"more")
    fetch(server.url, tmp_path / "file.csv", SHA256, pause_s=0)
    assert file_sha256(tmp_path / "file.csv") == SHA256


def test_the_wrong_file_is_refused_and_not_kept(server, tmp_path):
    with pytest.raises(InputError, match=f"sha256 is {SHA256}, expected {'0' * 64}"):
        fetch(server.url, tmp_path / "file.csv", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_stays_until_the_new_one_is_right(server, tmp_path):
    (tmp_path / "file.csv").write_bytes(b"old")
    with pytest.raises(InputError):
        fetch(server.url, tmp_path / "file.csv", "0" * 64)
    assert (tmp_path / "file.csv").read_bytes() == b"old"


def test_an_error_of_the_server_is_named(server, tmp_path):
    server.status = 404
    with pytest.raises(InputError, match="answered 404.*CHEMVAE_DATA"):
        fetch(server.url, tmp_path / "file.csv", attempts=1)


def test_without_a_network_it_says_what_to_do(server, tmp_path):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="could not be downloaded.*refused.*--from PATH"):
        fetch(url, tmp_path / "file.csv", attempts=1)


def test_only_web_addresses(tmp_path):
    with pytest.raises(InputError, match="not a web address"):
        fetch("file:///etc/passwd", tmp_path / "file.csv")
