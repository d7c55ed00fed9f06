"""What the table of a search says of its molecules beside their score."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("httpx", reason="comes with the extra 'test'")

from starlette.testclient import TestClient

import chemvae
from chemvae.app.desk.checking import title_of
from chemvae.app.work.values import Values
from chemvae.chem.properties import compute_table
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.design.goals import Goal
from chemvae.qsar.model import HALF_WIDTH
from tests.app.serving import asked, project_of
from tests.conftest import make_model
from tests.library.conftest import SMILES

pytestmark = pytest.mark.usefixtures("undrawn")

QED = [{"name": "qed", "direction": "max"}]
TABLE = "smiles,pIC50\n" + "".join(f"{one},{5 + i % 4 / 2}\n" for i, one in enumerate(SMILES[:40]))


def test_the_values_of_goals_and_constraints_stand_beside_the_score(client: TestClient):
    job = asked(client, "optimize", start=[SMILES[3]], goals=QED, constraints=["MW<400", "-5<logP<9"], budget=5, seed=1)
    table = pd.read_csv(io.StringIO(client.get(f"/api/jobs/{job['id']}/table.csv").text))
    expected = compute_table(table["smiles"].tolist(), ["qed", "MW", "logP"])
    for name in expected:
        assert table[name].to_numpy() == pytest.approx(expected[name].to_numpy(), abs=1e-9)
    (live,) = [data for data in client.app.app.state.chemvae.queue.events(job_of(client, job)).of("molecule")][-1:]
    assert live["MW"] == pytest.approx(compute_table([live["smiles"]], ["MW"])["MW"].iloc[0])


def job_of(client: TestClient, job: dict) -> object:
    return client.app.app.state.chemvae.queue.find(job["id"])


def test_what_is_predicted_is_shown_with_its_interval_and_what_counted_of_it_under_a_name_of_its_own():
    model = make_model(Vocabulary.from_smiles(SMILES), ("S1", "dE_ST")).eval()
    goals = [Goal("S1", target=0.5), Goal("dE_ST", "min")]
    result = chemvae.optimize(model, None, budget=5, goals=goals, start=SMILES[3:6], seed=0)
    settings = {"goals": [{"name": "S1"}, {"name": "dE_ST"}], "constraints": []}
    table = Values(model, settings).beside(result)
    told = model.predict(table["smiles"].tolist())
    for name in ("S1", "dE_ST"):
        mean, half = told[name].to_numpy(), HALF_WIDTH * told[f"{name}_std"].to_numpy()
        assert table[name].to_numpy() == pytest.approx(mean, abs=1e-5)
        assert table[f"{name}_low"].to_numpy() == pytest.approx(mean - half, abs=1e-5)
        assert table[f"{name}_high"].to_numpy() == pytest.approx(mean + half, abs=1e-5)
        assert table[f"{name}_scored"].to_numpy() == pytest.approx(result.history[name].to_numpy())
        assert (np.abs(table[f"{name}_scored"] - mean) > 1e-3).all(), "the cautious end is not the prediction"
        best = result.molecules
        assert best[name].tolist() == best[f"{name}_learned"].tolist(), "the command's table says so, too"
        assert best[f"{name}_scored"].tolist() == result.history.set_index("smiles")[name][best["smiles"]].tolist()
    ends = ("", "_low", "_high", "_scored")
    told = [name for name in table if name.startswith(("S1", "dE_ST")) and not name.endswith("_warning")]
    assert sorted(told) == sorted(f"{name}{end}" for name in ("S1", "dE_ST") for end in ends), "and nothing twice"
    assert table.columns[:3].tolist() == ["call", "smiles", "score"]


def test_a_prediction_of_what_can_be_computed_stands_beside_the_computed_value(client: TestClient):
    job = asked(client, "optimize", start=[SMILES[3]], oracle="predicted:logP", constraints=["logP<20"], budget=4, seed=1)
    (row, *_) = job["rows"]
    assert row["logP"] == pytest.approx(compute_table([row["smiles"]], ["logP"])["logP"].iloc[0])
    assert row["logP_predicted_low"] < row["logP_predicted"] < row["logP_predicted_high"]


def test_a_column_that_was_learned_is_in_the_table_and_its_search_is_called_by_the_file(client: TestClient):
    upload = client.post("/api/uploads", files={"file": ("assay40.csv", TABLE.encode())}).json()
    oracle = f"fit:{upload['id']}#pIC50"
    job = asked(client, "optimize", start=[SMILES[3]], oracle=oracle, constraints=["MW<400"], budget=4, seed=1)
    (row, *_) = job["rows"]
    assert row["pIC50_low"] < row["pIC50"] < row["pIC50_high"] and row["MW"] < 400
    assert row["score"] == pytest.approx(row["pIC50_low"], abs=0.5), "scored by the cautious end"
    assert job["title"] == f"Optimize pIC50 (assay40.csv), MW < 400 from {SMILES[3]}"
    assert str(project_of(client)) not in job["title"]


def test_the_title_of_a_search_names_its_constraints_in_round_numbers():
    goals = [{"name": "S1", "direction": "max", "target": 2.70499}]
    settings = {"goals": goals, "constraints": ["SAS<3.5", "-0.0258137<logP<3.67483"], "start": ["CCO"]}
    assert title_of("optimize", settings, Path()) == "Optimize S1 = 2.705, SAS < 3.5, -0.02581 < logP < 3.675 from CCO"
