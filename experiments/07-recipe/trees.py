"""Give a model that ships the trees of the recipe's last stage, where it was made before the recipe grew any.

    CHEMVAE_DATA=FOLDER python experiments/07-recipe/trees.py oled

They learn from the molecules that the model was trained on, the validation molecules decide which are kept, and the test split
is measured again: sets/NAME-test.json and the model's card. Nothing else of the model changes.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import tomllib
from run import figures_of
from ship import rename, ship

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
    own, seed = config["ship"][name], config["seed"]
    model = load_model(RunFolder(SHIPPED / name))
    rename(model, {column: short for short, column in own["names"].items()})
    table = load_table(own["set"], properties=model.property_names)
    inputs = make_inputs(table, choose_split(table, seed), model.vocabulary, 0.0)
    (last,) = (stage for stage in read_recipe("full") if stage.name == "fit")

    began = time.monotonic()
    fit_structure(model, inputs.train, inputs.valid, TreeSettings(rounds=last.settings["trees"]), seed)
    calibrate_predictor(model, inputs.valid)
    seconds = round(time.monotonic() - began, 1)
    run = RunFolder(Path(config["folder"]) / f"{name}-trees")
    save_model(model, run, n_train=len(inputs.train))

    path = HERE / "sets" / f"{own['set']}-test.json"
    measured = json.loads(path.read_text(encoding="utf-8"))
    figures, measured["protocol"] = figures_of(model, own["set"], measured["split"], config)
    shares = {column: float(share) for column, share in zip(model.property_names, model.predictor.structure.share, strict=True)}
    origin = environment()
    measured |= {"stages": {"trees": figures}, "seconds": measured["seconds"] | {"trees": seconds}, "share_of_trees": shares}
    measured |= {"trees": {"command": f"python experiments/07-recipe/trees.py {name}", "commit": origin["commit"]}}
    write_json(path, measured)
    print(ship(name, run, config, measured, SHIPPED / name))


if __name__ == "__main__":
    main()
