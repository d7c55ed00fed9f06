"""Does one recipe, unchanged, make a usable model of anybody's molecules?

    CHEMVAE_DATA=FOLDER python experiments/07-recipe/run.py virtual-drugs               # train, or go on; then measure
    CHEMVAE_DATA=FOLDER python experiments/07-recipe/run.py virtual-drugs --minutes 30  # in another time
    CHEMVAE_DATA=FOLDER python experiments/07-recipe/run.py virtual-drugs --test        # on the test split, once
    python experiments/07-recipe/run.py --gather                                        # result.json from what is there

The model of each stage is measured, on the valid split unless asked otherwise, so that the table shows what each is worth.
Figures go to sets/NAME.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import tomllib

HERE = Path(__file__).parent
COLUMNS = (
    "reconstruction_greedy", "reconstruction_jt", "kl", "active_units", "validity_normal_greedy", "unique_10k_normal_greedy",
    "fcd_normal_greedy", "validity_learned_sampled", "unique_10k_learned_sampled", "fcd_learned_sampled", "novelty",
    "own_code_found_normal_greedy", "own_code_found_learned_sampled", "within_z_similarity_learned",
    "between_z_similarity_learned", "similarity_at_0.2", "similarity_at_0.5",
)  # fmt: skip
OF_PROPERTIES = ("mae_", "coverage90_")


def main() -> None:
    asked = arguments()
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    if asked.gather:
        return gather(config)
    own = {"minutes": config["minutes"], **config["set"][asked.set]}
    minutes = asked.minutes or own["minutes"]
    run = Path(config["folder"]) / (asked.set if asked.minutes is None else f"{asked.set}-{asked.minutes:g}")
    started = time.monotonic()
    train(asked.set, run, own, minutes, config)
    measure(
        asked,
        run,
        config,
        {"set": asked.set, "minutes": minutes, "init": own.get("init"), "took_s": time.monotonic() - started},
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", help="a set of config.toml")
    parser.add_argument("--minutes", type=float, help="instead of the set's own")
    parser.add_argument("--test", action="store_true", help="measure on the test split")
    parser.add_argument("--gather", action="store_true", help="train nothing")
    return parser.parse_args()


def train(name: str, run: Path, own: dict, minutes: float, config: dict) -> None:
    """Start the recipe, or go on with it."""
    from chemvae import api
    from chemvae.runs import RunFolder
    from chemvae.training.recipes.session import has_recipe

    if has_recipe(RunFolder(run)):
        api.train(None, out=run, resume=True)
        return
    options = {name: own[name] for name in ("init", "learning_rate", "stages") if name in own}
    api.train(
        name,
        own.get("properties", ()),
        config["preset"],
        run,
        seed=config["seed"],
        recipe="full",
        time_limit_min=minutes,
        **options,
    )


def measure(asked: argparse.Namespace, run: Path, config: dict, facts: dict) -> None:
    """Measure the model of every stage, the last first, and write each at once: what was measured is not measured again."""
    from chemvae.runs import RunFolder, environment, write_json

    split = "test" if asked.test else "valid"
    stages = RunFolder(run).read_config()["recipe"]["seconds"]
    target = HERE / "sets" / f"{run.name}{'-test' if asked.test else ''}.json"
    target.parent.mkdir(exist_ok=True)
    written = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    found: dict[str, dict] = written["stages"] if written.get("seconds") == stages else {}
    origin, flags = environment(), f" --minutes {asked.minutes:g}" if asked.minutes else ""
    command = f"python experiments/07-recipe/run.py {asked.set}{flags}{' --test' if asked.test else ''}"
    for stage in list(reversed(stages))[: 1 if asked.test else None]:
        folder = run / "stages" / stage
        if stage not in found and (folder / "model.safetensors").exists():
            found[stage], protocol = figures_of(str(folder), asked.set, split, config)
            if stage == list(stages)[-1]:
                for part in config["set"][asked.set].get("parts", ()):
                    add_part(found[stage], protocol, str(folder), part, split, config)
            ordered = {name: found[name] for name in stages if name in found}
            write_json(target, {
                **facts, "split": split, "command": command, "commit": origin["commit"],
                "device": origin["processor"], "versions": origin["versions"], "seconds": stages, "stages": ordered,
                "protocol": protocol,
            })  # fmt: skip


def figures_of(model: Any, data: str, split: str, config: dict) -> tuple[dict[str, Any], dict[str, str]]:
    """What is told of a model, and how each figure was measured."""
    from chemvae import api

    figures = api.evaluate(model, data, config["seed"], split=split, **config["evaluation"])
    of_properties = [name for name in figures if name.startswith(OF_PROPERTIES)]
    told = {name: figures.get(name) for name in (*COLUMNS, *of_properties)}
    return told, {name: figures["protocol"].get(name, "") for name in told}


def add_part(figures: dict, protocol: dict, model: str, part: str, split: str, config: dict) -> None:
    """Add what comes back of one of the sets that a set is made of; its held-out molecules are held out of all."""
    from chemvae import api

    found = api.evaluate(model, part, config["seed"], split=split, **config["evaluation_of_parts"])
    for key in ("reconstruction_greedy", "reconstruction_jt", *(one for one in found if one.startswith(OF_PROPERTIES))):
        figures[f"{key}_{part}"] = found[key]
        protocol[f"{key}_{part}"] = f"{found['protocol'][key].rstrip('.')}, of {part} alone."


def gather(config: dict) -> None:
    """One result.json of all sets' files."""
    from chemvae.runs import write_json

    sets = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((HERE / "sets").glob("*.json"))}
    last = {name: one["stages"][list(one["stages"])[-1]] for name, one in sets.items()}
    figures = {f"{name}: {key}": value for name, one in last.items() for key, value in one.items()}
    first = next(iter(sets.values()))
    write_json(HERE / "result.json", {
        "command": "python experiments/07-recipe/run.py --gather", "commit": first["commit"], "device": first["device"],
        "versions": first["versions"], "seeds": [config["seed"]], "config": config, "sets": sets,
        "elapsed_s": {name: sum(one["seconds"].values()) for name, one in sets.items()},
        "metrics": {name: {"mean": value, "std": None, "n": 1} for name, value in figures.items()},
    })  # fmt: skip


if __name__ == "__main__":
    main()
