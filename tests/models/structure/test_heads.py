"""A molecule is predicted by code and structure, a point by the point alone; a run keeps both."""

import numpy as np
import pytest
import torch

from chemvae.chem.fingerprints import folded_counts
from chemvae.errors import RunFolderError
from chemvae.evaluation.protocols import run_evaluation
from chemvae.models.storage import fingerprint, load_model, save_model
from chemvae.models.structure.heads import DESCRIPTORS, N_COLUMNS, StructureHeads, describe_structures
from chemvae.models.structure.trees import BoostedTrees, TreeSettings
from chemvae.runs import RunFolder
from tests.conftest import MOLECULES, make_model

SHARE = 0.25


@pytest.fixture
def model(vocabulary):
    """One whose first property has trees that learned the number of atoms; its labels lie near -384."""
    model = make_model(vocabulary)
    model.predictor.fit_scale(torch.tensor([[-384.0, 0.0], [-384.002, 1.0]], dtype=torch.float64))
    inputs, labels = describe_structures(MOLECULES), np.array([float(len(one)) for one in MOLECULES])
    give_trees(model, BoostedTrees.fit(inputs.repeat(10, axis=0), labels.repeat(10), TreeSettings(rounds=5)))
    return model


def give_trees(model, trees: BoostedTrees) -> None:
    structure = model.predictor.structure
    structure.trees[0], structure.share[0], structure.widening[0] = trees, SHARE, 3.0


def test_a_molecule_is_described_by_its_environments_and_twelve_numbers():
    found = describe_structures(["CCO", "C1"])
    assert found.shape == (2, N_COLUMNS) and found.dtype == np.float32
    assert np.array_equal(found[0, : -len(DESCRIPTORS)], folded_counts(["CCO"])[0])
    assert found[0, -len(DESCRIPTORS) :][DESCRIPTORS.index("heavy_atoms")] == 3
    assert np.isnan(found[1]).all()


def test_a_molecule_is_predicted_between_code_and_trees_and_a_point_by_the_point(model):
    at_points, of_molecules = model.predict(model.encode(MOLECULES)), model.predict(MOLECULES)
    predictor = model.predictor
    answers = predictor.label_mean[0] + predictor.label_std[0] * predictor.structure.answers(MOLECULES)[:, 0]
    both = at_points["logP"] + SHARE * (answers.numpy() - at_points["logP"])
    np.testing.assert_allclose(of_molecules["logP"], both, rtol=0, atol=1e-9)
    np.testing.assert_allclose(of_molecules["logP_std"], 3.0 * at_points["logP_std"], rtol=1e-6)
    others = ["qed", "qed_std", "distance"]
    assert of_molecules[others].equals(at_points[others])
    assert of_molecules["logP"].nunique() > 10, "a spread of .001 near -384 is not lost"


def test_molecules_that_are_encoded_already_are_predicted_as_others(model):
    again = model.predict_encoded(model.encode(MOLECULES), MOLECULES)
    assert again.equals(model.predict(MOLECULES))


def test_what_is_no_molecule_has_no_prediction_and_disturbs_none(model):
    mixed = model.predict(["CCO", "C1CC", "c1ccccc1"])
    alone = model.predict(["CCO", "c1ccccc1"])
    assert mixed["logP"].isna().tolist() == [False, True, False]
    np.testing.assert_allclose(mixed["logP"].dropna(), alone["logP"], rtol=1e-9)


def test_without_an_answer_the_code_speaks():
    heads = StructureHeads(2)
    heads.share[:], heads.widening[:] = torch.tensor([0.5, 0.0]), torch.tensor([2.0, 9.0])
    mean, answers = torch.ones(3, 2), torch.tensor([[3.0, 3.0], [torch.nan, 3.0], [5.0, torch.nan]])
    both, widening = heads.beside(mean, answers, torch.ones(2))
    assert both.tolist() == [[2.0, 1.0], [1.0, 1.0], [3.0, 1.0]]
    assert widening.tolist() == [[2.0, 1.0], [1.0, 1.0], [2.0, 1.0]]


def test_intervals_of_molecules_and_of_points_cover_each_what_they_promise(vocabulary):
    torch.manual_seed(0)
    predictor = make_model(vocabulary).predictor
    predictor.structure.trees[0] = object()  # what it answers is given
    predictor.structure.share[0] = 1.0
    z = torch.randn(4000, 6)
    labels = torch.randn(4000, 2, dtype=torch.float64)
    answers = torch.stack([labels[:, 0] + 0.1 * torch.randn(4000), torch.full((4000,), torch.nan)], dim=1)
    predictor.calibrate(z[:2000], labels[:2000], answers=answers[:2000])
    for given in (None, answers[2000:]):
        mean, std = predictor(z[2000:], given)
        inside = ((labels[2000:] - mean).abs() < 1.645 * std).double().mean(dim=0)
        assert inside.tolist() == pytest.approx([0.9, 0.9], abs=0.03)
    assert predictor(z, answers)[1][:, 0].mean() < 0.3 * predictor(z)[1][:, 0].mean()


def test_what_is_measured_is_what_is_predicted(model):
    labels = np.linspace(-384.002, -384.0, len(MOLECULES))
    found = run_evaluation(model, MOLECULES, {"logP": labels}, n_samples=20, n_curve=0, n_fcd=0, n_smoothness=0)
    assert found.figures["mae_logP"] == pytest.approx(np.abs(model.predict(MOLECULES)["logP"] - labels).mean(), rel=1e-6)


def test_a_run_keeps_the_trees_and_its_fingerprint_knows_them(model, tmp_path):
    save_model(model, RunFolder(tmp_path / "run"))
    again = load_model(RunFolder(tmp_path / "run"))
    assert again.predict(MOLECULES).equals(model.predict(MOLECULES)) and fingerprint(again) == fingerprint(model)
    model.predictor.structure.share[0] = 0.5
    assert fingerprint(again) != fingerprint(model)


def test_a_run_that_lost_its_trees_says_so_and_predicts_by_the_code(model, tmp_path, caplog):
    save_model(model, RunFolder(tmp_path / "run"))
    (tmp_path / "run" / "trees.safetensors").unlink()
    without = load_model(RunFolder(tmp_path / "run"))
    assert "lacks trees.safetensors" in caplog.text
    np.testing.assert_allclose(without.predict(MOLECULES)["logP"], model.predict(model.encode(MOLECULES))["logP"])


def no_share(tensors):
    del tensors["share"]


def share_of_many(tensors):
    tensors["share"] = torch.ones(3)


def share_beyond_one(tensors):
    tensors["share"] = torch.tensor([1.5, 0.0])


def no_branches(tensors):
    del tensors["0.left"]


def trees_of_nobody(tensors):
    tensors["7.left"] = torch.zeros(2, 2, dtype=torch.uint8)


def way_without_end(tensors):
    tensors["0.left"] = torch.zeros_like(tensors["0.left"])


@pytest.mark.parametrize("damage", [no_share, share_of_many, share_beyond_one, no_branches, trees_of_nobody, way_without_end])
def test_a_damaged_file_of_trees_is_refused_with_its_name(model, tmp_path, damage):
    run = RunFolder(tmp_path / "run")
    save_model(model, run)
    tensors = model.predictor.structure.tensors()
    damage(tensors)
    run.write_tensors("trees.safetensors", tensors)
    with pytest.raises(RunFolderError, match=r"damaged trees\.safetensors"):
        load_model(run)
