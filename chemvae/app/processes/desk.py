"""The process that answers what must be answered at once: what a text means, a molecule's card, its place on the map."""

from __future__ import annotations

import logging
import sys
from typing import Any

from chemvae.app.processes.limits import limit_memory
from chemvae.app.processes.lines import Lines
from chemvae.errors import ChemVAEError

logger = logging.getLogger(__name__)


def main() -> None:
    """Answer questions until the server is gone."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    lines = Lines()
    messages = lines.read()
    settings = next(messages)
    limit_memory(settings.get("memory_bytes"))
    import torch

    torch.set_num_threads(1)
    from chemvae.app.desk.answers import Answers

    answers = Answers(settings)
    for message in messages:
        if "settings" in message:
            answers.show(message["settings"])
            continue
        lines.send({"number": message["number"], **_answer(answers, message["question"], message["about"])})


def _answer(answers: Any, question: str, about: dict[str, Any]) -> dict[str, Any]:
    """The answer, or a sentence that says why there is none."""
    try:
        return {"answer": getattr(answers, question)(**about)}
    except ChemVAEError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "Memory ran out over this question. Ask about fewer or smaller molecules."}
    except Exception as error:  # a question must not end the desk: it is one refusal
        logger.exception("%s", question)
        return {"error": f"This should not have happened: {type(error).__name__}. Please report it with what was asked."}
