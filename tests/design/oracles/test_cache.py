"""The memory on disk: nothing paid is paid again, nothing saved is lost, nobody else's scores are taken."""

import math
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from chemvae.design.oracles import cache as memory_module
from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.cache import ScoreCache
from chemvae.design.oracles.combined import CombinedOracle
from chemvae.design.oracles.factory import make_oracle
from chemvae.design.oracles.score import Score
from chemvae.design.oracles.simple import FunctionOracle, PropertyOracle
from chemvae.errors import ChemVAEError, InputError, SettingsError


class Watched:
    """Half the number of letters; nitrogen is an error. Counts what it is asked."""

    __name__ = "watched"

    def __init__(self):
        self.asked = []

    def __call__(self, smiles):
        self.asked.append(smiles)
        if "N" in smiles:
            raise ValueError("no nitrogen please")
        return len(smiles) / 2


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.parquet"


class TestReuse:
    def test_a_second_run_pays_for_new_molecules_only(self, path):
        first, second = Watched(), Watched()
        FunctionOracle(first).use_cache(path)(["CCO", "CC"])
        oracle = FunctionOracle(second)
        assert oracle.use_cache(path) is oracle
        oracle.close()
        np.testing.assert_array_equal(oracle(["OCC", "CC", "CCC"]), [1.5, 1.0, 1.5])
        assert second.asked == ["CCC"] and oracle.n_calls == 1 and len(oracle.table) == 3

    def test_a_failure_is_remembered_with_its_reason_and_asked_again_only_if_wanted(self, path):
        with_failure = FunctionOracle(Watched()).use_cache(path)
        (before,) = with_failure.score("CCN")
        with_failure.close()
        for retry, asked in ((False, []), (True, ["CCN"])):
            watched = Watched()
            (again,) = FunctionOracle(watched).use_cache(path, retry_failures=retry).score("CCN")
            assert watched.asked == asked and again.failed and again.reason == "ValueError: no nitrogen please" == before.reason

    def test_scores_of_before_keep_are_kept_too(self, path):
        oracle = FunctionOracle(Watched())
        oracle(["CCO"])
        oracle.use_cache(path).close()
        assert FunctionOracle(Watched()).use_cache(path).recall("CCO").values == (1.5,)
        assert oracle.n_calls == 1

    def test_numbers_come_back_bit_for_bit(self, path):
        values = (math.pi, -1e-300, 1e300, math.nan)
        one = ScoreCache(path, "abcd", "x")
        one.add("CCO", Score(values, 'a "reason", with, commas\nand lines', 0.1))
        one.save()
        back = ScoreCache(path, "abcd", "x").known["CCO"]
        assert back.values[:3] == values[:3] and math.isnan(back.values[3])
        assert back.reason == 'a "reason", with, commas and lines' and back.seconds == 0.1

    def test_any_oracle_that_was_not_given_an_init_takes_a_path(self, path):
        class Carbons(Oracle):
            def evaluate(self, smiles):
                return np.array([float(text.count("C")) for text in smiles])

        first = Carbons(memory=path)
        first(["CCO"])
        first.close()
        assert Carbons(memory=path).recall("CCO").values == (2.0,) and Carbons().recall("CCO") is None

    def test_the_table_is_an_ordinary_parquet_file(self, path):
        oracle = make_oracle({"size": len, "rings": "rings"}, memory=path)
        oracle(["CCO", "C1CC1"])
        oracle.close()
        table = pd.read_parquet(path)
        assert list(table.columns) == ["smiles", "size", "rings", "reason", "seconds"]
        assert table[["smiles", "size", "rings"]].to_numpy().tolist() == [["CCO", 3.0, 0.0], ["C1CC1", 5.0, 1.0]]

    def test_a_part_of_a_combination_keeps_its_memory_under_another_name(self, path):
        FunctionOracle(Watched()).use_cache(path)(["CCO"])
        part = FunctionOracle(watched := Watched()).use_cache(path)
        part(["CC"])
        assert make_oracle({"size": part, "rings": "rings"})(["CC"]).tolist() == [[1.0, 0.0]] and watched.asked == ["CC"]


class TestWhatIsRefused:
    def test_another_oracle_with_other_names(self, path):
        PropertyOracle("logP").use_cache(path)
        with pytest.raises(SettingsError, match=r"remembers the scores of 'logP' \(logP\), not of 'SAS' \(SAS\)"):
            PropertyOracle("SAS").use_cache(path)

    def test_another_target_of_the_same_kind(self, path):
        make_oracle("similarity:CCO", memory=path)
        make_oracle("similarity:OCC", memory=path)  # the same molecule
        with pytest.raises(SettingsError, match="each oracle its own file"):
            make_oracle("similarity:CCN", memory=path)

    def test_another_function_without_a_name(self, path):
        def double(factor):
            return lambda smiles: factor * len(smiles)

        FunctionOracle(lambda s: len(s) in {1, 2}).use_cache(path)
        FunctionOracle(lambda s: len(s) in {1, 2}).use_cache(path)
        with pytest.raises(SettingsError, match="each oracle its own file"):
            FunctionOracle(lambda s: len(s) in {1, 3}).use_cache(path)
        assert FunctionOracle(double(2)).identity() == FunctionOracle(double(3)).identity()  # what is around it is not seen

    @pytest.mark.parametrize("content", [b"", b"smiles,score\nCCO,1\n", b"PAR1" + bytes(40) + b"PAR1"])
    def test_what_is_no_parquet_file(self, path, content):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is damaged or no Parquet file .*Move it away"):
            PropertyOracle("logP").use_cache(path)
        assert path.read_bytes() == content

    def test_a_file_cut_short_or_with_a_flipped_bit(self, path):
        one = PropertyOracle("logP").use_cache(path)
        one(["CCO", "CC", "CCC"])
        one.close()
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[40] ^= 255
        for content in (whole[:-20], whole[: len(whole) // 2], bytes(flipped)):
            path.write_bytes(content)
            with pytest.raises(InputError, match="is damaged"):
                PropertyOracle("logP").use_cache(path)

    def test_a_table_that_is_no_memory(self, path):
        pd.DataFrame({"smiles": ["CCO"], "score": [1.0]}).to_parquet(path)
        with pytest.raises(InputError, match="is not a memory that this version"):
            FunctionOracle(len).use_cache(path)

    def test_a_value_with_the_name_of_a_column(self, path):
        with pytest.raises(SettingsError, match="'seconds' cannot be remembered"):
            FunctionOracle(len, "seconds").use_cache(path)

    def test_a_place_that_cannot_be_written_costs_no_score(self, path):
        path.write_text("a file, no folder")
        with pytest.raises(ChemVAEError, match="could not be written: .* choose another folder"):
            FunctionOracle(Watched()).use_cache(path / "scores.parquet")


class TestSaving:
    def test_a_success_replaces_a_failure_and_never_the_other_way(self, path):
        one = ScoreCache(path, ["score"], "x")
        good, bad = Score((1.0,)), Score((math.nan,), "down")
        for text, scores in {"C": (good, bad), "CC": (bad, good), "CCC": (bad,)}.items():
            for score in scores:
                one.add(text, score)
        one.save()
        known = ScoreCache(path, ["score"], "x").known
        assert known["C"] == good == known["CC"] and known["CCC"].reason == "down"

    def test_cheap_scores_wait_and_dear_ones_do_not(self, path, monkeypatch):
        monkeypatch.setattr(memory_module, "LARGEST_SHARE", 1e9)  # however slow the disk is
        one = ScoreCache(path, ["score"], "x")
        one.add("C", Score((1.0,), "", 0.01))
        assert len(pd.read_parquet(path)) == 0
        one.add("CC", Score((1.0,), "", 4.995))  # together 5 s and more
        assert len(pd.read_parquet(path)) == 2

    def test_cheap_scores_wait_five_seconds_at_most(self, path, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(memory_module.time, "monotonic", lambda: now[0])
        one = ScoreCache(path, ["score"], "x")
        now[0] += 4.9
        one.add("C", Score((1.0,)))
        assert len(pd.read_parquet(path)) == 0
        now[0] += 0.2
        one.add("CC", Score((1.0,)))
        assert len(pd.read_parquet(path)) == 2

    def test_two_programs_may_share_a_file(self, path):
        one, other = ScoreCache(path, ["score"], "x"), ScoreCache(path, ["score"], "x")
        for i in range(1, 6):
            one.add("C" * i, Score((float(i),)))
            one.save()
            other.add("N" * i, Score((float(-i),)))
            other.save()
        one.add("O", Score((0.0,)))
        one.save()
        known = ScoreCache(path, ["score"], "x").known
        assert len(known) == 11 and known["CCC"].values == (3.0,) and known["NNNNN"].values == (-5.0,)

    def test_a_program_that_forgets_to_close_has_saved_all_the_same(self, path):
        run_program(f"FunctionOracle(len).use_cache({str(path)!r})(['CCO', 'CC'])", wait=True)
        assert FunctionOracle(len).use_cache(path).recall("CCO").values == (3.0,) and len(pd.read_parquet(path)) == 2

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_process_leaves_the_file_to_its_parent(self, path):
        one = ScoreCache(path, ["score"], "x")
        one.add("C", Score((1.0,)))
        child = os.fork()
        if child == 0:
            one.save()
            os._exit(0)
        os.waitpid(child, 0)
        assert len(pd.read_parquet(path)) == 0

    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
    def test_a_program_that_is_killed_loses_only_the_molecule_it_was_at(self, path):
        program = run_program(
            f"""
            from chemvae.design.oracles import cache
            cache.SAVE_EVERY_S, cache.LARGEST_SHARE = 0.05, 1e9
            oracle = FunctionOracle(lambda s: time.sleep(0.2 if len(s) < 5 else 600) or len(s)).use_cache({str(path)!r})
            for text, score in oracle.stream(["C", "CC", "CCC", "CCCC", "CCCCC"]):
                print(text, flush=True)
            """
        )
        done = [program.stdout.readline().strip() for _ in range(4)]
        program.send_signal(signal.SIGKILL)
        program.wait()
        assert done == ["C", "CC", "CCC", "CCCC"]
        kept = pd.read_parquet(path)
        assert dict(zip(kept["smiles"], kept["score"], strict=True)) == {text: float(len(text)) for text in done}


def run_program(body: str, wait: bool = False) -> subprocess.Popen:
    """Run lines in another Python."""
    head = "import time\nfrom chemvae.design.oracles.simple import FunctionOracle\n"
    command = [sys.executable, "-c", head + textwrap.dedent(body)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if wait:
        assert program.wait() == 0
    return program


def test_parts_and_whole_may_each_have_a_memory(tmp_path):
    watched = Watched()
    part = FunctionOracle(watched, "size").use_cache(tmp_path / "part.parquet")
    whole = CombinedOracle([part, PropertyOracle("rings")]).use_cache(tmp_path / "whole.parquet")
    whole(["CCO"])
    whole.close()
    again = CombinedOracle([FunctionOracle(other := Watched(), "size"), PropertyOracle("rings")])
    again.use_cache(tmp_path / "whole.parquet")
    assert again(["CCO"]).tolist() == [[1.5, 0.0]] and other.asked == []
    assert len(pd.read_parquet(tmp_path / "part.parquet")) == 1


def test_a_search_repeated_with_the_memory_pays_nothing_and_finds_the_same(path):
    from chemvae.design import run_campaign
    from tests.design.toys import Bowl, ToyModel

    asked, histories = [], []
    for _ in range(2):
        bowl = Bowl()
        oracle = make_oracle(bowl, memory=path)
        histories.append(run_campaign(ToyModel(), oracle, budget=20, seed=3, batch_size=5).history["smiles"].tolist())
        asked.append(len(bowl.asked))
    assert asked == [20, 0] and histories[0] == histories[1]
