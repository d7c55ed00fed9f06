"""Tests that every filter inherits: supply ``make_filter``, and molecules that it lets through and that it refuses."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from rdkit import Chem

from chemvae.chem.molecules import parse
from chemvae.design.filters.base import Filter
from chemvae.design.filters.chain import FilterChain


class FilterContract:
    """Subclass it as ``TestX`` and write ``make_filter``, ``allowed`` and ``refused``."""

    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def make_filter(self) -> Filter:
        raise NotImplementedError

    def mixed(self) -> tuple[list[str], list[bool]]:
        """Molecules of both kinds in turn, and whether each may pass."""
        smiles, fine = [], []
        for i in range(max(len(self.allowed), len(self.refused))):
            for molecules, is_fine in ((self.allowed, True), (self.refused, False)):
                smiles += molecules[i : i + 1]
                fine += [is_fine] * len(molecules[i : i + 1])
        return smiles, fine

    def test_there_is_something_to_let_through_and_something_to_refuse(self):
        assert self.allowed and self.refused

    def test_one_answer_for_each_molecule_in_order(self):
        smiles, fine = self.mixed()
        found = self.make_filter().allows(smiles)
        assert isinstance(found, np.ndarray) and found.dtype == bool and found.shape == (len(smiles),)
        assert found.tolist() == fine
        assert self.make_filter().allows(smiles[::-1]).tolist() == fine[::-1]

    def test_a_batch_equals_one_by_one(self):
        smiles, fine = self.mixed()
        item = self.make_filter()
        assert [bool(item.allows([text])[0]) for text in smiles] == item.allows(smiles).tolist() == fine

    def test_a_molecule_has_one_answer_however_often_it_is_asked(self):
        item = self.make_filter()
        for text, fine in zip(*self.mixed(), strict=True):
            assert item.allows([text] * 3).tolist() == item.allows((text,) * 3).tolist() == [fine] * 3

    def test_a_molecule_has_one_answer_however_it_is_written(self):
        item = self.make_filter()
        for text, fine in zip(*self.mixed(), strict=True):
            written = [Chem.MolToSmiles(parse(text), doRandom=True, canonical=False) for _ in range(5)]
            assert item.allows(written).tolist() == [fine] * 5

    def test_nothing_asked_nothing_answered(self):
        found = self.make_filter().allows([])
        assert found.shape == (0,) and found.dtype == bool

    def test_the_label_says_something_and_stays(self):
        first, second = self.make_filter(), self.make_filter()
        label = first.label
        first.allows([*self.allowed, *self.refused])
        assert label.strip() and first.label == second.label == label

    def test_a_refusal_is_explained_by_the_label(self):
        item = self.make_filter()
        for text in self.refused:
            assert item.label in item.explain(text)

    def test_a_chain_counts_refusals_under_the_label(self):
        item = self.make_filter()
        gate = FilterChain([item])
        assert gate.reasons(self.allowed) == [""] * len(self.allowed)
        assert gate.reasons(self.refused) == [item.explain(text) for text in self.refused]
        assert dict(gate.counts) == {item.label: len(self.refused)}

    def test_it_is_a_value_equal_hashable_and_frozen(self):
        first, second = self.make_filter(), self.make_filter()
        first.allows(self.allowed)
        assert first == second and hash(first) == hash(second) and len({first, second}) == 1
        with pytest.raises(FrozenInstanceError):
            setattr(first, fields(first)[0].name, None)
