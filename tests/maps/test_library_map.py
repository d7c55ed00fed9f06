"""Maps of tables: what is chosen by itself, sets and searches laid over, and maps that are kept for others."""

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest

from chemvae import api
from chemvae.errors import InputError, SettingsError, UnknownNameError
from chemvae.maps import MapSettings, load_projection, read_map
from chemvae.maps.factory import best_method
from chemvae.maps.overlays import parse_sets, search_table

LIBRARY = [
    "CCO",
    "c1ccccc1",
    "CC(=O)Nc1ccc(O)cc1",
    "CCN(CC)CC",
    "O=C(O)c1ccccc1",
    "CCCCCC",
    "c1ccncc1",
    "CC(C)O",
    "CCCN",
    "CCOCC",
]
DRUGS = pd.DataFrame({"smiles": ["CC(=O)Oc1ccccc1C(=O)O", "CCN"], "name": ["aspirin", "ethylamine"]})


@pytest.fixture(scope="module")
def model():
    return api.load("drug", "cpu")


@pytest.fixture(scope="module")
def found(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    scores = pd.DataFrame({"call": range(1, 6), "smiles": LIBRARY[:5], "score": [0.2, np.nan, 0.1, 0.5, 0.5]})
    scores = scores.assign(z_0=0.5, z_1=[0.1] * 5)  # the points that the search scored
    scores.to_csv(folder / "history.csv", index=False)
    table = pd.DataFrame({"smiles": LIBRARY, "batch": list("aabbccddee")})
    return api.map(table, model, method="pca", overlays={"drugs": DRUGS}, runs={"search": folder}, device="cpu")


def test_sets_lie_where_the_projection_puts_them_and_do_not_shape_the_map(found, model):
    alone = api.map(LIBRARY, model, method="pca", device="cpu")
    np.testing.assert_allclose(found.xy[:10], alone.xy, atol=1e-5)
    np.testing.assert_allclose(found.xy[10:12], alone.projection.transform(model.encode(DRUGS["smiles"].tolist())), atol=1e-5)
    assert found.marks == {"drugs": [10, 11], "search": [12, 13, 14, 15, 16]}
    assert found.n_own == 10 and found.to_dict()["overlays"] == {"drugs": 2, "search": 5}


def test_only_the_columns_that_are_asked_for_stay_and_the_sets_are_still_told_apart(model):
    table = pd.DataFrame({"smiles": LIBRARY, "batch": list("aabbccddee"), "yield": range(10)})
    kept = api.map(table, model, method="pca", columns=["Yield", "logP"], color="logP", overlays={"drugs": DRUGS}, device="cpu")
    assert list(kept.columns) == ["yield", "logP", "set"] and kept.columns["yield"].tolist()[:10] == list(range(10))
    assert list(api.map(table, model, method="pca", columns=["batch"], device="cpu").columns) == ["batch"]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"columns": ["yeild"]}, UnknownNameError, "yield"),
        ({"columns": "yield"}, SettingsError, "must be a list of names"),
        ({"columns": ["yield"], "color": "logP"}, SettingsError, "'logP' is to colour the map and is none of the columns"),
    ],
)
def test_a_column_that_cannot_stay_is_refused_before_anything_is_encoded(model, monkeypatch, options, error, said):
    monkeypatch.setattr(type(model), "posterior", lambda *_, **__: pytest.fail("encoded"))
    with pytest.raises(error, match=said):
        api.map(pd.DataFrame({"smiles": LIBRARY, "yield": range(10)}), model, method="pca", device="cpu", **options)


def test_columns_say_whose_is_whose_and_what_the_model_says_stands_under_one_name(found, model):
    assert "z_0" not in found.columns
    assert found.columns["set"].tolist() == ["library"] * 10 + ["drugs"] * 2 + ["search"] * 5
    assert found.columns["name"].tolist()[10:12] == ["aspirin", "ethylamine"] and found.columns["batch"].isna().sum() == 7
    for name in model.property_names:
        np.testing.assert_allclose(found.columns[name], model.predict(found.z)[name], rtol=1e-4)


def test_the_path_of_a_search_is_its_best_so_far(found):
    (path,) = found.paths
    assert list(path.smiles) == [LIBRARY[0], LIBRARY[3]] and list(path.labels) == ["call 1, score 0.2", "call 4, score 0.5"]
    np.testing.assert_allclose(path.xy, found.xy[[12, 15]])


def test_the_page_holds_all_of_them(found, tmp_path):
    assert read_map(found.write(tmp_path / "map.html"))["smiles"].tolist() == found.smiles


def test_a_kept_map_takes_others_and_stays_as_it_was(found, model, tmp_path):
    kept = found.save_projection(tmp_path / "map.safetensors")
    again = api.map(DRUGS, model, onto=kept, device="cpu")
    np.testing.assert_allclose(again.xy, found.xy[10:12], atol=1e-5)
    assert again.settings.space == "latent" and again.method_used == "pca"
    assert load_projection(kept).about["data"] == "table"


def test_a_map_of_another_model_is_refused(found, model, tmp_path):
    other = dataclasses.replace(found, model_id="0123456789abcdef")
    kept = other.save_projection(tmp_path / "map.safetensors")
    with pytest.raises(InputError, match="another model"):
        api.map(DRUGS, model, onto=kept, device="cpu")


def test_a_map_of_fingerprints_needs_the_same_molecules_not_the_same_model(found, model, tmp_path):
    mapped = api.map(LIBRARY, model, method="pca", space="fingerprint", device="cpu")
    kept = dataclasses.replace(mapped, model_id="0123456789abcdef").save_projection(tmp_path / "map.safetensors")
    again = api.map(LIBRARY, model, onto=kept, device="cpu")
    np.testing.assert_allclose(again.xy, mapped.xy, atol=1e-5)
    assert again.settings.space == "fingerprint" and "ECFP4" in again.note and not np.allclose(mapped.xy, found.xy[:10])


def test_without_the_extra_the_map_is_a_shadow_and_says_so(model, monkeypatch):
    for library in ("pacmap", "openTSNE"):
        monkeypatch.setitem(sys.modules, library, None)
    assert best_method() == "pca"
    drawn = api.map(LIBRARY, model, device="cpu")
    assert drawn.method_used == "pca" and "Only a shadow" in drawn.note and "extra 'maps'" in drawn.note


def test_with_the_extra_neighbourhoods_are_kept_without_asking():
    pytest.importorskip("openTSNE", reason="openTSNE comes with the extra 'maps'")
    assert best_method() == "tsne" and MapSettings().method == "auto"


def test_names_are_looked_up_before_any_work():
    with pytest.raises(UnknownNameError, match="latent"):
        MapSettings(space="latnt")
    assert MapSettings(space="Fingerprint", method="AUTO").space == "fingerprint"


def test_words_of_sets_are_read_or_refused():
    assert parse_sets(["a=b=c.csv", "x/drugs.csv.gz"], "--overlay") == {"a": "b=c.csv", "drugs": "x/drugs.csv.gz"}
    for words in (["=a.csv"], ["a="], ["a=b", "a=c"]):
        with pytest.raises(SettingsError, match="--overlay"):
            parse_sets(words, "--overlay")


def test_more_sets_than_marks_are_refused(model):
    with pytest.raises(SettingsError, match="at most 6 sets"):
        api.map(LIBRARY, model, overlays={str(number): LIBRARY[:1] for number in range(7)}, method="pca", device="cpu")


def test_a_folder_that_no_search_wrote_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="no folder of a search"):
        search_table(tmp_path)
