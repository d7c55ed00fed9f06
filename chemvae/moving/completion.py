"""Fill the gaps of a partial SMILES with what a model finds most probable, given a code or what its prior makes likely.

A beam search writes every string that fits the pattern, symbols that are given included, so that what follows a gap counts as
much as what stands before it. Strings compete with those that have passed as many given symbols: else the longest filling would
win, because it has not paid for the symbols after the gap yet. Where no code is given, the search begins at points drawn from
the prior and at the codes of crude fillings; what was found is encoded and filled again from there (Rezende, Mohamed & Wierstra
2014 impute pixels so), and the molecules are ranked by their evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.vocabulary import BOS, EOS, PAD
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.evaluation.likelihood.importance import log_evidence
from chemvae.models.decoder import DecoderState
from chemvae.models.latent_space import draw_prior, usual_prior
from chemvae.models.vae import MolVAE
from chemvae.moving.gaps import ANY, MOST, Pattern, SlotStates, parse_pattern
from chemvae.registry import wrong_kinds
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.grammar import Grammar, GrammarState
from chemvae.sampling.inversion import encode_one

N_EVIDENCE_DRAWS = 4
MOST_RANKED = 24
"""Molecules whose evidence is estimated, those with the largest log p(x|z)."""
N_CRUDE = 2
"""Crude fillings whose codes a search begins from: gaps of carbons, aliphatic and aromatic."""


@dataclass(frozen=True)
class CompletionSettings:
    """How long gaps are filled for."""

    n: int = 10
    """Molecules returned, at most."""
    beam: int = 6
    """Strings kept of each point and number of given symbols passed."""
    n_draws: int = 8
    """Points drawn from the prior."""
    rounds: int = 2
    """How often what was found is encoded and filled again."""
    most: int = MOST
    """Symbols that ``__`` stands for, at most."""
    mask_syntax: bool = True
    """Forbid what cannot become a SMILES."""
    seed: int = 0

    def __post_init__(self) -> None:
        if wrong := wrong_kinds(self):
            raise SettingsError(wrong)
        least = {"n": 1, "beam": 1, "n_draws": 0, "rounds": 0, "most": 1}
        given = {key: getattr(self, key) for key in least}
        complaints = [f"{key} must be >= {low}, got {given[key]}" for key, low in least.items() if given[key] < low]
        if complaints:
            raise SettingsError(complaints)


def complete_pattern(
    model: MolVAE, pattern: str, settings: CompletionSettings | None = None, like: str | None = None
) -> pd.DataFrame:
    """Fill the gaps of one partial SMILES.

    Parameters
    ----------
    model : MolVAE
    pattern : str
        See :func:`chemvae.moving.gaps.parse_pattern`.
    settings : CompletionSettings, optional
    like : str, optional
        A molecule whose code the filling is given; then nothing is drawn, and molecules are ranked by log p(x|z) at that code.

    Returns
    -------
    DataFrame
        ``rank`` (from 1), ``smiles`` (canonical), ``written`` (as it fits the pattern) and ``log_prob``, nats: an estimate of
        log p(x), or log p(x|z) with ``like``.

    Raises
    ------
    SettingsError, UnknownTokenError
        If the pattern cannot be read, or not be written by the model.
    NothingUsableError
        If no molecule was found that fits.
    InvalidMoleculeError
        If ``like`` is no molecule.
    """
    settings = settings or CompletionSettings()
    code = None if like is None else encode_one(model, like)[None]
    found = complete_all(model, [parse_pattern(pattern, model.vocabulary, settings.most)], settings, code)[0]
    if not len(found):
        raise NothingUsableError(
            f"No molecule was found that fits '{pattern}'. Leave larger gaps (__), or search more widely: --beam, --draws."
        )
    return found.head(settings.n)


def complete_all(
    model: MolVAE, patterns: Sequence[Pattern], settings: CompletionSettings | None = None, codes: np.ndarray | None = None
) -> list[pd.DataFrame]:
    """Fill many patterns side by side: for each the table of :func:`complete_pattern`, empty where nothing fits.

    Parameters
    ----------
    codes : array [N, D], optional
        The code that each pattern is given.
    """
    settings = settings or CompletionSettings()
    patterns = list(patterns)
    check_amount((settings.n_draws + N_CRUDE) * len(patterns) * settings.beam, model.latent_dim, "n_draws times beam")
    owner, z = _first_points(model, patterns, settings, codes)
    found: list[dict[str, tuple[str, float]]] = [{} for _ in patterns]
    for left in range(settings.rounds if codes is None else 0, -1, -1):
        for row, endings in zip(owner, search_fillings(model, [patterns[i] for i in owner], z, settings), strict=True):
            for written, log_prob in endings:
                molecule = canonicalize(written)
                if molecule is not None and log_prob > found[row].get(molecule, ("", -np.inf))[1]:
                    found[row][molecule] = written, log_prob
        if not left:
            break
        owner, z = _points_of(model, found, max(1, settings.n_draws // 4))
        if not len(owner):
            break
    return [_ranked(model, one, by_evidence=codes is None, seed=settings.seed) for one in found]


def _first_points(
    model: MolVAE, patterns: list[Pattern], settings: CompletionSettings, codes: np.ndarray | None
) -> tuple[list[int], Tensor]:
    """Which pattern each point belongs to, and the points [P, D]."""
    if codes is not None:
        return list(range(len(patterns))), torch.as_tensor(codes, dtype=torch.float32)
    crude = [text for one in patterns for text in crude_fillings(one, model)]
    points = [torch.from_numpy(model.encode(crude, canonicalize=False))]
    owner = [i for i in range(len(patterns)) for _ in range(N_CRUDE)]
    if settings.n_draws:
        drawn = draw_prior(model, settings.n_draws * len(patterns), usual_prior(model), settings.seed)
        points.append(drawn.float().cpu())
        owner += [i for i in range(len(patterns)) for _ in range(settings.n_draws)]
    return owner, torch.cat(points)


def crude_fillings(pattern: Pattern, model: MolVAE) -> list[str]:
    """The pattern's text with every gap that must be filled full of one symbol: C, and c where the vocabulary has it."""
    tokens = model.vocabulary.tokens
    found = []
    for symbol in ("C", "c"):
        fill = symbol if symbol in tokens else tokens[-1]
        must = ~pattern.optional
        found.append("".join(fill if token == ANY else tokens[token] for token in pattern.tokens[must]))
    return found


def _points_of(model: MolVAE, found: list[dict[str, tuple[str, float]]], n: int) -> tuple[list[int], Tensor]:
    """Codes of the n most probable molecules of each pattern."""
    owner, smiles = [], []
    for row, one in enumerate(found):
        best = sorted(one, key=lambda text: -one[text][1])[:n]
        owner += [row] * len(best)
        smiles += best
    z = model.encode(smiles, canonicalize=False) if smiles else np.zeros((0, model.latent_dim), dtype=np.float32)
    usable = np.flatnonzero(np.isfinite(z).all(axis=1))
    return [owner[i] for i in usable.tolist()], torch.from_numpy(z[usable])


def _ranked(model: MolVAE, found: dict[str, tuple[str, float]], *, by_evidence: bool, seed: int) -> pd.DataFrame:
    """A pattern's molecules, the most probable first."""
    smiles = [one for one in found if model.vocabulary.complaint(one) is None]
    smiles = sorted(smiles, key=lambda one: -found[one][1])[:MOST_RANKED]
    values = [found[one][1] for one in smiles]
    if by_evidence and smiles:
        values = log_evidence(model, smiles, n_draws=N_EVIDENCE_DRAWS, seed=seed, prior=usual_prior(model)).tolist()
    table = pd.DataFrame({"smiles": smiles, "written": [found[one][0] for one in smiles], "log_prob": values})
    table = table.sort_values(["log_prob", "smiles"], ascending=[False, True], ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


@torch.no_grad()
def search_fillings(
    model: MolVAE, patterns: Sequence[Pattern], z: Tensor, settings: CompletionSettings
) -> list[list[tuple[str, float]]]:
    """The most probable strings that fit a pattern, given a code for each.

    Parameters
    ----------
    patterns : sequence of Pattern, length P
    z : Tensor [P, D]

    Returns
    -------
    list of list
        For each pattern up to ``settings.beam`` strings with log p(x|z) in nats, the most probable first; exact where the beam
        is wide enough.
    """
    if not len(patterns):
        return []
    search = _Fillings(model, list(patterns), z.to(model.device), settings)
    for _ in range(search.max_length):
        if not search.advance():
            break
    return search.result()


class _Fillings:
    """Half-written strings of P patterns, R rows in all."""

    def __init__(self, model: MolVAE, patterns: list[Pattern], z: Tensor, settings: CompletionSettings):
        self.model, self.settings = model, settings
        n = len(patterns)
        self.max_length = max(map(len, patterns)) + 1
        self.decoder: DecoderState = model.decoder.start(z, model.product_dtype)
        self.slots = SlotStates(patterns, len(model.vocabulary))
        self.grammar = GrammarState(Grammar(model.vocabulary), n, self.max_length) if settings.mask_syntax else None
        self.owner, self.score = np.arange(n), np.zeros(n)
        self.ids = np.full((n, self.max_length), PAD, dtype=np.int64)
        self.last, self.position = np.full(n, BOS, dtype=np.int64), 0
        self.kept: list[list[tuple[str, float]]] = [[] for _ in patterns]

    def advance(self) -> bool:
        """Write one symbol more in every row; whether any row goes on."""
        logits = self.model.decoder.step(self.decoder, torch.from_numpy(self.last).to(self.model.device))
        log_p = logits.double().log_softmax(dim=1).cpu().numpy()
        self._set_apart(log_p[:, EOS])
        legal = self.slots.legal()
        if self.grammar is not None:
            legal &= self.grammar.legal()
        reached = np.where(legal, self.score[:, None] + log_p, -np.inf)
        reached[:, EOS] = -np.inf
        rows, tokens = self._best(reached)
        if not len(rows):
            return False
        self._go_on(rows, tokens, reached[rows, tokens])
        return True

    def _set_apart(self, log_end: np.ndarray) -> None:
        """Keep the strings that may end here, the best of each pattern."""
        may_end = self.slots.complete()
        if self.grammar is not None:
            may_end &= self.grammar.legal()[:, EOS]
        touched = set()
        for row in np.flatnonzero(may_end):
            text = self.model.vocabulary.decode(self.ids[row, : self.position])
            self.kept[self.owner[row]].append((text, float(self.score[row] + log_end[row])))
            touched.add(self.owner[row])
        for i in touched:
            self.kept[i] = sorted(self.kept[i], key=lambda one: -one[1])[: self.settings.beam]

    def _best(self, reached: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and tokens that go on: for each pattern and number of given symbols passed, the most probable ones."""
        width = self.settings.beam
        full = np.array([kept[-1][1] if len(kept) == width else -np.inf for kept in self.kept])
        rows, tokens = np.nonzero(reached > full[self.owner][:, None])
        if not len(rows):
            return rows, tokens
        score, stage = reached[rows, tokens], self.slots.stages(rows, tokens)
        group = self.owner[rows].astype(np.int64) * (int(stage.max()) + 1) + stage
        order = np.lexsort((-score, group))
        first = np.concatenate([[0], np.flatnonzero(np.diff(group[order])) + 1])
        rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
        chosen = np.sort(order[rank < width])
        return rows[chosen], tokens[chosen]

    def _go_on(self, rows: np.ndarray, tokens: np.ndarray, score: np.ndarray) -> None:
        self.decoder.keep(torch.from_numpy(rows).to(self.model.device))
        if self.grammar is not None:
            self.grammar.keep(rows)
            self.grammar.advance(tokens)
        self.slots.follow(rows, tokens)
        self.owner, self.score, self.ids, self.last = self.owner[rows], score, self.ids[rows], tokens
        self.ids[:, self.position] = tokens
        self.position += 1

    def result(self) -> list[list[tuple[str, float]]]:
        return self.kept
