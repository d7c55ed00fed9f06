"""Jobs: what comes of each kind, how they are followed, cancelled, gone on with and taken away."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")
pytest.importorskip("httpx", reason="comes with the extra 'test'")

from rdkit import Chem
from starlette.testclient import TestClient

from chemvae import load
from chemvae.app.jobs.requests import REQUESTS
from chemvae.app.work.bench import Bench
from chemvae.app.work.kinds import KINDS
from chemvae.app.work.order import Order
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute_table
from chemvae.data.files.reading import read_records
from chemvae.progress import CancelToken
from tests.app.serving import Serve, asked, finished, map_of, project_of
from tests.library.conftest import SMILES

pytestmark = pytest.mark.usefixtures("undrawn")

QED = [{"name": "qed", "direction": "max"}]


def optimized(client: TestClient, **settings: object) -> dict:
    given = {"start": [SMILES[3]], "goals": QED, "budget": 6, "seed": 1, **settings}
    return asked(client, "optimize", **given)


@pytest.fixture(scope="module")
def job(client: TestClient) -> dict:
    """A search that has ended."""
    return optimized(client)


def told(client: TestClient, name: str, after: int | None = None) -> list[tuple[int, str, dict]]:
    """The events of a job that has ended: id, kind, data."""
    headers = {} if after is None else {"last-event-id": str(after)}
    answer = client.get(f"/api/jobs/{name}/events", headers=headers)
    blocks = [block.split("\n") for block in answer.text.split("\n\n") if block.startswith("id:")]
    return [(int(a[4:]), b[7:], json.loads(c[6:])) for a, b, c in blocks]


def test_whatever_may_be_asked_for_can_be_done():
    assert REQUESTS.keys() <= KINDS.keys()


def test_a_search_scores_what_rdkit_scores_and_keeps_within_its_budget(client: TestClient, job: dict):
    map_of(client)
    rows = job["rows"]
    assert job["state"] == "done" and 1 <= len(rows) <= 6
    assert [one["score"] for one in rows] == sorted((one["score"] for one in rows), reverse=True)
    expected = compute_table([one["smiles"] for one in rows], ["qed"])["qed"]
    assert [one["score"] for one in rows] == pytest.approx(expected.tolist(), abs=1e-6)
    assert all(one["x"] is not None and 0 <= one["similarity"] <= 1 for one in rows)


def test_the_same_seed_gives_the_same_molecules(client: TestClient, job: dict):
    again = optimized(client)
    assert again["rows"] == job["rows"] and again["id"] != job["id"]


def test_the_folder_of_a_search_is_one_of_the_command_line(client: TestClient, job: dict):
    from chemvae.design.search_folder import SearchFolder

    folder = SearchFolder(project_of(client) / "jobs" / job["id"])
    assert folder.exists() and folder.report.is_file()
    assert folder.resume({}).budget == 6 and folder.read_settings()["maximize"] == ["qed"]
    assert len(pd.read_csv(folder.path / "history.csv")) == len(job["rows"])


def test_a_search_that_is_satisfied_stops(client: TestClient):
    job = optimized(client, budget=400, stop_at=0.01)
    assert job["state"] == "done" and job["reason"].startswith("satisfied") and len(job["rows"]) < 400


def test_constraints_hold_for_what_is_scored(client: TestClient):
    job = optimized(client, constraints=["MW<150"], budget=4, start=[])
    assert (compute_table([one["smiles"] for one in job["rows"]], ["MW"])["MW"] < 150).all()


def test_neighbours_are_known_and_new_and_not_the_molecule_itself(client: TestClient):
    job = asked(client, "neighbors", smiles=SMILES[30], n=10)
    known = [one for one in job["rows"] if one["known"]]
    assert len(known) == 5 and all(canonicalize(SMILES[int(one["row"])]) == canonicalize(one["smiles"]) for one in known)
    assert canonicalize(SMILES[30]) not in [one["smiles"] for one in job["rows"]]


@pytest.mark.parametrize("n", [1, 2, 7, 24])
def test_no_more_neighbours_are_found_than_were_asked_for(client: TestClient, n: int):
    job = asked(client, "neighbors", smiles=SMILES[30], n=n)
    n_known = sum(one["known"] for one in job["rows"])
    assert len(job["rows"]) == len({one["smiles"] for one in job["rows"]}) == n
    assert job["reason"].startswith(f"{n_known} known ones of the library, and {n - n_known} new ones")


IBUPROFEN, PARACETAMOL, CELECOXIB = (
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "CC(=O)Nc1ccc(O)cc1", "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1",
)  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A worker's tools with the shipped model, which keeps codes to learn a direction from."""
    made = Bench({"model": "drug", "project": tmp_path_factory.mktemp("edits")})
    made.model = load("drug", "cpu")  # the server of these tests opens its own in place of any other
    return made


@pytest.mark.parametrize("smiles", [IBUPROFEN, PARACETAMOL, CELECOXIB])
def test_an_edit_begins_with_the_molecule_itself_and_changes_something_by_default(bench: Bench, smiles: str, tmp_path: Path):
    settings = {"smiles": canonicalize(smiles), "along": "logP", "steps": 7, "direction": "max", "radius": None}
    reason = KINDS["edit"](Order(bench, tmp_path, settings, lambda kind, about: None, CancelToken()))
    rows = pd.read_csv(tmp_path / "table.csv")
    first, other = rows.iloc[0], rows.iloc[1]
    assert (first["smiles"], first["step"], first["change"], first["similarity"]) == (canonicalize(smiles), 0, 0, 1)
    assert first["logP"] == pytest.approx(compute_table([smiles], ["logP"])["logP"][0])
    assert rows["smiles"].is_unique and rows["change"].abs().max() > 0.2
    assert ("does not write" in reason) == (other["step"] == 0)
    assert f"give {len(rows)} different molecules" in reason


def test_a_way_between_two_molecules_has_them_at_its_ends(client: TestClient):
    job = asked(client, "interpolate", smiles=SMILES[3], to=SMILES[30], steps=5)
    first, last = job["rows"][0], job["rows"][-1]
    assert [canonicalize(one["smiles"]) for one in (first, last)] == [canonicalize(SMILES[i]) for i in (3, 30)]
    assert (first["similarity"], last["similarity_end"]) == (1, 1)
    assert len({one["smiles"] for one in job["rows"]}) == len(job["rows"])


def test_a_way_is_told_in_the_order_of_its_steps(client: TestClient):
    job = asked(client, "interpolate", smiles=SMILES[3], to=SMILES[30], steps=5)
    steps = [one["step"] for one in job["rows"]]
    assert job["state"] == "done" and steps == sorted(steps) and set(steps) <= set(range(5))


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("neighbors", {"smiles": "C1CC"}, "ring 1"),
        ("neighbors", {"smiles": "CCO", "n": 10**9}, "n:"),
        ("neighbors", {"smiles": "CCO", "colour": "red"}, "no setting 'colour'"),
        ("neighbors", {"smiles": "C" * 3000}, "smiles"),
        ("interpolate", {"smiles": "CCO"}, "'to' is missing"),
        ("edit", {"smiles": "CCO", "along": "no such"}, "no such"),
        ("optimize", {}, "what is sought"),
        ("optimize", {"goals": QED, "budget": 10**8}, "budget"),
        ("optimize", {"goals": QED, "constraints": ["nonsense"]}, "nonsense"),
        ("optimize", {"goals": [{"name": "no such property"}]}, "no such property"),
        ("optimize", {"goals": QED, "method": "magic"}, "magic"),
        ("optimize", {"goals": QED, "start": ["/etc/passwd"]}, "/etc/passwd"),
        ("optimize", {"goals": QED, "minutes": float("1e9")}, "minutes"),
        ("optimize", {"goals": [{"name": "qed", "weight": -1}]}, "weight"),
        ("fit", {"upload": "../../etc", "column": "x"}, "upload"),
        ("fit", {"upload": "0123456789ab", "column": "x"}, "no upload"),
        ("map", {}, "kind of job"),
        ("<script>", {}, "kind of job"),
    ],
)
def test_what_cannot_be_done_is_refused_before_it_is_queued(client: TestClient, kind: str, settings: dict, words: str):
    before = len(client.get("/api/jobs").json()["jobs"])
    answer = client.post("/api/jobs", json={"kind": kind, "settings": settings})
    assert answer.status_code in (400, 422) and words in answer.json()["error"]
    assert len(client.get("/api/jobs").json()["jobs"]) == before


@pytest.mark.parametrize("oracle", ["cmd:touch /tmp/x", "CMD:ls", "cmd-csv:ls", "os:system", "model:/etc", "fit:/etc/passwd#x",
                                    "mpo:cmd:ls=below(1, 1)", "dock:x", "molscore:x", " cmd:ls"])  # fmt: skip
def test_no_oracle_that_runs_imports_or_reads_can_be_named(client: TestClient, oracle: str):
    for settings in ({"oracle": oracle}, {"goals": [{"name": oracle}]}):
        answer = client.post("/api/jobs", json={"kind": "optimize", "settings": settings})
        assert answer.status_code == 400, (oracle, answer.text)


def test_oracles_that_only_compute_can_be_named(client: TestClient):
    job = asked(client, "optimize", oracle=f"similarity:{SMILES[3]}", budget=5, start=[SMILES[3]])
    assert job["state"] == "done" and job["rows"][0]["score"] == pytest.approx(1.0)


def test_events_come_in_order_and_end_with_the_end(client: TestClient, job: dict):
    events = told(client, job["id"], after=0)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert [kind for _, kind, _ in events].count("end") == 1 and events[-1][1] == "end"
    assert events[-1][2] == {"state": "done", "reason": job["reason"]}
    best = [data["score"] for _, kind, data in events if kind == "molecule"]
    assert best == sorted(best) and best[-1] == pytest.approx(job["rows"][0]["score"])


def test_last_event_id_gives_what_came_after_it_and_nothing_twice(client: TestClient, job: dict):
    events = told(client, job["id"], after=0)
    assert told(client, job["id"], after=2) == events[2:]
    assert client.get(f"/api/jobs/{job['id']}/events", headers={"last-event-id": str(len(events))}).status_code == 204


def test_a_page_opened_late_is_told_the_whole_state_first(client: TestClient, job: dict):
    (_, first, state), *rest = told(client, job["id"])
    assert first == "progress" and state["trace"] == job["trace"] and rest[-1][1] == "end"


class Slow:
    """A kind of job that waits until it is told to end."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, order) -> str:
        order.progress(1, 2)
        while not self.go.wait(0.02):
            order.cancel.check()
        return "was let go"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setitem(KINDS, "neighbors", made)
    return made


def ask_slow(client: TestClient) -> str:
    return client.post("/api/jobs", json={"kind": "neighbors", "settings": {"smiles": "CCO"}}).json()["id"]


def state_of(client: TestClient, name: str) -> str:
    return client.get(f"/api/jobs/{name}").json()["state"]


def wait_until(client: TestClient, name: str, state: str) -> None:
    while state_of(client, name) != state:
        time.sleep(0.02)


def test_more_jobs_than_workers_wait_their_turn(serve: Serve, slow: Slow):
    client = serve(workers=1)
    map_of(client)
    first, second = ask_slow(client), ask_slow(client)
    wait_until(client, first, "running")
    assert state_of(client, second) == "queued"
    slow.go.set()
    assert finished(client, first)["ended"] <= finished(client, second)["started"] + 1e-3


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_soon(serve: Serve, slow: Slow):
    client = serve(workers=1)
    map_of(client)
    first, second = ask_slow(client), ask_slow(client)
    wait_until(client, first, "running")
    assert client.delete(f"/api/jobs/{second}").json()["state"] == "cancelled"
    client.delete(f"/api/jobs/{first}")
    assert finished(client, first)["state"] == "cancelled"


class Stubborn(Slow):
    """One that does not listen until it is let go."""

    def __call__(self, order) -> str:
        order.progress(1, 200)
        self.go.wait()
        order.cancel.check()
        return ""


def test_a_job_that_was_asked_to_end_says_so_until_it_has_ended(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(KINDS, "neighbors", stubborn := Stubborn())
    client = serve(workers=1)
    map_of(client)
    name = ask_slow(client)
    while client.get(f"/api/jobs/{name}").json()["progress"].get("total") != 200:
        time.sleep(0.02)
    answer = client.delete(f"/api/jobs/{name}").json()
    assert answer["state"] == "running" and answer["progress"]["cancelling"] is True
    assert client.get("/api/jobs").json()["jobs"][0]["progress"]["cancelling"] is True
    stubborn.go.set()
    ended = finished(client, name)
    assert ended["state"] == "cancelled" and "cancelling" not in ended["progress"]


def test_a_search_that_ended_early_still_says_how_much_was_asked_for(client: TestClient):
    job = optimized(client, budget=400, stop_at=0.01)
    assert job["progress"]["total"] == 400 and job["progress"]["done"] == len(job["rows"]) < 400


def test_what_has_ended_cannot_be_cancelled_and_is_left_as_it_is(client: TestClient, job: dict):
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 409
    assert client.get(f"/api/jobs/{job['id']}").json() == job


@pytest.mark.slow
def test_a_cancelled_search_that_is_gone_on_with_ends_as_an_undisturbed_one(client: TestClient, monkeypatch):
    whole = optimized(client, budget=10)
    from chemvae.app.work import searching

    seen = []

    class Impatient(searching.Watcher):
        def __call__(self, progress):
            super().__call__(progress)
            seen.append(progress.calls)
            if progress.calls >= 3:
                self.cancel.cancel("cancelled")

    with monkeypatch.context() as patch:
        patch.setattr(searching, "Watcher", Impatient)
        half = optimized(client, budget=10)
    assert half["state"] == "cancelled" and len(half["rows"]) < len(whole["rows"])
    assert client.post(f"/api/jobs/{half['id']}/resume").status_code == 200
    assert finished(client, half["id"])["rows"] == whole["rows"]


def test_a_crash_is_one_failed_job_with_its_reason_and_the_next_one_runs(client: TestClient, monkeypatch):
    def crash(order) -> str:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setitem(KINDS, "neighbors", crash)
        job = asked(client, "neighbors", smiles="CCO")
    assert job["state"] == "failed" and "RuntimeError" in job["reason"]
    assert asked(client, "neighbors", smiles="CCO", n=2)["state"] == "done"


def test_a_job_that_eats_all_memory_is_one_failed_job_that_says_so(client: TestClient, monkeypatch):
    def eat(order) -> str:
        raise MemoryError

    monkeypatch.setitem(KINDS, "neighbors", eat)
    assert asked(client, "neighbors", smiles="CCO")["reason"].startswith("Memory ran out")


def test_no_more_jobs_are_taken_than_the_limit_says(serve: Serve, slow: Slow):
    from chemvae.app.settings import Limits

    client = serve(workers=1, limits=Limits(jobs=2))
    map_of(client)
    names = [ask_slow(client), ask_slow(client)]
    answer = client.post("/api/jobs", json={"kind": "neighbors", "settings": {"smiles": "CCO"}})
    assert answer.status_code == 429 and "2 jobs" in answer.json()["error"]
    slow.go.set()
    assert {finished(client, name)["state"] for name in names} == {"done"}


def test_a_server_that_starts_again_knows_its_jobs_and_goes_on_with_those_that_ran(serve: Serve, slow: Slow):
    first = serve(workers=1)
    map_of(first)
    running, waiting = ask_slow(first), ask_slow(first)
    wait_until(first, running, "running")
    first.__exit__(None, None, None)
    slow.go.set()
    second = serve(workers=1)
    assert finished(second, running)["state"] == finished(second, waiting)["state"] == "done"


def test_what_is_running_each_time_the_server_ends_is_given_up(serve: Serve, tmp_path: Path):
    from chemvae.app.jobs.index import JobIndex
    from chemvae.app.project import Project

    index = JobIndex(Project(tmp_path / "project").index)
    job = index.add("neighbors", "a killer", {"smiles": "CCO", "n": 2})
    index.change(job, state="running", tries=5)
    index.close()
    found = serve().get(f"/api/jobs/{job.id}").json()
    assert found["state"] == "failed" and "5 times" in found["reason"]


# what is taken away ---------------------------------------------------------------------------------------------------------


def test_csv_and_json_and_xlsx_and_sdf_hold_the_same_molecules(client: TestClient, job: dict, tmp_path: Path):
    smiles = [one["smiles"] for one in job["rows"]]
    address = f"/api/jobs/{job['id']}/table"
    csv = client.get(f"{address}.csv")
    assert pd.read_csv(io.StringIO(csv.text))["smiles"].tolist() == smiles
    assert client.get(f"{address}.json").json() == job["rows"]
    (tmp_path / "t.xlsx").write_bytes(client.get(f"{address}.xlsx").content)
    (chunk,) = read_records(tmp_path / "t.xlsx")
    assert chunk.frame["smiles"].tolist() == smiles
    (tmp_path / "t.sdf").write_bytes(client.get(f"{address}.sdf").content)
    assert [Chem.MolToSmiles(mol) for mol in Chem.SDMolSupplier(str(tmp_path / "t.sdf"))] == smiles
    assert "attachment" in csv.headers["content-disposition"] and "Optimize-qed" in csv.headers["content-disposition"]


def test_a_shortlist_is_the_rows_that_were_chosen_in_their_order(client: TestClient, job: dict):
    found = client.get(f"/api/jobs/{job['id']}/table.json?rows=2,0").json()
    assert found == [job["rows"][2], job["rows"][0]]
    assert client.get(f"/api/jobs/{job['id']}/table.json?rows=99999").status_code == 400


def test_a_shortlist_by_molecule_is_no_question_of_rows(client: TestClient, job: dict):
    chosen = [job["rows"][2]["smiles"], job["rows"][0]["smiles"]]
    found = client.get(f"/api/jobs/{job['id']}/table.json", params={"smiles": chosen})
    assert found.json() == [job["rows"][2], job["rows"][0]]
    stray = client.get(f"/api/jobs/{job['id']}/table.json", params={"smiles": ["no such"]})
    assert stray.status_code == 400 and "no such" in stray.json()["error"]


def test_nothing_is_left_of_what_was_taken_away(client: TestClient, job: dict):
    client.get(f"/api/jobs/{job['id']}/table.csv")
    assert not list(project_of(client).glob(".export-*"))


def test_a_report_is_shown_as_a_page_that_can_ask_for_nothing(client: TestClient, job: dict):
    report = client.get(f"/api/jobs/{job['id']}/report.html")
    assert report.status_code == 200 and "sandbox" in report.headers["content-security-policy"]
    assert "connect-src" not in report.headers["content-security-policy"]
    other = asked(client, "neighbors", smiles="CCO", n=2)
    assert client.get(f"/api/jobs/{other['id']}/report.html").status_code == 404


def test_comparing_two_runs_shares_out_their_molecules(client: TestClient, job: dict):
    a, b = job, optimized(client, seed=2)
    found = client.get(f"/api/compare?a={a['id']}&b={b['id']}").json()
    mine, theirs = ({one["smiles"] for one in job["rows"]} for job in (a, b))
    assert {one["smiles"] for one in found["only_a"]} == mine - theirs
    assert {one["smiles"] for one in found["only_b"]} == theirs - mine
    assert {one["smiles"] for one in found["both"]} == mine & theirs
    assert found["a"]["trace"] == a["trace"] and found["b"]["trace"] == b["trace"]


def test_a_run_that_goes_on_is_compared_by_what_it_has_told_so_far(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    class Telling(Slow):
        def __call__(self, order) -> str:
            order.tell("molecule", {"call": 1, "smiles": "CCO", "score": 0.4, "MW": 46.0})
            return super().__call__(order)

    client = serve(workers=1)
    map_of(client)
    ended = asked(client, "neighbors", smiles="CCO", n=2)
    monkeypatch.setitem(KINDS, "neighbors", telling := Telling())
    name = ask_slow(client)
    while not client.get(f"/api/jobs/{name}").json()["rows"]:
        time.sleep(0.02)
    found = client.get(f"/api/compare?a={name}&b={ended['id']}").json()
    telling.go.set()
    (row,) = found["only_a"]
    assert (row["smiles"], row["MW"], found["a"]["state"]) == ("CCO", 46.0, "running")
    finished(client, name)


def test_a_molecule_that_a_job_tells_of_again_stands_in_its_table_once(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    class Repeating(Slow):
        def __call__(self, order) -> str:
            for smiles in ("CCO", "CCN", "CCO"):
                order.tell("molecule", {"smiles": smiles, "score": 1.0})
            order.progress(3, 3)
            return super().__call__(order)

    client = serve(workers=1)
    map_of(client)
    monkeypatch.setitem(KINDS, "neighbors", repeating := Repeating())
    name = ask_slow(client)
    while not client.get(f"/api/jobs/{name}").json()["progress"]:
        time.sleep(0.02)
    rows = client.get(f"/api/jobs/{name}").json()["rows"]
    repeating.go.set()
    assert sorted(one["smiles"] for one in rows) == ["CCN", "CCO"]
    finished(client, name)


def test_molecules_of_both_runs_keep_their_properties_beside_both_scores(client: TestClient, job: dict):
    again = optimized(client, constraints=["MW<400"])
    found = client.get(f"/api/compare?a={again['id']}&b={job['id']}").json()
    first = found["both"][0]
    assert first["a"] == pytest.approx(first["b"]) and first["qed"] == pytest.approx(first["a"])
    assert first["MW"] == pytest.approx(compute_table([first["smiles"]], ["MW"])["MW"].iloc[0])


def test_a_job_can_be_renamed_and_is_called_so_when_the_server_starts_again(serve: Serve):
    client = serve()
    map_of(client)
    name = asked(client, "neighbors", smiles="CCO", n=2)["id"]
    assert client.patch(f"/api/jobs/{name}", json={"title": "  first <b>try</b> "}).json()["title"] == "first <b>try</b>"
    assert client.patch(f"/api/jobs/{name}", json={"title": "  "}).status_code in (400, 422)
    assert client.patch("/api/jobs/9999-none", json={"title": "x"}).status_code == 404
    client.__exit__(None, None, None)
    found = serve().get(f"/api/jobs/{name}").json()
    assert found["title"] == "first <b>try</b>" and found["state"] == "done"


def test_a_finished_job_can_be_deleted_with_its_files(client: TestClient):
    one = asked(client, "neighbors", smiles="CCO", n=4)
    folder = project_of(client) / "jobs" / one["id"]
    assert folder.is_dir() and client.delete(f"/api/jobs/{one['id']}/files").status_code == 204
    assert not folder.exists() and client.get(f"/api/jobs/{one['id']}").status_code == 404
    assert one["id"] not in {job["id"] for job in client.get("/api/jobs").json()["jobs"]}
    assert asked(client, "neighbors", smiles="CCO", n=4)["id"] != one["id"]


def test_a_job_that_runs_is_not_deleted_under_its_process(serve: Serve, slow: Slow):
    client = serve(workers=1)
    map_of(client)
    job = ask_slow(client)
    wait_until(client, job, "running")
    assert client.delete(f"/api/jobs/{job}/files").status_code == 409
    client.delete(f"/api/jobs/{job}")
    assert finished(client, job)["state"] == "cancelled"
