"""Ask the ADMET-AI ensembles: a JSON line of SMILES in, the mean and the spread of the five models for each property out."""

import csv
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

BATCH = 64


def main() -> None:
    """Load the models, say what they predict, and answer until there are no more questions."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what others print is no answer
    try:
        import admet_ai
        import torch

        torch.set_num_threads(1)
        ensembles = load()
        names = [name for tasks, _ in ensembles for name in tasks]
        tell(answers, {"names": names, "facts": describe(Path(admet_ai.__file__).parent, names)})
    except Exception as error:
        tell(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    for line in sys.stdin:
        try:
            tell(answers, predict(ensembles, json.loads(line)["smiles"]))
        except Exception as error:
            tell(answers, {"error": f"{type(error).__name__}: {error}"})


def tell(answers: TextIO, answer: dict[str, Any]) -> None:
    """Write a line."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def load() -> list[tuple[list[str], list[Any]]]:
    """The names of each ensemble's properties, and its models."""
    from admet_ai import ADMETModel

    whole = ADMETModel(include_physchem=False, drugbank_path=None, num_workers=0)
    return [
        (tasks, [model.eval() for model in models]) for tasks, models in zip(whole.task_lists, whole.model_lists, strict=True)
    ]


def describe(folder: Path, names: list[str]) -> dict[str, dict[str, str]]:
    """Unit, kind and published error of each property, from the package's own table."""
    with (folder / "resources" / "data" / "admet.csv").open(encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    wanted = ("units", "task_type", "size", "AUROC", "MAE")
    return {name: {key: rows[name][key] for key in wanted} for name in names if name in rows}


def predict(ensembles: list[tuple[list[str], list[Any]]], smiles: list[str]) -> dict[str, list[list[float]]]:
    """Mean and standard deviation over the models of each ensemble: a row per molecule, a column per property."""
    import torch

    means, spreads = [], []
    with torch.inference_mode():
        for _, models in ensembles:
            found = torch.stack([torch.cat([model.predict_step(batch, 0) for batch in batches(smiles)]) for model in models])
            means.append(found.mean(dim=0))  # of [models, N, P]
            spreads.append(found.std(dim=0))
    return {"mean": torch.cat(means, dim=1).tolist(), "std": torch.cat(spreads, dim=1).tolist()}


def batches(smiles: list[str]) -> Iterator[Any]:
    """The molecules as the models take them. The package's own loader leaves a last molecule out that would be alone."""
    from chemprop.data import MoleculeDatapoint, MoleculeDataset
    from chemprop.data.collate import collate_batch
    from rdkit import Chem

    data = MoleculeDataset([MoleculeDatapoint(mol=Chem.MolFromSmiles(text)) for text in smiles])
    for start in range(0, len(smiles), BATCH):
        yield collate_batch([data[i] for i in range(start, min(start + BATCH, len(smiles)))])


if __name__ == "__main__":
    main()
