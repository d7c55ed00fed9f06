"""Copy the model that a recipe has made into the package, with a card of its measured figures.

    python experiments/07-recipe/ship.py oled

Settings stand in config.toml ([ship.NAME]); the figures are those of sets/NAME-test.json, which has to be there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomllib
import torch

from chemvae.models.storage import SHIPPED, load_model, save_model
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder

HERE = Path(__file__).parent
MOST_BYTES = 20_000_000  # of a model in the package
CARD = """# {name}

{title}

- **Data:** the train split of `{data}` ({n_train:,} rows); validation molecules decided which epoch's weights to keep, test
  molecules were looked at once.
- **Command:** `{command}`, commit {commit}. {device}.
- **Stages:** {stages}; settings in `chemvae/training/recipes/full.toml`.
{trees}{heads}
Figures on the {split} split, {n_molecules:,} molecules and {n_samples:,} samples, raw decoder (nothing masked or repaired),
under the names that `chemvae evaluate` gives them:

| figure | value | how |
|---|---|---|
{rows}

**Limits.** {limits}

**Licence and citation.** {licence}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="a table [ship.NAME] of config.toml")
    name = parser.parse_args().name
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    measured = json.loads((HERE / "sets" / f"{config['ship'][name]['set']}-test.json").read_text(encoding="utf-8"))
    run = RunFolder(Path(config["folder"]) / config["ship"][name]["set"])
    print(ship(name, run, config, measured, SHIPPED / name))


def ship(name: str, run: RunFolder, config: Mapping[str, Any], measured: Mapping[str, Any], folder: Path) -> Path:
    """Write the model and its card into a folder; SystemExit if it is larger than a model in the package may be."""
    own, target = config["ship"][name], RunFolder(folder)
    model = load_model(run)
    long = model.property_names
    rename(model, own.get("names", {}))
    model.priors["learned"].to(torch.float16)  # of a flow's five megabytes half
    save_model(model, target)
    facts = run.read_config()
    heads = [f"  `{short}` is `{column}`" for short, column in zip(model.property_names, long, strict=True) if short != column]
    text = CARD.format(
        name=name, title=own["title"], limits=own["limits"], licence=own["licence"], data=measured["set"],
        n_train=facts["n_train"], command=measured["command"], commit=measured["commit"], device=measured["device"],
        stages=", ".join(f"{stage} ({seconds / 60:.0f} min)" for stage, seconds in measured["seconds"].items()),
        trees=told_of_trees(measured.get("trees"), len(long)),
        heads="- **Names:** a property is called by a short name here:\n" + ",\n".join(heads) + ".\n" if heads else "",
        split=measured["split"], n_molecules=config["evaluation"]["n_molecules"], n_samples=config["evaluation"]["n_samples"],
        rows="\n".join(rows(measured, dict(zip(long, model.property_names, strict=True)))),
    )  # fmt: skip
    (folder / "card.md").write_text(text, encoding="utf-8")
    n_bytes = sum(path.stat().st_size for path in folder.iterdir())
    if n_bytes > MOST_BYTES:
        raise SystemExit(f"{folder} takes {n_bytes:,} bytes, more than {MOST_BYTES:,}")
    return folder


def told_of_trees(trees: Mapping[str, Any] | None, n_properties: int) -> str:
    """The card's line on a model that got its trees after its recipe had ended; "" for others."""
    if trees is None:
        return ""
    n_kept = sum(share > 0 for share in trees["share"].values())
    return (
        f"- **Trees:** {n_kept} of {n_properties} properties are predicted from a molecule's structure as well "
        f"(`{trees['command']}`, commit {trees['commit']}); at a point of the latent space the code speaks alone.\n"
    )


def rename(model: MolVAE, names: Mapping[str, str]) -> None:
    """Call a model's properties by shorter names (short -> what it was trained by)."""
    short = {column: one for one, column in names.items()}
    if unknown := sorted(set(short) - set(model.property_names)):
        raise SystemExit(f"the model predicts no {', '.join(unknown)}")
    model.property_units = {short.get(one, one): unit for one, unit in model.property_units.items()}
    model.property_names = [short.get(one, one) for one in model.property_names]


def rows(measured: Mapping[str, Any], short: Mapping[str, str]) -> list[str]:
    """The card's table: the figures of the last stage, with what they mean."""
    figures = list(measured["stages"].values())[-1]
    found = []
    for key, value in figures.items():
        kind, _, column = key.partition("_")  # mae_COLUMN
        called = f"{kind}_{short[column]}" if column in short else key
        if value is not None:
            found.append(f"| `{called}` | {value:.3f} | {measured['protocol'].get(key, '')} |")
    return found


if __name__ == "__main__":
    main()
