"""An index finds the nearest where its graph leads to them, knows what it covers, and says what is wrong with it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from chemvae import library
from chemvae.errors import MissingExtraError, SettingsError
from chemvae.library import Query
from chemvae.library.graph import reading as graph
from tests.library.conftest import SMILES

pytest.importorskip("usearch", reason="usearch comes with the extra 'library'")
NEAR = "CCCc1ccccc1"


@pytest.fixture
def own(tmp_path, lib_model, work):
    """A library of most of the molecules, with an index."""
    path = tmp_path / "lib"
    library.build(SMILES[:250], path, lib_model, work=work)
    library.index(path, jobs=1)
    return path


def rows(path, model, *, approximate, n=20):
    return library.search(path, Query(NEAR, n, approximate=approximate), model).table


def test_a_small_library_is_found_whole(own, lib_model):
    facts = library.index_facts(own)
    assert facts.n_rows == 250 and facts.recall == 1.0
    exact, found = (rows(own, lib_model, approximate=how) for how in (False, True))
    assert found.equals(exact) and found["distance"].is_monotonic_increasing


def test_what_was_appended_after_the_index_was_made_is_found_too(own, lib_model, work):
    before = rows(own, lib_model, approximate=True)
    library.append(own, SMILES[250:], lib_model, work=work)
    exact, found = (rows(own, lib_model, approximate=how) for how in (False, True))
    assert found.equals(exact) and not found["row"].equals(before["row"])


def test_more_hits_than_molecules_are_all_molecules(own, lib_model):
    assert sorted(rows(own, lib_model, approximate=True, n=1000)["row"]) == list(range(250))


def test_recall_is_the_share_of_true_hits(own, monkeypatch):
    """A graph that leads to every second of the true rows has a recall of a half."""
    truth = graph.offer_met

    def half(library_, manifest, index, ranking, best):
        whole = graph.Best(best.n)
        truth(library_, manifest, index, ranking, whole)
        best.offer(whole.values[::2], whole.rows[::2])

    monkeypatch.setattr("chemvae.library.graph.making.offer_met", half)
    assert library.index(own, jobs=1).recall == pytest.approx(0.5)


def test_a_library_without_an_index_says_how_to_make_one(lib, lib_model):
    with pytest.raises(library.LibraryError, match=r"has no index. Make one with: chemvae library index"):
        rows(lib, lib_model, approximate=True)


def test_an_index_of_other_molecules_is_refused(own, lib_model, work, tmp_path):
    other = tmp_path / "other"
    library.build(SMILES[10:260], other, lib_model, work=work)
    for name in (graph.GRAPH, graph.FACTS):
        (other / name).write_bytes((own / name).read_bytes())
    with pytest.raises(library.LibraryError, match="an index of other molecules"):
        rows(other, lib_model, approximate=True)


@pytest.mark.parametrize("size", [0, 100, -1])
def test_a_truncated_graph_is_refused_before_it_is_read(own, lib_model, size):
    path = own / graph.GRAPH
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(library.LibraryError, match="damaged index"):
        rows(own, lib_model, approximate=True)
    assert any("not those that were written" in problem for problem in library.verify(own))


def test_facts_that_are_none_are_refused(own, lib_model):
    (own / graph.FACTS).write_text("{}")
    with pytest.raises(library.LibraryError, match="cannot be used"):
        rows(own, lib_model, approximate=True)
    assert library.verify(own) == [f"{graph.FACTS}: has a {graph.FACTS} that cannot be used."]


def test_a_changed_byte_is_found_by_verify(own):
    assert library.verify(own) == []
    path = own / graph.GRAPH
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert library.verify(own) == [f"{graph.GRAPH}: its bytes are not those that were written"]


def test_facts_are_plain_json(own):
    known = json.loads((own / graph.FACTS).read_text())
    assert set(known) == {"n_rows", "shards", "sha256", "n_bytes", "recall"}
    assert known["n_bytes"] == (own / graph.GRAPH).stat().st_size


@pytest.mark.parametrize("asked", [{"where": "1<logP<3"}, {"having": "c"}, {"space": "fingerprint"}, {"min_similarity": 0.2}])
def test_conditions_need_the_exact_search(asked):
    with pytest.raises(SettingsError, match="approximate"):
        Query(NEAR, approximate=True, **asked)
    with pytest.raises(SettingsError, match="approximate"):
        Query(approximate=True)


def test_the_candidates_of_a_walk_are_put_in_order_by_the_float_codes(own, lib_model):
    """The graph keeps half precision: distances are those of the points nevertheless."""
    points = np.concatenate([np.load(one) for one in sorted(own.glob("*/points.npy"))]).astype(np.float64)
    found = rows(own, lib_model, approximate=True)
    by_hand = np.linalg.norm(points[found["row"]] - lib_model.encode([NEAR])[0], axis=1)
    np.testing.assert_allclose(found["distance"], by_hand, rtol=1e-12)


def test_rdkit_is_there_before_usearch_which_would_end_the_process():
    code = "from chemvae.library.graph.reading import usearch_index; usearch_index(); from rdkit import Chem; print(1)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"


def test_an_index_that_was_made_again_is_opened_again(own, lib_model, work):
    rows(own, lib_model, approximate=True)
    library.append(own, SMILES[250:], lib_model, work=work)
    library.index(own, jobs=1)
    assert rows(own, lib_model, approximate=True).equals(rows(own, lib_model, approximate=False))


def test_a_library_of_one_molecule_has_an_index_too(tmp_path, lib_model):
    library.build(["CCO"], tmp_path / "one", lib_model)
    assert library.index(tmp_path / "one").recall == 1.0
    assert rows(tmp_path / "one", lib_model, approximate=True)["smiles"].tolist() == ["CCO"]


def test_without_usearch_one_sentence_says_what_to_install(lib, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(MissingExtraError, match=r"needs usearch, which is not installed. .*chemvae\[library\]"):
        library.index(lib)
