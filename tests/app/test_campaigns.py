"""Campaigns that a laboratory measures for: batches out, results in, by file and by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("httpx", reason="comes with the extra 'test'")

from starlette.testclient import TestClient

from chemvae.data.files.reading import read_records
from tests.app.serving import finished, project_of
from tests.library.conftest import SMILES

pytestmark = pytest.mark.usefixtures("undrawn")

WANTED = {"measured": ["pIC50"], "goals": [{"name": "pIC50"}], "start": [SMILES[3], SMILES[30]], "batch": 4, "seed": 1}


def begun(client: TestClient, name: str, **settings: object) -> list[dict]:
    """A campaign with its first batch."""
    answer = client.post("/api/campaigns", json={"name": name, "settings": {**WANTED, **settings}})
    assert answer.status_code == 201, answer.text
    job = finished(client, answer.json()["job"])
    assert job["state"] == "done", job["reason"]
    return client.get(f"/api/campaigns/{name}/batch").json()["rows"]


def stand(client: TestClient, name: str) -> dict:
    return next(one for one in client.get("/api/campaigns").json()["campaigns"] if one["name"] == name)


def next_batch(client: TestClient, name: str, **more: object) -> list[dict]:
    answer = client.post(f"/api/campaigns/{name}/next", json=more)
    assert answer.status_code == 202, answer.text
    job = finished(client, answer.json()["job"])
    assert job["state"] == "done", job["reason"]
    return client.get(f"/api/campaigns/{name}/batch").json()["rows"]


def test_two_rounds_by_hand_and_by_a_workbook(client: TestClient, tmp_path: Path):
    first = begun(client, "two rounds")
    assert len(first) == 4 and all(one["pIC50"] == "" for one in first)
    typed = [{"id": one["id"], "value": 5.0 + i} for i, one in enumerate(first[:2])]
    told = client.post("/api/campaigns/two rounds/results", json={"rows": typed}).json()
    assert told == {"read": 2, "open": 2, "refused": [], "failed": []}
    (tmp_path / "sheet.xlsx").write_bytes(client.get("/api/campaigns/two rounds/batch.xlsx").content)
    (chunk,) = read_records(tmp_path / "sheet.xlsx")
    assert chunk.frame["id"].tolist() == [one["id"] for one in first[2:]]
    filled = pd.DataFrame({"id": [one["id"] for one in first[2:]], "pIC50": ["7.5", "insoluble"]})
    filled.to_excel(tmp_path / "filled.xlsx", index=False)
    files = {"file": ("filled.xlsx", (tmp_path / "filled.xlsx").read_bytes())}
    told = client.post("/api/campaigns/two rounds/results", files=files).json()
    assert (told["read"], told["open"], told["refused"]) == (2, 0, [])
    assert [one["row"] for one in told["failed"]] == [2] and "'insoluble' is no number" in told["failed"][0]["reason"]
    second = next_batch(client, "two rounds")
    assert len(second) == 4 and not {one["smiles"] for one in first} & {one["smiles"] for one in second}
    assert (stand(client, "two rounds")["round"], stand(client, "two rounds")["measured"]) == (2, 4)
    history = pd.read_csv(project_of(client) / "campaigns" / "two rounds" / "history.csv")
    assert dict(zip(history["smiles"], history["score"], strict=True))[first[2]["smiles"]] == 7.5
    assert history["reason"].fillna("").str.contains("insoluble").sum() == 1


def test_the_folder_is_one_that_the_command_line_goes_on_with(client: TestClient):
    from chemvae.design.search_folder import SearchFolder

    begun(client, "by command")
    folder = SearchFolder(project_of(client) / "campaigns" / "by command")
    assert folder.exists() and folder.resume({}).oracle == "laboratory:pIC50"


def test_rows_that_cannot_be_understood_are_named_and_the_others_taken(client: TestClient):
    first = begun(client, "half wrong")
    rows = [
        {"id": first[0]["id"], "value": "6.5"}, {"id": "m9999", "value": 5}, {"id": first[1]["id"], "value": "=A1+"},
        {"smiles": "C1CC", "value": 5}, {"id": first[2]["id"], "value": "failed"}, {"id": first[3]["id"], "value": None},
    ]  # fmt: skip
    told = client.post("/api/campaigns/half wrong/results", json={"rows": rows}).json()
    assert [one["row"] for one in told["refused"]] == [2, 3, 4] and all(one["reason"] for one in told["refused"])
    assert (told["read"], told["open"]) == (2, 2)


def test_a_sheet_with_decimal_commas_is_read_as_the_whole_table_says(client: TestClient):
    first = begun(client, "commas")
    rows = "".join(f"{one['id']};{5 + i},25\n" for i, one in enumerate(first))
    files = {"file": ("r.csv", f"id;pIC50\n{rows}".encode())}
    assert client.post("/api/campaigns/commas/results", files=files).json()["read"] == 4
    next_batch(client, "commas")
    history = pd.read_csv(project_of(client) / "campaigns" / "commas" / "history.csv")
    assert sorted(history["score"]) == [5.25, 6.25, 7.25, 8.25]


def test_a_result_that_is_told_again_is_corrected(client: TestClient):
    first = begun(client, "corrected")
    for value in (5.0, 6.0):
        client.post("/api/campaigns/corrected/results", json={"rows": [{"id": first[0]["id"], "value": value}]})
    results = pd.read_csv(project_of(client) / "campaigns" / "corrected" / "results.csv")
    assert results["pIC50"].tolist() == [6.0] and stand(client, "corrected")["measured"] == 1


def test_a_slip_of_the_keyboard_is_no_measurement(client: TestClient):
    first = begun(client, "slips")
    values = ("6.5", ">7", "abc", "failed: insoluble")
    rows = [{"id": one["id"], "value": value} for one, value in zip(first, values, strict=True)]
    told = client.post("/api/campaigns/slips/results", json={"rows": rows}).json()
    assert [one["row"] for one in told["refused"]] == [3] and "'abc' is no number; give one" in told["refused"][0]["reason"]
    assert (told["read"], told["open"], [one["row"] for one in told["failed"]]) == (3, 1, [4])
    assert [one["id"] for one in client.get("/api/campaigns/slips/batch").json()["rows"]] == [first[2]["id"]]
    assert (stand(client, "slips")["measured"], stand(client, "slips")["failed"]) == (3, 1)


def test_results_so_far_are_listed_with_what_each_counts_as_and_a_wrong_one_is_corrected(client: TestClient):
    first = begun(client, "listed")
    values = ("6.5", ">7", "failed")
    rows = [{"id": one["id"], "value": value} for one, value in zip(first, values, strict=False)]
    client.post("/api/campaigns/listed/results", json={"rows": rows})
    told = client.get("/api/campaigns/listed/results").json()
    assert told["names"] == ["pIC50"] and [one["kind"] for one in told["rows"]] == ["value", "bound", "failed"]
    assert [one["pIC50"] for one in told["rows"]] == ["6.5", ">7.0", "failed"]
    corrected = {"rows": [{"id": first[2]["id"], "pIC50": "5.9"}]}
    assert client.post("/api/campaigns/listed/results", json=corrected).json()["refused"] == []
    assert client.get("/api/campaigns/listed/results").json()["rows"][2]["pIC50"] == "5.9"
    assert stand(client, "listed")["failed"] == 0


def test_results_of_molecules_nobody_asked_for_are_taken_too(client: TestClient):
    begun(client, "extra")
    told = client.post("/api/campaigns/extra/results", json={"rows": [{"smiles": "OCC", "value": 4.5}]}).json()
    assert told["read"] == 1 and told["open"] == 4
    assert len(next_batch(client, "extra")) == 4


@pytest.mark.parametrize("body", [{}, {"rows": []}, {"rows": [{"id": {"a": 1}}]}, {"rows": "x"}, {"rows": [], "more": 1}])
def test_results_of_another_shape_are_refused(client: TestClient, body: dict):
    if not (project_of(client) / "campaigns" / "shapes").exists():
        begun(client, "shapes")
    answer = client.post("/api/campaigns/shapes/results", json=body)
    assert answer.status_code == 400 and answer.json()["error"]


def test_a_name_is_taken_once_and_must_be_one_a_folder_can_have(client: TestClient):
    begun(client, "once")
    assert client.post("/api/campaigns", json={"name": "once", "settings": WANTED}).status_code == 409
    for name in ("../x", "", "a/b", "<b>", "con"):
        assert client.post("/api/campaigns", json={"name": name, "settings": WANTED}).status_code == 400


def test_a_campaign_that_is_not_there_is_not_found(client: TestClient):
    assert client.get("/api/campaigns/nowhere/batch").status_code == 404
    assert client.post("/api/campaigns/nowhere/next", json={}).status_code == 404


def test_a_campaign_begins_with_what_a_table_has_measured_already(client: TestClient):
    rows = "".join(f"MC-{i},{smiles},{'>9' if i == 3 else i / 4}\n" for i, smiles in enumerate(SMILES[:12]))
    files = {"file": ("mine.csv", f"Compound Name,Structure,pIC50\n{rows}".encode())}
    upload = client.post("/api/uploads", files=files).json()["id"]
    answer = client.post("/api/campaigns", json={"name": "known before", "settings": WANTED, "upload": upload})
    assert answer.status_code == 201 and (answer.json()["read"], answer.json()["refused"]) == (12, [])
    assert finished(client, answer.json()["job"])["state"] == "done"
    history = pd.read_csv(project_of(client) / "campaigns" / "known before" / "history.csv")
    assert len(history) == 12 and stand(client, "known before")["waiting"] == WANTED["batch"]


def test_a_campaign_is_not_begun_with_a_table_that_lacks_what_is_measured(client: TestClient):
    upload = client.post("/api/uploads", files={"file": ("other.csv", b"smiles,logD\nCCO,1\nCCN,2\n")}).json()["id"]
    answer = client.post("/api/campaigns", json={"name": "not begun", "settings": WANTED, "upload": upload})
    assert answer.status_code >= 400 and "no column 'pIC50'" in answer.text
    assert not (project_of(client) / "campaigns" / "not begun").exists()


def test_a_molecule_that_an_upload_measures_twice_counts_with_its_median(client: TestClient):
    rows = f"a,{SMILES[0]},2.5\nb,{SMILES[1]},4\nc,{SMILES[0]},3.5\n"
    files = {"file": ("twice.csv", f"name,smiles,pIC50\n{rows}".encode())}
    upload = client.post("/api/uploads", files=files).json()["id"]
    answer = client.post("/api/campaigns", json={"name": "twice", "settings": WANTED, "upload": upload}).json()
    results = pd.read_csv(project_of(client) / "campaigns" / "twice" / "results.csv").set_index("smiles")["pIC50"]
    assert results.to_dict() == {SMILES[0]: 3.0, SMILES[1]: 4.0} and answer["read"] == 3
    assert finished(client, answer["job"])["state"] == "done"
