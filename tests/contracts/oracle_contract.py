"""Tests that every oracle inherits: supply ``make_oracle``, and ``counted`` where calls can be watched."""

from __future__ import annotations

import numpy as np

from chemvae.design.oracles import Oracle

MOLECULES = ["CCO", "c1ccccc1", "CC(=O)O", "CCN"]


class OracleContract:
    """Subclass it as ``TestX`` and write ``make_oracle``."""

    def make_oracle(self) -> Oracle:
        raise NotImplementedError

    def watched(self) -> tuple[Oracle, list[str]]:
        """An oracle, and the list that grows by each molecule its ``evaluate`` sees."""
        oracle, seen = self.make_oracle(), []
        run = oracle.run

        def spy(smiles):
            seen.extend(smiles)
            return run(smiles)

        oracle.run = spy
        return oracle, seen

    def values(self, oracle: Oracle, smiles: list[str]) -> np.ndarray:
        return oracle(smiles).reshape(len(smiles), -1)

    def test_order_is_kept(self):
        forward = self.values(self.make_oracle(), MOLECULES)
        backward = self.values(self.make_oracle(), MOLECULES[::-1])
        np.testing.assert_allclose(forward, backward[::-1])
        assert np.isfinite(forward).all()

    def test_batch_equals_one_by_one(self):
        together = self.values(self.make_oracle(), MOLECULES)
        alone = np.concatenate([self.values(self.make_oracle(), [smiles]) for smiles in MOLECULES])
        np.testing.assert_allclose(together, alone)

    def test_a_molecule_is_scored_once_however_it_is_written(self):
        oracle, seen = self.watched()
        values = self.values(oracle, ["CCO", "OCC", "C(O)C", "CCO"])
        assert seen == ["CCO"] and oracle.n_calls == 1
        np.testing.assert_array_equal(values, np.repeat(values[:1], 4, axis=0))

    def test_what_is_remembered_is_not_sent_again(self):
        oracle, seen = self.watched()
        first = self.values(oracle, MOLECULES)
        np.testing.assert_array_equal(self.values(oracle, MOLECULES[::-1]), first[::-1])
        assert seen == MOLECULES and oracle.n_calls == len(MOLECULES)

    def test_what_is_no_molecule_is_nan_with_a_reason_and_never_sent(self):
        oracle, seen = self.watched()
        scores = oracle.score(["C1CC", "CCO", ""])
        assert seen == ["CCO"] and oracle.n_calls == 1
        assert [score.failed for score in scores] == [True, False, True]
        assert scores[0].reason and scores[2].reason and not scores[1].reason

    def test_two_oracles_share_nothing(self):
        first, second = self.make_oracle(), self.make_oracle()
        first(MOLECULES)
        assert second.n_calls == 0

    def test_nothing_asked_nothing_answered(self):
        assert len(self.make_oracle()([])) == 0

    def test_table_holds_every_call(self):
        oracle = self.make_oracle()
        oracle(MOLECULES)
        assert oracle.table["smiles"].tolist() == MOLECULES
        assert list(oracle.table.columns) == ["smiles", *oracle.names, "reason", "seconds"]
