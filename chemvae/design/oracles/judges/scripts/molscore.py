"""Ask one task of MolScore: a JSON line of SMILES in, a score for each out. Run as ``molscore.py TASK``."""

import json
import os
import sys
import tempfile
from typing import Any, TextIO

USUAL = "GuacaMol"


def main() -> None:
    """Set the task up, say so, and answer until there are no more questions."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what others print is no answer
    sys.path.pop(0)  # this folder, where a file is called as the package is
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            task = make_task(sys.argv[1], folder)
            tell(answers, {"names": [task.cfg["task"]]})
        except Exception as error:
            tell(answers, {"error": f"{type(error).__name__}: {error}"})
            return
        for line in sys.stdin:
            try:
                tell(answers, {"scores": score(task, json.loads(line)["smiles"])})
            except Exception as error:
                tell(answers, {"error": f"{type(error).__name__}: {error}"})
    os._exit(0)  # the package writes its results when Python ends, into the folder that is gone


def tell(answers: TextIO, answer: dict[str, Any]) -> None:
    """Write a line."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def make_task(name: str, folder: str) -> Any:
    """A task by its file, by "SET:NAME", or by a name of the GuacaMol set."""
    from molscore import MolScore

    is_whole = ":" in name or name.endswith(".json")
    return MolScore("chemvae", name if is_whole else f"{USUAL}:{name}", output_dir=folder)


def score(task: Any, smiles: list[str]) -> list[float]:
    """What the task says of each molecule, in order."""
    return [float(value) for value in task.score(list(smiles), flt=True)]


if __name__ == "__main__":
    main()
