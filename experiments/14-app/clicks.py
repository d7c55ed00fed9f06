"""What a second reader waits for while searches run on every core, and fifty readers at once."""

from __future__ import annotations

import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

N_CLICKS, N_CLIENTS = 40, 50
SEARCHES = 2
ENDLESS = 100_000


def measure(server: Any, config: dict[str, Any]) -> dict[str, list[float]]:
    """Seconds of each kind, from the first byte of a question to the last of its answer."""
    home = server.address.rstrip("/")
    smiles = [one["smiles"] for one in ask(home, "/api/card", {"smiles": config["start"]})["nearest"]] or [config["start"]]
    found = {"card without searches, from a script, seconds": clicks(home, smiles)}
    searches = [search(home, config, seed) for seed in range(SEARCHES)]
    wait_for_scores(home, searches)
    found["card while two searches run, from a script, seconds"] = clicks(home, smiles)
    found["slowest of fifty cards asked for at once while two searches run, seconds"] = [max(crowd(home, smiles))]
    for name in searches:
        ask(home, f"/api/jobs/{name}", method="DELETE")
    return found


def ask(home: str, path: str, body: Any = None, method: str | None = None) -> Any:
    """Ask the server."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(home + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def search(home: str, config: dict[str, Any], seed: int) -> str:
    """A search that does not end by itself; its id."""
    settings = {"start": [config["start"]], "goals": [{"name": "qed"}], "budget": ENDLESS, "seed": seed}
    return ask(home, "/api/jobs", {"kind": "optimize", "settings": settings})["id"]


def wait_for_scores(home: str, names: list[str]) -> None:
    """Until every search has scored something."""
    while any(not ask(home, f"/api/jobs/{name}")["progress"].get("done") for name in names):
        time.sleep(0.2)


def timed(home: str, smiles: str) -> float:
    """Seconds of one card."""
    start = time.perf_counter()
    ask(home, "/api/card", {"smiles": smiles})
    return time.perf_counter() - start


def clicks(home: str, smiles: list[str]) -> list[float]:
    """Seconds of cards, one after the other."""
    return [timed(home, smiles[i % len(smiles)]) for i in range(N_CLICKS)]


def crowd(home: str, smiles: list[str]) -> list[float]:
    """Seconds of cards that are asked for at once."""
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        return list(pool.map(lambda i: timed(home, smiles[i % len(smiles)]), range(N_CLIENTS)))
