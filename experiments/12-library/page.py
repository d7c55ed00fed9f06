"""Put the figures of result.json into README.md and docs/pages/library.md: python experiments/12-library/page.py"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGES = (HERE / "README.md", HERE.parent.parent / "docs" / "pages" / "library.md")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
ROWS = {
    "latent_s": ("50 nearest in latent space, s", ".3f"),
    "latent_least_s": ("the quickest of them, s", ".3f"),
    "latent_processor_s": ("their processor time, s", ".3f"),
    "latent_cold_s": ("the first, from disk, s", ".2f"),
    "recall": ("recall against every float code", ".3f"),
    "brute_force_s": ("brute force over the float codes, s", ".2f"),
    "latent_peak_mib": ("memory at the most, MiB", ",.0f"),
    "resident_before_mib": ("of which before the first search, MiB", ",.0f"),
    "combined_s": ("nearest with 1 < logP < 3 and no nitro group, s", ".3f"),
    "combined_processor_s": ("its processor time, s", ".3f"),
    "fingerprint_s": ("50 most similar (Tanimoto), s", ".3f"),
    "fingerprint_processor_s": ("their processor time, s", ".3f"),
    "substructure_s": ("first 50 with a pyridine, s", ".3f"),
    "property_s": ("first 50 with 1 < logP < 3, s", ".3f"),
    "load_average": ("programs that wanted the two cores meanwhile", ".0f"),
}
ON_PAPER = {"latent": "latent", "fingerprint": "fingerprint", "combined": "combined"}


def filled(page: str, result: dict[str, Any]) -> str:
    """The page with the figures of a result between its marks."""
    figures = {name: metric["mean"] for name, metric in result["metrics"].items()}
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{table(figures, result['config'])}\n{END}{rest.split(END, 1)[1]}"


def table(figures: dict[str, float], config: dict[str, Any]) -> str:
    """Sizes as columns, what was measured as rows; then the building, and 1e9 on paper."""
    sizes = [f"{size:.0e}" for size in config["sizes"]]
    lines = ["| molecules | " + " | ".join(f"{size:,}" for size in config["sizes"]) + " |", "|---" * (len(sizes) + 1) + "|"]
    for name, (words, form) in ROWS.items():
        lines.append(f"| {words} | " + " | ".join(f"{figures[f'{size}: {name}']:{form}}" for size in sizes) + " |")
    built = {name: figures[f"build: {name}"] for name in ("n_molecules", "molecules_per_processor_s", "bytes_per_molecule")}
    lines += [
        "",
        f"Building: {built['molecules_per_processor_s']:,.0f} molecules for each second of one processor "
        f"({built['n_molecules']:,} real ones, properties and fingerprints included), {built['bytes_per_molecule']:,.0f} bytes "
        f"each. On paper, at 1e9: {1e9 / built['molecules_per_processor_s'] / 86_400:,.0f} processor days, "
        f"{built['bytes_per_molecule'] / 1e3:.2f} TB. Processor seconds of a search grow with the power "
        + ", ".join(f"{figures[f'slope of {name}_processor_s']:.2f} ({words})" for name, words in ON_PAPER.items())
        + " of the number from the second size to the third; where each further molecule costs as much as one between these, "
        + "they come at 1e9 to "
        + ", ".join(f"{figures[f'on paper, 1e9: {name}_processor_s']:,.0f} ({words})" for name, words in ON_PAPER.items())
        + ", if memory holds the codes (64 GB).",
    ]
    return "\n".join(lines)


def main() -> None:
    result = json.loads((HERE / "result.json").read_text(encoding="utf-8"))
    for path in PAGES:
        path.write_text(filled(path.read_text(encoding="utf-8"), result), encoding="utf-8")


if __name__ == "__main__":
    main()
