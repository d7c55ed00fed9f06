"""Who may ask, how much, and where nothing leads out of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("httpx", reason="comes with the extra 'test'")

from starlette.testclient import TestClient

from chemvae.app.project import Project, safe_name
from chemvae.app.refusals import NotFoundError
from chemvae.app.settings import Limits, ServeSettings
from chemvae.errors import ChemVAEError, InputError, SettingsError
from tests.app.serving import Serve, project_of

TOKEN = "0123456789abcdef-token"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example:8080",
                                  "localhost@evil.example:8080", "user@127.0.0.1:8080", "", "[::1"])  # fmt: skip
def test_a_host_that_is_not_ours_is_refused(client: TestClient, host: str):
    answer = client.get("/api/jobs", headers={"host": host})
    assert answer.status_code == 403 and "error" in answer.json()


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST:8080", "localhost:9000"])
def test_our_own_names_are_answered(client: TestClient, host: str):
    assert client.get("/api/jobs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1.evil.example:8080"]
)
def test_another_origin_is_refused_whatever_it_asks(client: TestClient, origin: str):
    for method, path in (("POST", "/api/jobs"), ("POST", "/api/uploads"), ("DELETE", "/api/jobs/x"), ("GET", "/api/info")):
        assert client.request(method, path, headers={"origin": origin}).status_code == 403


def test_our_own_origin_is_answered(client: TestClient):
    answer = client.post("/api/read", json={"text": "CCO"}, headers={"origin": "http://127.0.0.1:8080"})
    assert answer.status_code == 200


def test_a_picture_on_another_page_cannot_ask_and_a_link_from_one_opens_the_page(client: TestClient):
    foreign = {"sec-fetch-site": "cross-site"}
    assert client.get("/api/jobs", headers={**foreign, "sec-fetch-mode": "no-cors"}).status_code == 403
    assert client.get("/", headers={**foreign, "sec-fetch-mode": "navigate"}).status_code == 200


def test_without_the_token_nothing_is_answered_and_with_it_everything(serve: Serve):
    client = serve(token=TOKEN, host="0.0.0.0", base_url="http://192.0.2.7:8080")
    for path in ("/", "/api/info", "/static/map/map.css", "/api/openapi.json"):
        assert client.get(path).status_code == 401
    for shown in ({"x-chemvae-token": TOKEN}, {"authorization": f"Bearer {TOKEN}"}, {"cookie": f"chemvae_token={TOKEN}"}):
        assert client.get("/api/jobs", headers=shown).status_code == 200
    for wrong in (TOKEN[:-1], TOKEN + "x", "", "é"):
        assert client.get("/api/jobs", headers={"x-chemvae-token": wrong.encode()}).status_code == 401


def test_a_token_in_the_address_moves_into_a_cookie_that_scripts_cannot_read(serve: Serve):
    client = serve(token=TOKEN, host="0.0.0.0", base_url="http://192.0.2.7:8080")
    answer = client.get(f"/?token={TOKEN}", follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert (
        answer.status_code == 303 and answer.headers["location"] == "/" and "httponly" in cookie and "samesite=strict" in cookie
    )
    assert client.get("/api/jobs").status_code == 200


def test_any_other_bind_draws_a_token_and_a_short_one_is_refused():
    assert not ServeSettings(host="0.0.0.0").is_local and ServeSettings().is_local
    with pytest.raises(SettingsError, match="16"):
        ServeSettings(token="short")


def test_every_answer_says_what_a_browser_may_do_with_it(client: TestClient):
    for path in ("/", "/api/info", "/nowhere", "/static/map/map.css", "/api/jobs/x/events"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    policy = client.get("/").headers["content-security-policy"]
    assert (
        "unsafe-inline" not in policy and "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "") and "http" not in policy
    )


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(serve: Serve):
    client = serve(limits=Limits(body_bytes=1_000))
    assert client.post("/api/read", json={"text": "C" * 2_000}).status_code == 413

    def stream():
        for _ in range(100):
            yield b"x" * 100

    assert client.post("/api/read", content=stream(), headers={"content-type": "application/json"}).status_code == 413
    assert client.post("/api/read", json={"text": "CCO"}).status_code == 200


def test_a_request_that_is_no_json_or_of_another_shape_is_one_sentence(client: TestClient):
    for body in (b"{", b"[]", b'{"text": 3}', b"\xff\xfe", b'{"text": ' + b"[" * 10_000):
        answer = client.post("/api/read", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422) and isinstance(answer.json()["error"], str)


TRAVERSALS = [
    "../jobs.sqlite",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "a/../../x",
]


@pytest.mark.parametrize("name", TRAVERSALS)
def test_no_path_leads_out_of_the_project(client: TestClient, name: str):
    for path in (f"/api/jobs/{name}", f"/api/jobs/{name}/table.csv", f"/api/jobs/{name}/report.html", f"/api/uploads/{name}",
                 f"/api/campaigns/{name}/batch", f"/static/{name}", f"/static/map/{name}"):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code in (400, 404, 405) and b"root:" not in answer.content and b"SQLite" not in answer.content


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", ".hidden", "a\x00b", "con", "NUL.txt", "x" * 65, "a\nb", "é", "a."]
)
def test_a_name_that_could_lead_elsewhere_is_none(name: str):
    with pytest.raises(InputError):
        safe_name(name)


@pytest.mark.skipif(os.name == "nt", reason="needs rights to make links there")
def test_a_link_out_of_the_project_is_not_followed(client: TestClient, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "campaign.json").write_text("{}")
    link = project_of(client) / "campaigns" / "linked"
    link.symlink_to(outside)
    try:
        assert client.get("/api/campaigns/linked/batch").status_code == 404
        with pytest.raises(NotFoundError):
            Project(project_of(client)).place("campaigns", "linked")
    finally:
        link.unlink()


def test_what_is_named_like_markup_stays_text(client: TestClient):
    bad = "<script>alert(1)</script>"
    for answer in (client.post("/api/jobs", json={"kind": bad}), client.get(f"/api/jobs/{bad}"),
                   client.post("/api/read", json={"text": bad}),
                   client.post("/api/campaigns", json={"name": bad})):  # fmt: skip
        assert answer.headers["content-type"] == "application/json" and answer.status_code >= 400
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_molecule_named_like_markup_is_drawn_without_it(client: TestClient):
    card = client.post("/api/card", json={"smiles": "CCO"}).json()
    assert "<script" not in card["svg"] and "onload" not in card["svg"]


def test_a_full_disk_is_one_sentence_and_loses_nothing(client: TestClient, monkeypatch):
    from chemvae.app import project

    before = client.get("/api/jobs").json()
    monkeypatch.setattr(project.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 0})())
    for answer in (
        client.post("/api/jobs", json={"kind": "neighbors", "settings": {"smiles": "CCO"}}),
        client.post("/api/uploads", files={"file": ("a.csv", b"smiles\nCCO\n")}),
    ):
        assert answer.status_code == 507 and "full" in answer.json()["error"]
    assert client.get("/api/jobs").json() == before


def test_a_disk_that_fills_while_a_file_is_kept_is_one_sentence_and_leaves_nothing(client: TestClient, monkeypatch):
    import errno

    from chemvae.app.routes import uploads

    def full(source, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted((project_of(client) / "uploads").iterdir())
    monkeypatch.setattr(uploads, "_copy", full)
    answer = client.post("/api/uploads", files={"file": ("a.csv", b"smiles\nCCO\n")})
    assert answer.status_code == 507 and "No space left" in answer.json()["error"]
    assert sorted((project_of(client) / "uploads").iterdir()) == before


def test_events_are_told_though_the_disk_takes_none(tmp_path: Path):
    from chemvae.app.jobs.events import Events

    events = Events(tmp_path / "gone")
    with pytest.raises(ChemVAEError, match="could not be written"):
        events.add("progress", {"done": 1})
    assert events.of("progress") == [{"done": 1}]


def test_a_last_event_that_was_cut_off_is_left_out_and_the_numbers_go_on(tmp_path: Path):
    from chemvae.app.jobs.events import FILE, Events

    events = Events(tmp_path)
    events.add("progress", {"done": 1})
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"id": 2, "eve')
    again = Events(tmp_path)
    assert len(again) == 1 and again.add("end", {})["id"] == 2 and len(Events(tmp_path)) == 2


def test_static_files_are_ours_alone_and_checked_by_their_tag(client: TestClient):
    answer = client.get("/static/map/RDKit_minimal.wasm")
    assert answer.headers["content-type"] == "application/wasm" and answer.content[:4] == b"\0asm"
    again = client.get("/static/map/RDKit_minimal.wasm", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/static/../server.py").status_code == 404 and client.get("/static/.hidden.js").status_code == 404


def test_the_map_script_holds_all_parts_of_the_map(client: TestClient):
    from chemvae.maps.interactive import map_assets

    script = client.get("/static/map/map.js").text
    assert f"<script>{script}</script>" in map_assets()


def test_what_lies_in_a_project_is_not_imported(tmp_path: Path):
    import asyncio

    from chemvae.app.processes import child

    (tmp_path / "chemvae.py").write_text("raise SystemExit(77)")
    (tmp_path / "json.py").write_text("raise SystemExit(78)")

    async def run() -> int:
        one = child.Child("chemvae.app.processes.worker", {"folder": str(tmp_path)})
        one.settings = {"folder": str(tmp_path)}
        await one.start()
        assert one.process.stdin is not None
        one.process.stdin.close()
        return await one.wait()

    assert asyncio.run(run()) not in (77, 78)


def test_a_model_that_is_none_is_one_sentence(tmp_path: Path):
    from chemvae.app.server import make_app

    with pytest.raises(InputError, match="no-such-model"):
        make_app(ServeSettings(project=tmp_path / "p", model="no-such-model"))
