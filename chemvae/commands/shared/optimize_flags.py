"""The flags of ``chemvae optimize``, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chemvae.commands.shared.options import STANDARDIZE_MODES
from chemvae.commands.shared.settings_fields import choices

GOALS, LIMITS, START, SEARCH = "What is wanted", "What every molecule must fulfil", "Where to begin", "How to search"


def _flag(kind: Any, *flags: str, panel: str, help: str, metavar: str | None = None) -> Any:
    return Annotated[kind, typer.Option(*flags, metavar=metavar, help=help, rich_help_panel=panel)]


Several = list[str] | None
Maximize = _flag(Several, "--maximize", metavar="P", panel=GOALS, help="Property to make large; repeat for several.")
Minimize = _flag(Several, "--minimize", metavar="P", panel=GOALS, help="Property to make small.")
Target = _flag(Several, "--target", metavar="P=V", panel=GOALS, help="Property to bring to a value.")
Weight = _flag(Several, "--weight", metavar="P=W", panel=GOALS, help="Weight of a goal among several; 1 if not given.")
OracleName = _flag(
    str | None, "--oracle", metavar='NAME|pkg.mod:fn|"cmd:..."', panel=GOALS,
    help="What scores molecules, if not RDKit or the model: qed_minus_sas, similarity:SMILES, isomers:FORMULA, "
    '"mpo:logP=gaussian(2,1);TPSA=below(100,10)", model:FOLDER#P, ..., a Python function, or a program (cmd:, cmd-csv:). '
    "It answers NaN (null, an empty cell) where it fails: a number such as 0 is believed, and worse molecules are found.",
)  # fmt: skip
Yes = _flag(
    bool, "--yes", metavar="", panel=SEARCH,
    help="With --resume: run the program or function that a folder names which you did not begin here, without a question.",
)  # fmt: skip
ScoreCache = _flag(
    Path | None, "--oracle-memory", metavar="FILE", panel=GOALS,
    help="Parquet file of the oracle's scores: what is in it is not paid again, in any search.",
)  # fmt: skip
RetryFailures = _flag(bool, "--retry-failures", metavar="", panel=GOALS, help="Ask again about those that failed before.")
Bound = _flag(
    Several, "--constraint", metavar='"P<V"', panel=LIMITS, help='"SAS<3", "1<logP<3", or novel: not learned from. Repeatable.'
)
Similarity = _flag(
    float | None, "--min-similarity", metavar="T", panel=LIMITS, help="To the start molecules: ECFP4 Tanimoto, 0 to 1."
)
Scaffold = _flag(str | None, "--scaffold", metavar="SMARTS", panel=LIMITS, help="Keep this pattern.")
Forbid = _flag(Several, "--forbid", metavar="SMARTS", panel=LIMITS, help="Never this pattern; repeat for several.")
Neutral = _flag(bool, "--neutral", metavar="", panel=LIMITS, help="Neutral molecules only: protons are added or taken away.")
WithoutAlerts = _flag(bool, "--alerts", metavar="", panel=LIMITS, help="No PAINS or BRENK alert.")
Catalogs = _flag(
    Several, "--alert-catalog", metavar="NAME", panel=LIMITS, help="No alert of PAINS, BRENK, NIH, ...; repeat for several."
)
Plausible = _flag(
    str | None, "--plausible", metavar=choices("chem/plausibility/known.py", "TABLES"), panel=LIMITS,
    help="No ring system and no bond that none of these known molecules has.",
)  # fmt: skip
Start = _flag(
    Several,
    "--start",
    metavar="SMILES",
    panel=START,
    help="Molecule to begin with, or a file of them; repeatable. A laboratory takes the values in its column, too.",
)
StartColumn = _flag(str | None, "-s", "--smiles-column", metavar="COLUMN", panel=START, help="In files of molecules.")
Cleaning = _flag(
    str | None, "--standardize", metavar=STANDARDIZE_MODES, panel=START,
    help="Of start molecules and of what is measured; by default salts: the largest part of each.",
)  # fmt: skip
Known = _flag(str | None, "--known", metavar="DATA", panel=START, help="To name the nearest known molecule of each design.")
Method = _flag(
    str,
    "--method",
    metavar=choices("design/optimizers/factory.py", "OPTIMIZERS"),
    panel=SEARCH,
    help="How to choose what to try next.",
)
Budget = _flag(int, "--budget", metavar="N", panel=SEARCH, help="Distinct molecules to score.")
BatchSize = _flag(int | None, "--batch", metavar="N", panel=SEARCH, help="Molecules per round.")
OracleJobs = _flag(
    int | None, "--jobs", metavar="N", panel=SEARCH, help="Workers that share the oracle's molecules; 0: one per core."
)
Engine = _flag(
    str,
    "--engine",
    metavar=choices("design/oracles/pools.py", "ENGINES"),
    panel=SEARCH,
    help="Where they are; with ray, all cores of the cluster but for --jobs.",
)
Timeout = _flag(float | None, "--timeout-s", metavar="S", panel=SEARCH, help="Seconds a molecule may take.")
TimeLimit = _flag(float | None, "--time-limit", metavar="MIN", panel=SEARCH, help="No round begins after so many minutes.")
Patience = _flag(int, "--patience", metavar="N", panel=SEARCH, help="Rounds without a new molecule before it ends.")
Baseline = _flag(
    bool, "--baseline", metavar="", panel=SEARCH, help="Also sample at random with the same budget, and report both."
)
