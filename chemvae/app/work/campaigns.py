"""A round of a campaign: results that have come in are taken, and the next molecules to measure are handed out."""

from __future__ import annotations

from pathlib import Path

from chemvae.app.desk.campaigns import RESULTS, SHEET, read_results
from chemvae.app.work.order import Order
from chemvae.app.work.searching import asked_of, search


def do_campaign(order: Order) -> str:
    """Hand out the next batch of a campaign; its folder is one that ``chemvae optimize --batch-in`` goes on with."""
    folder = Path(order.settings["campaign"])
    asked = asked_of(order.settings)
    asked["oracle"] = order.settings["oracle"]
    results = folder / RESULTS
    told = read_results(results) if results.exists() else None
    sheet = folder / SHEET
    if told is None and sheet.exists() and (folder / "history.jsonl").exists():
        sheet.unlink()  # nothing was filled in: it is written again
    found = search(order, asked, out=folder, batch_in=told, batch_out=sheet)
    order.finish(found.result.batch)
    receipt = found.result.receipt
    return f"{len(found.result.batch)} molecules to measure" + (f"; {receipt.describe()}" if receipt else "")
