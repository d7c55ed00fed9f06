"""What is said of molecules and of the library."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("httpx", reason="comes with the extra 'test'")

from starlette.testclient import TestClient

from chemvae.app.desk.names import KNOWN, find_name
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute_table
from chemvae.demo.emitters.run import START
from chemvae.demo.molecule import DRUGS, Named
from chemvae.maps.packing import unpack_axis, unpack_lines
from tests.app.serving import map_of
from tests.library.conftest import SMILES

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def test_info_names_what_there_is_to_choose_from(client: TestClient):
    info = client.get("/api/info").json()
    assert {one["name"] for one in info["properties"]} >= {"qed", "logP"} and "auto" in info["methods"]
    assert {one["name"] for one in info["oracles"]} & {"cmd", "cmd-csv", "model", "fit"} == set()
    assert info["library"]["rows"] == len(SMILES)
    for column in info["library"]["columns"]:
        assert len(column["edges"]) == len(column["histogram"]) + 1 and column["low"] <= column["high"]


def test_a_card_computes_what_rdkit_computes_and_finds_itself_in_the_library(client: TestClient):
    card = client.post("/api/card", json={"smiles": "O=C(O)c1ccccc1OC(C)=O"}).json()
    computed = {one["name"]: one["value"] for one in card["properties"] if one["source"] == "computed"}
    expected = compute_table([ASPIRIN], list(computed)).iloc[0]
    assert computed == pytest.approx(expected.to_dict())
    assert card["smiles"] == ASPIRIN and card["in_library"] and card["nearest"][0]["similarity"] == 1.0
    assert card["svg"].startswith("<svg")


def test_a_predicted_value_lies_in_its_interval(client: TestClient):
    card = client.post("/api/card", json={"smiles": ASPIRIN}).json()
    predicted = [one for one in card["properties"] if one["source"] == "predicted"]
    assert {one["name"] for one in predicted} == {"logP", "qed"}
    assert all(one["low"] < one["value"] < one["high"] for one in predicted)


@pytest.mark.parametrize("text", ["OC(=O)c1ccccc1OC(C)=O", f"  {ASPIRIN}\n", f"{ASPIRIN} aspirin"])
def test_a_smiles_is_read_however_it_is_written(client: TestClient, text: str):
    assert client.post("/api/read", json={"text": text}).json()["smiles"] == ASPIRIN


def test_a_name_of_the_library_is_read_whatever_its_case(client: TestClient):
    found = client.post("/api/read", json={"text": "Molecule 3"}).json()
    assert (found["smiles"], found["name"]) == (canonicalize(SMILES[3]), "molecule 3")


@pytest.mark.parametrize(
    "name", ["paracetamol", "Caffeine", "celecoxib", "imatinib", "IBUPROFEN", "mCP", "4czipn", "acetaminophen"]
)
def test_a_name_that_the_page_offers_or_everybody_knows_is_read(client: TestClient, name: str):
    found = client.post("/api/read", json={"text": name}).json()
    assert found["smiles"] == canonicalize(find_name(name)[1]) and found["name"] in KNOWN


def test_the_molecules_to_begin_with_are_read_by_their_names(client: TestClient):
    for name, smiles in client.get("/api/info").json()["examples"]:
        assert client.post("/api/read", json={"text": name}).json()["smiles"] == canonicalize(smiles)


@pytest.mark.parametrize("text", ["ibuprofin", "no such drug", "N,N-dimethyl something"])
def test_a_name_that_nobody_knows_is_not_called_a_wrong_smiles(client: TestClient, text: str):
    sentence = client.post("/api/read", json={"text": text}).json()["error"]
    assert f"No molecule is known here as '{text}'" in sentence and "SMILES symbol" not in sentence


@pytest.mark.parametrize("named", [*DRUGS, START])
def test_the_demos_molecules_have_the_same_names(named: Named):
    assert find_name(named.name) == (named.name, named.smiles)


def test_a_molfile_comes_back_as_the_molecule_it_was(client: TestClient):
    molfile = client.post("/api/read", json={"text": "C[C@@H](N)C(=O)O"}).json()["molfile"]
    again = client.post("/api/read", json={"text": molfile})
    assert again.json()["smiles"] == "C[C@@H](N)C(=O)O"


@pytest.mark.parametrize("text", ["C1CC", "no such name", "M  END", "<script>alert(1)</script>", "\x00"])
def test_what_is_no_molecule_is_refused_in_one_sentence(client: TestClient, text: str):
    answer = client.post("/api/read", json={"text": text})
    assert answer.status_code == 400 and set(answer.json()) == {"error"} and "\n" not in answer.json()["error"]


def test_a_molecule_of_the_library_is_placed_where_the_map_has_it(client: TestClient):
    payload = map_of(client)
    smiles, x, y = unpack_lines(payload["smiles"]), unpack_axis(payload["x"]), unpack_axis(payload["y"])
    places = client.post("/api/place", json={"smiles": smiles[:20]}).json()["points"]
    width = max(x.max() - x.min(), y.max() - y.min())
    for i, point in enumerate(places):
        assert point["reason"] is None and abs(point["x"] - x[i]) < 0.01 * width and abs(point["y"] - y[i]) < 0.01 * width


def test_what_cannot_be_placed_says_why_and_the_others_are_placed(client: TestClient):
    map_of(client)
    bad, good = client.post("/api/place", json={"smiles": ["[U]", "CCO"]}).json()["points"]
    assert bad["x"] is None and bad["reason"] and good["reason"] is None and good["x"] is not None


def test_rows_of_the_map_are_rows_of_the_library(client: TestClient):
    payload = map_of(client)
    assert [canonicalize(one) for one in unpack_lines(payload["smiles"])] == [canonicalize(one) for one in SMILES]
    nearest = client.post("/api/card", json={"smiles": SMILES[7]}).json()["nearest"][0]
    assert nearest["row"] == 7


def test_an_unchanged_map_is_not_sent_again(client: TestClient):
    map_of(client)
    etag = client.get("/api/map").headers["etag"]
    assert client.get("/api/map", headers={"if-none-match": etag}).status_code == 304
