"""Built-in oracles by name, some with an argument behind a colon: ``--oracle qed_minus_sas``, ``--oracle similarity:CCO``."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rdkit import Chem

from chemvae.chem.alerts import SOURCES, catalog_names, find_alerts
from chemvae.chem.properties import PROPERTIES, drug_likeness, penalized_logp, synthetic_accessibility
from chemvae.chem.targets import HasPattern, IsomerOf, SimilarityTo
from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.learned import make_learned, make_predicted, make_saved
from chemvae.design.oracles.programs.command_csv import CsvCommandOracle
from chemvae.design.oracles.programs.command_json import CommandOracle
from chemvae.design.oracles.programs.program import ProgramOracle
from chemvae.design.oracles.score import NoScore
from chemvae.design.oracles.simple import FunctionOracle, MoleculeOracle, PredictorOracle, PropertyOracle
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.registry import find

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

LARGEST_PENALIZED = 38  # heavy atoms, the largest molecule of ZINC250k


def capped_penalized_logp(mol: Chem.Mol, largest: int = LARGEST_PENALIZED) -> float:
    """Penalized logP of molecules that are not too long.

    Raises
    ------
    NoScore
        For more than ``largest`` heavy atoms.

    Examples
    --------
    >>> from chemvae.chem.molecules import parse
    >>> capped_penalized_logp(parse("C" * 39))
    Traceback (most recent call last):
    chemvae.design.oracles.score.NoScore: 39 heavy atoms, more than 38: longer chains would raise it without end
    """
    if mol.GetNumHeavyAtoms() > largest:
        raise NoScore(f"{mol.GetNumHeavyAtoms()} heavy atoms, more than {largest}: longer chains would raise it without end")
    return penalized_logp(mol)


def qed_minus_sas(mol: Chem.Mol) -> float:
    """5 QED - SAS: drug-likeness against difficulty of synthesis.

    Examples
    --------
    >>> from chemvae.chem.molecules import parse
    >>> round(qed_minus_sas(parse("CC(=O)Oc1ccccc1C(=O)O")), 2)
    1.17
    """
    return 5.0 * drug_likeness(mol) - synthetic_accessibility(mol)


def count_alerts(mol: Chem.Mol, catalogs: tuple[str, ...]) -> float:
    """Number of entries of the catalogs that a molecule matches."""
    return float(len(find_alerts(mol, catalogs)))


@dataclass(frozen=True)
class Builtin:
    """An oracle that has a name."""

    meaning: str
    """What its score is, its unit, and who defined it."""
    make: Callable[[str, MolVAE | None], Oracle]
    """From the argument ("" without one) and the model, which may be None."""
    argument: str = ""
    """What stands behind the colon; empty where nothing does, in brackets where it may be left out."""
    exploitable: bool = False
    """Whether an optimizer can raise it by making nonsense."""

    @property
    def needs_argument(self) -> bool:
        """Whether it means nothing without its argument."""
        return bool(self.argument) and not self.argument.startswith("[")

    def usage(self, name: str) -> str:
        """How it is written.

        Examples
        --------
        >>> SINGLE["similarity"].usage("similarity"), SINGLE["alerts"].usage("alerts")
        ('similarity:SMILES[,FINGERPRINT]', 'alerts[:PAINS,BRENK,NIH]')
        """
        if not self.argument:
            return name
        return f"{name}:{self.argument}" if self.needs_argument else f"{name}[:{self.argument[1:]}"


def _plain(name: str, function: Callable[[Chem.Mol], float]) -> Callable[[str, MolVAE | None], Oracle]:
    return lambda argument, model: MoleculeOracle(function, name)


def _similarity(argument: str, model: MolVAE | None) -> Oracle:
    smiles, _, fingerprint = argument.partition(",")
    target = SimilarityTo(smiles.strip(), fingerprint.strip() or "ECFP4")
    return MoleculeOracle(target, "similarity", f"similarity:{target.smiles},{target.fingerprint}")


def _rediscovery(argument: str, model: MolVAE | None) -> Oracle:
    target = SimilarityTo(argument.strip(), "ECFP4_counts")
    return MoleculeOracle(target, "rediscovery", f"rediscovery:{target.smiles}")


def _alerts(argument: str, model: MolVAE | None) -> Oracle:
    names = catalog_names(argument or tuple(SOURCES))
    return MoleculeOracle(partial(count_alerts, catalogs=names), "alerts", f"alerts:{','.join(names)}")


def _about(name: str, target: Callable[[str], Callable[[Chem.Mol], float]]) -> Callable[[str, MolVAE | None], Oracle]:
    return lambda argument, model: MoleculeOracle(target(argument.strip()), name, f"{name}:{argument.strip()}")


def _program(kind: type[ProgramOracle]) -> Callable[[str, MolVAE | None], Oracle]:
    return lambda argument, model: kind(shlex.split(argument))


SINGLE: dict[str, Builtin] = {
    "penalized_logP": Builtin(
        "logP - SAS - large rings, each scaled on ZINC250k (Kusner et al. 2017); exploitable, so molecules of more than "
        f"{LARGEST_PENALIZED} heavy atoms get no score. To check optimizers, not to design",
        _plain("penalized_logP", capped_penalized_logp),
        exploitable=True,
    ),
    "qed_minus_sas": Builtin(
        "5 QED - SAS (Gomez-Bombarelli et al. 2018, doi:10.1021/acscentsci.7b00572)", _plain("qed_minus_sas", qed_minus_sas)
    ),
    "similarity": Builtin("Tanimoto similarity, 0..1; ECFP4 unless told", _similarity, "SMILES[,FINGERPRINT]"),
    "rediscovery": Builtin("Tanimoto similarity of counted ECFP4, 1 at the molecule (GuacaMol)", _rediscovery, "SMILES"),
    "substructure": Builtin("1 where the pattern is found, else 0", _about("substructure", HasPattern), "SMARTS"),
    "isomers": Builtin("Closeness to a molecular formula, 0..1 (GuacaMol)", _about("isomers", IsomerOf), "FORMULA"),
    "alerts": Builtin("Structural alerts hit, to be minimised; all three catalogs unless told", _alerts, "[PAINS,BRENK,NIH]"),
    "predicted": Builtin("What the model predicts, less K standard deviations", make_predicted, "PROPERTY[,kappa=K]"),
    "model": Builtin("What the predictor of another run folder says", make_saved, "FOLDER[#PROPERTY][,kappa=K]"),
    "fit": Builtin("A property learned now from a table of measured values", make_learned, "TABLE#COLUMN[,kappa=K]"),
    "cmd": Builtin("A program that reads and writes JSON lines", _program(CommandOracle), "PROGRAM"),
    "cmd-csv": Builtin("A program that reads and writes a CSV table", _program(CsvCommandOracle), "PROGRAM"),
}
"""Oracles that can be named, but for those that join several (:data:`chemvae.design.oracles.factory.BUILTIN`)."""


def oracle_from_text(text: str, model: MolVAE | None = None, named: Mapping[str, Builtin] = SINGLE) -> Oracle:
    """Make an oracle from a name, a property or ``package.module:function``.

    A name of ``named`` comes before a module of the same name, and a property that RDKit computes before one that the model
    predicts.

    Raises
    ------
    UnknownNameError
        If it is none of these.
    SettingsError
        If an argument is missing or one too many, or the function cannot be imported; and what the oracle itself raises.

    Examples
    --------
    >>> oracle_from_text("isomers:C2H6O")(["CCO", "CCC"]).round(2)
    array([1.  , 0.42])
    """
    name, colon, argument = text.partition(":")
    if name.lower() in (key.lower() for key in named):
        return _with_argument(*find(named, name, "oracle"), argument, model)
    if colon:
        return FunctionOracle(_import_function(text))
    predicted = list(getattr(model, "property_names", ()))
    try:
        return PropertyOracle(text)
    except UnknownNameError:
        if model is not None and text.lower() in (name.lower() for name in predicted):
            return PredictorOracle(model, text)
    choices = {name: None for name in (*PROPERTIES, *predicted, *named)}
    find(choices, text, "oracle")  # raises, naming what there is and what is nearest
    raise UnknownNameError("oracle", text, list(choices))


def _with_argument(name: str, row: Builtin, argument: str, model: MolVAE | None) -> Oracle:
    given = bool(argument.strip())
    if row.needs_argument > given or given > bool(row.argument):
        problem = "takes nothing behind its name" if given else "needs what stands behind its colon"
        raise SettingsError(f"the oracle '{name}' {problem}: write {row.usage(name)}")
    return row.make(argument, model)


def _import_function(text: str) -> Callable[[str], float]:
    module, _, name = text.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"the oracle '{text}' cannot be imported ({error}); write package.module:function") from error
    if not callable(function):
        raise SettingsError(f"'{text}' is a {type(function).__name__}, not a function from SMILES to a number")
    return function
