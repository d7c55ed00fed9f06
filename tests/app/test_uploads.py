"""Files that are given: checked line by line, then placed, learned from and trained on."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("httpx", reason="comes with the extra 'test'")

from starlette.testclient import TestClient

from chemvae.app.uploads import ending_of
from chemvae.data.prepare.checking import check
from chemvae.errors import InputError
from tests.app.serving import Serve, asked, project_of
from tests.library.conftest import SMILES

pytestmark = pytest.mark.usefixtures("undrawn")

BROKEN = b"name,smiles,pIC50\na,CCO,5.1\nb,C1CC,6\nc,CCN,high\nd,CCO,7\n<script>alert(1)</script>,CCCl,8\n"


def given(client: TestClient, content: bytes, name: str = "table.csv") -> dict:
    answer = client.post("/api/uploads", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def table_of(n: int) -> bytes:
    """n molecules with a number that follows from them."""
    rows = "".join(f"{one},{len(one) / 3:.2f}\n" for one in SMILES[:n])
    return f"smiles,size\n{rows}".encode()


def test_a_broken_table_is_told_line_by_line(client: TestClient, tmp_path: Path):
    found = given(client, BROKEN)
    (tmp_path / "t.csv").write_bytes(BROKEN)
    expected = check(str(tmp_path / "t.csv"), properties=["pIC50"])
    assert found["usable"] == expected.n_valid and found["rows"] == 5 and found["smiles_column"] == "smiles"
    reasons = {(one["line"], one["reason"]) for one in found["problems"]}
    assert {(3, "not a molecule"), (5, "duplicate")} <= reasons and found["duplicates"] == 1


GERMAN = "Verbindung;SMILES;L\xf6slichkeit\nA1;CCO;1,25\nA2;c1ccccc1O;\nA3;C1CC;2,31\nA4;CCN;n.d.\nA5;;0,5\nA6;CCO;1,4\n"


def test_the_numbers_of_an_upload_agree_and_say_what_stands_in_its_cells(client: TestClient):
    found = given(client, GERMAN.encode("latin-1"))
    assert (found["rows"], found["distinct"], found["duplicates"], found["rows"] - found["usable"]) == (6, 3, 1, 2)
    assert found["distinct"] + found["duplicates"] + found["rows"] - found["usable"] == found["rows"]
    cells = {"numbers": 4, "empty": 2, "bounds": 0, "words": 0, "such_as": ["n.d."]}
    assert found["cells"] == {"L\xf6slichkeit": cells}
    assert found["disagreements"] == ["CCO stands in rows 1 and 6 with L\xf6slichkeit 1.25 and 1.4"]


def test_a_guessed_encoding_is_told_by_the_files_own_name(client: TestClient):
    (note,) = given(client, GERMAN.encode("latin-1"), "meins.csv")["notes"]
    assert note.startswith("meins.csv is no UTF-8 and is read as Latin-1")
    assert given(client, GERMAN.encode())["notes"] == []


def test_free_text_is_told_to_be_no_table_of_molecules(client: TestClient):
    before = sorted((project_of(client) / "uploads").iterdir())
    answer = client.post("/api/uploads", files={"file": ("junk.txt", b"hello world\nthis is not a table\n")})
    assert answer.status_code == 400 and "'junk.txt' is no table of molecules" in answer.json()["error"]
    assert sorted((project_of(client) / "uploads").iterdir()) == before


def test_a_report_is_there_when_the_page_is_opened_again(client: TestClient):
    found = given(client, table_of(30))
    assert client.get(f"/api/uploads/{found['id']}").json() == found
    assert [one for one in found["columns"] if one["name"] == "size"] == [{"name": "size", "numeric": True}]


def test_a_compressed_table_and_a_workbook_are_read_too(client: TestClient, tmp_path: Path):
    assert given(client, gzip.compress(table_of(30)), "t.csv.gz")["usable"] == 30
    pd.DataFrame({"smiles": SMILES[:20]}).to_excel(tmp_path / "t.xlsx", index=False)
    assert given(client, (tmp_path / "t.xlsx").read_bytes(), "t.xlsx")["usable"] == 20


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.csv", b""), ("t.csv", b"a,b\n1,2\n"), ("t.csv", b"\x00\xff" * 100), ("t.xlsx", b"PK no workbook"), 
     ("t.parquet", b"PAR1"),
     ("t.pkl", b"x"), ("t.exe", b"x"), ("t", b"x"), ("t.csv.gz", b"no gzip"), ("t.npy", b"x"), ("t.csv", b"smiles\n")],
)  # fmt: skip
def test_what_is_no_table_of_molecules_is_refused_and_not_kept(client: TestClient, name: str, content: bytes):
    before = sorted((project_of(client) / "uploads").iterdir())
    answer = client.post("/api/uploads", files={"file": (name, content)})
    assert answer.status_code in (400, 422) and "\n" not in answer.json()["error"]
    assert str(project_of(client)) not in answer.json()["error"] and "table." not in answer.json()["error"]
    assert sorted((project_of(client) / "uploads").iterdir()) == before


@pytest.mark.parametrize("name", ["../../x.csv", "/etc/x.csv", "..\\x.csv", "<script>.csv", "a" * 300 + ".csv", "x\x00.csv"])
def test_a_name_is_kept_as_a_name_and_never_as_a_path(client: TestClient, name: str):
    found = given(client, table_of(5), name)
    (path,) = (project_of(client) / "uploads" / found["id"]).glob("table.*")
    assert path.name == "table.csv" and "/" not in found["name"]


def test_a_file_that_is_too_large_is_refused(serve: Serve):
    from chemvae.app.settings import Limits

    client = serve(limits=Limits(upload_bytes=1_000))
    answer = client.post("/api/uploads", files={"file": ("t.csv", b"smiles\n" + b"CCO\n" * 30_000)})
    assert answer.status_code == 413 and "more than" in answer.json()["error"]


def test_more_rows_than_are_taken_are_refused(serve: Serve):
    from chemvae.app.settings import Limits

    answer = serve(limits=Limits(rows=10)).post("/api/uploads", files={"file": ("t.csv", table_of(11))})
    assert answer.status_code == 400 and "at most 10" in answer.json()["error"]


def test_an_upload_that_is_cut_off_leaves_nothing(client: TestClient):
    """The client is gone in the middle: the server is told so by an ``http.disconnect``."""
    before = sorted((project_of(client) / "uploads").iterdir())
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\nsmiles\nCC'
    messages = [{"type": "http.request", "body": head, "more_body": True}, {"type": "http.disconnect"}]
    headers = [(b"host", b"127.0.0.1:8080"), (b"content-type", b"multipart/form-data; boundary=x")]
    scope = {
        "type": "http", "method": "POST", "path": "/api/uploads", "raw_path": b"/api/uploads", "query_string": b"",
        "headers": headers, "server": ("127.0.0.1", 8080), "client": ("127.0.0.1", 5), "scheme": "http", "http_version": "1.1",
        "asgi": {"version": "3.0"}, "root_path": "",
    }  # fmt: skip

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        pass

    async def ask():
        try:
            await client.app(scope, receive, send)
        except Exception as error:
            assert type(error).__name__ == "ClientDisconnect"

    asyncio.run(ask())
    assert sorted((project_of(client) / "uploads").iterdir()) == before


def test_an_upload_is_placed_on_the_map_with_its_columns(client: TestClient):
    found = given(client, table_of(25))
    job = asked(client, "place", upload=found["id"])
    assert job["state"] == "done" and len(job["rows"]) == 25
    assert all(one["x"] is not None and one["size"] == pytest.approx(len(one["smiles"]) / 3, abs=1) for one in job["rows"])


def test_a_property_is_learned_and_a_search_can_name_it(client: TestClient):
    found = given(client, table_of(120))
    job = asked(client, "fit", upload=found["id"], column="size")
    rows = job["rows"]
    assert job["state"] == "done" and "120" in job["reason"]
    assert [one["size"] for one in rows] == sorted((one["size"] for one in rows), reverse=True)
    assert all(one["size_low"] < one["size"] < one["size_high"] for one in rows)
    long, short = (sum(len(one["smiles"]) for one in part) for part in (rows[:40], rows[-40:]))
    assert long > short
    search = asked(client, "optimize", oracle=f"fit:{found['id']}#size", budget=4, start=[SMILES[3]])
    assert search["state"] == "done" and search["rows"]


def test_how_well_a_property_was_learned_is_said_beside_the_spread_of_its_labels(client: TestClient):
    job = asked(client, "fit", upload=given(client, table_of(120))["id"], column="size")
    facts = job["progress"]["fitted"]
    assert facts["n"] == 120 and facts["low"] < facts["high"] and 0 < facts["rmse"] < facts["spread"]
    assert (
        f"missed by {facts['rmse']:.2g} (root mean square), while the labels spread by {facts['spread']:.2g}" in job["reason"]
    )


def test_a_property_that_was_learned_is_one_goal_among_others(client: TestClient):
    found = given(client, table_of(60))
    goals = [{"name": "size", "direction": "min", "low": 5, "high": 40}, {"name": "qed"}]
    search = asked(client, "optimize", oracle=f"fit:{found['id']}#size", goals=goals, budget=4, start=[SMILES[3]])
    assert search["state"] == "done", search["reason"]
    assert {"size", "qed"} <= search["rows"][0].keys()
    settings = json.loads((project_of(client) / "jobs" / search["id"] / "settings.json").read_text(encoding="utf-8"))
    assert (settings["minimize"], settings["maximize"]) == (["size"], ["qed"])


@pytest.mark.parametrize("goals", [[{"name": "qed"}, {"name": "SAS"}], [{"name": "size"}, {"name": "no such"}]])
def test_goals_that_do_not_go_with_what_was_learned_are_refused_at_once(client: TestClient, goals: list):
    found = given(client, table_of(60))
    settings = {"oracle": f"fit:{found['id']}#size", "goals": goals, "start": [SMILES[3]]}
    answer = client.post("/api/jobs", json={"kind": "optimize", "settings": settings})
    assert answer.status_code == 400 and ("'size'" in answer.text or "no such" in answer.text)


@pytest.mark.parametrize("column", ["smiles", "no such", "<script>"])
def test_a_column_without_numbers_is_refused_with_those_there_are(client: TestClient, column: str):
    found = given(client, table_of(30))
    answer = client.post("/api/jobs", json={"kind": "fit", "settings": {"upload": found["id"], "column": column}})
    assert answer.status_code == 400 and "there are: size" in answer.json()["error"]


def test_too_few_labels_to_learn_from_is_a_failed_job_that_says_how_many_it_takes(client: TestClient):
    job = asked(client, "fit", upload=given(client, table_of(5))["id"], column="size")
    assert job["state"] == "failed" and "20" in job["reason"] and "table.csv" in job["reason"]
    assert str(project_of(client)) not in job["reason"]


@pytest.mark.slow
def test_a_model_is_trained_on_an_upload_and_every_command_takes_it(client: TestClient):
    found = given(client, table_of(200))
    job = asked(client, "train", upload=found["id"], columns=["size"], preset="tiny", minutes=0.5)
    assert job["state"] == "done", job["reason"]
    from chemvae import load

    model = load(project_of(client) / "jobs" / job["id"] / "run")
    assert model.property_names == ("size",) or list(model.property_names) == ["size"]


def test_an_upload_becomes_the_library(serve: Serve):
    client = serve()
    found = given(client, b"name,smiles,assay\n" + b"".join(f"m{i},{one},{i}\n".encode() for i, one in enumerate(SMILES[:60])))
    job = asked(client, "library", upload=found["id"])
    assert job["state"] == "done", job["reason"]
    info = client.get("/api/info").json()
    assert info["library"]["rows"] == 60 and "assay" in [one["name"] for one in info["library"]["columns"]]


@pytest.mark.parametrize("name", ["x.csv", "x.CSV", "x.sdf.gz", "a.b.xlsx"])
def test_endings_that_are_read(name: str):
    assert ending_of(name).startswith(".")


def test_an_ending_that_is_not_read_names_those_that_are():
    with pytest.raises(InputError, match=".xlsx"):
        ending_of("x.pickle")


def test_uploads_are_listed_when_the_page_is_loaded_again(client: TestClient):
    first, second = given(client, table_of(30), "first.csv"), given(client, table_of(20), "second.csv")
    listed = client.get("/api/uploads").json()["uploads"]
    mine = [one for one in listed if one["id"] in (first["id"], second["id"])]
    assert [one["name"] for one in mine] == ["second.csv", "first.csv"]
    assert [one["usable"] for one in mine] == [20, 30] and "problems" not in mine[0]


def test_a_library_of_a_table_keeps_its_salts_and_the_names_of_its_compounds(serve: Serve):
    client = serve()
    rows = "".join(f"MC-{i},{smiles}{'.Cl' if i % 5 == 0 else ''}\n" for i, smiles in enumerate(SMILES[:30]))
    found = given(client, f"Compound Name,Structure\n{rows}".encode(), "mine.csv")
    assert asked(client, "library", upload=found["id"])["state"] == "done"
    info = client.get("/api/info").json()["library"]
    assert (info["name"], info["rows"]) == ("mine", 30)
    assert client.post("/api/read", json={"text": "MC-5"}).json()["smiles"] == SMILES[5]
