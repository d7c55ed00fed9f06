"""Give a model that ships the trees of the recipe's last stage, where it was made before the recipe grew any.

    CHEMVAE_DATA=FOLDER python experiments/07-recipe/trees.py oled

They learn from the molecules that the model was trained on, and the validation molecules decide which are kept. Nothing else of
the model changes: of the test split's figures those of the properties are taken again, for sets/NAME-test.json and the card.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import tomllib
from run import OF_PROPERTIES
from ship import rename, ship

from chemvae import api
from chemvae.data.prepare.tables import load_table
from chemvae.models.storage import SHIPPED, load_model, save_model
from chemvae.models.structure.trees import TreeSettings
from chemvae.runs import RunFolder, environment, write_json
from chemvae.training.inputs import choose_split, make_inputs
from chemvae.training.posthoc.finish import calibrate_predictor
from chemvae.training.posthoc.structure import fit_structure
from chemvae.training.recipes.recipe import read_recipe

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="a table [ship.NAME] of config.toml")
    name = parser.parse_args().name
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    own, run = config["ship"][name], RunFolder(Path(config["folder"]) / f"{name}-trees")
    if not run.has("trees.safetensors"):
        grow(name, config, run)
    model = load_model(run)
    path = HERE / "sets" / f"{own['set']}-test.json"
    measured = json.loads(path.read_text(encoding="utf-8"))
    (stage,) = measured["stages"]
    figures = api.evaluate(model, own["set"], config["seed"], split=measured["split"], **config["evaluation_of_trees"])
    told = {key: value for key, value in figures.items() if key.startswith(OF_PROPERTIES)}
    by_code = measured.get("trees", {}).get("by_code") or {key: measured["stages"][stage][key] for key in told}
    measured["stages"][stage] |= told
    measured["protocol"] |= {key: figures["protocol"].get(key, "") for key in told}
    structure, origin = model.predictor.structure, environment()
    measured["trees"] = {
        "command": f"python experiments/07-recipe/trees.py {name}", "commit": origin["commit"],
        "by_code": by_code,
        "share": dict(zip(model.property_names, [round(one, 1) for one in structure.share.tolist()], strict=True)),
    }  # fmt: skip
    write_json(path, measured)
    print(ship(name, run, config, measured, SHIPPED / name))


def grow(name: str, config: dict, run: RunFolder) -> None:
    """Grow the trees, and keep the model with them in a run folder."""
    own, seed = config["ship"][name], config["seed"]
    model = load_model(RunFolder(SHIPPED / name))
    rename(model, {column: short for short, column in own["names"].items()})
    table = load_table(own["set"], properties=model.property_names)
    inputs = make_inputs(table, choose_split(table, seed), model.vocabulary, 0.0)
    (last,) = (stage for stage in read_recipe("full") if stage.name == "fit")
    fit_structure(model, inputs.train, inputs.valid, TreeSettings(rounds=last.settings["trees"]), seed)
    calibrate_predictor(model, inputs.valid)
    save_model(model, run, n_train=len(inputs.train))


if __name__ == "__main__":
    main()
