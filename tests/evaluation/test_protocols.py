"""The whole evaluation of a model whose every figure is known."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from chemvae.errors import NothingUsableError, SettingsError, UnknownNameError
from chemvae.evaluation import evaluate_model, run_evaluation

from .fakes import MemoryModel

MOLECULES = ["CCO", "C[C@H](N)O", "c1ccc2ccccc2c1", "CCCC"]
SIZES = {"n_samples": 40, "n_fcd": 0, "n_curve": 10}
PAIRS = [(prior, how) for prior in ("normal", "learned") for how in ("greedy", "sampled")]
STEPS = ("1sd", "3sd", "0.2", "0.3", "0.5", "1.0")
KEYS = """reconstruction_greedy reconstruction_jt validity_prior_greedy validity_prior_sampled validity_learned_prior unique_10k
novelty internal_diversity snn scaffold_similarity fragment_similarity fcd n_fcd elbo kl cross_entropy active_units
mutual_information n_molecules n_failed_parse n_samples protocol seed mae_heavy rmse_heavy r2_heavy spearman_heavy
coverage90_heavy rate distortion aggregated_posterior_gap aggregated_posterior_gap_lower neighbors_kept_10""".split()
KEYS += [f"{key}_{prior}_{how}" for key in ("validity", "unique_10k", "fcd", "own_code_found") for prior, how in PAIRS]
KEYS += [f"{key}_z_similarity_{prior}" for key in ("within", "between") for prior in ("normal", "learned")]
KEYS += [f"{key}_{step}" for key in ("similarity_at", "valid_at") for step in STEPS]
KEYS += [f"property_change_at_{step}_{name}" for step in STEPS for name in ("logP", "qed", "SAS")]


@pytest.fixture(scope="module")
def figures():
    labels = {"HEAVY": [3.0, 4.0, np.nan, 6.0]}
    return evaluate_model(MemoryModel(MOLECULES, {"CCCC": "C1CC"}, known=["CCO"]), MOLECULES, labels, seed=3, **SIZES)


def test_every_key_is_there_with_a_sentence(figures):
    assert set(KEYS) <= set(figures)
    assert set(figures["protocol"]) == set(figures) - {"protocol"}
    assert all(len(text) > 10 and "{" not in text for text in figures["protocol"].values())
    assert "unlabelled" not in json.dumps(figures)


def test_every_validity_has_its_distinct_share_and_fcd_beside_it(figures):
    keys = list(figures)
    for prior, how in PAIRS:
        first = keys.index(f"validity_{prior}_{how}")
        assert keys[first : first + 3] == [f"{key}_{prior}_{how}" for key in ("validity", "unique_10k", "fcd")]


def test_names_of_before_hold_the_figures_that_have_other_names_now(figures):
    now = {
        "validity_prior_greedy": "validity_normal_greedy", "validity_prior_sampled": "validity_normal_sampled",
        "validity_learned_prior": "validity_learned_sampled", "unique_10k": "unique_10k_learned_sampled",
        "fcd": "fcd_learned_sampled", "mutual_information_upper": "rate", "cross_entropy": "distortion",
    }  # fmt: skip
    assert {old: figures[old] for old in now} == {old: figures[new] for old, new in now.items()}
    assert figures["protocol"]["validity_prior_greedy"].endswith("now validity_normal_greedy.")


def test_a_prior_that_never_was_fitted_is_not_drawn_from_and_one_trained_with_the_model_has_its_own_name():
    class Unfitted:
        is_fitted = False

    model = MemoryModel(MOLECULES)
    model.latent_statistics = Unfitted()
    found = evaluate_model(model, MOLECULES, **SIZES)
    assert "validity_learned_greedy" not in found and found["validity_learned_prior"] is None
    assert found["unique_10k"] == found["unique_10k_normal_sampled"]
    model.priors["vamp"] = model.priors["learned"]
    found = evaluate_model(model, MOLECULES, **SIZES)
    assert found["validity_vamp_greedy"] == 1.0 and found["own_code_found_vamp_greedy"] is not None
    assert found["unique_10k"] == found["unique_10k_vamp_sampled"]
    assert "the model's prior 'vamp'" in found["protocol"]["fcd_vamp_sampled"]


def test_what_is_not_asked_for_is_not_measured():
    found = evaluate_model(MemoryModel(MOLECULES), MOLECULES, n_codes=0, n_smoothness=0, **SIZES)
    assert not [key for key in found if key.startswith(("own_code", "within", "similarity_at", "neighbors", "log_px"))]


def test_a_model_of_four_molecules_finds_each_draw_of_four_once(figures):
    """The learned prior visits the molecules in turn: the first of equal draws is the nearest, and one text is no molecule."""
    assert figures["own_code_found_learned_greedy"] == pytest.approx(3 / 40)
    assert figures["within_z_similarity_learned"] == 1.0


def test_the_dict_is_json_as_it_stands(figures):
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_reconstruction_and_samples(figures):
    assert figures["reconstruction_greedy"] == figures["reconstruction_jt"] == 0.75
    assert figures["validity_learned_prior"] == 0.75  # the prior visits the four molecules in turn, one is written wrongly
    assert figures["unique_10k"] == pytest.approx(3 / 30)
    assert figures["novelty"] == pytest.approx(2 / 3)
    assert figures["snn"] == pytest.approx(1.0)
    assert figures["scaffold_similarity"] == pytest.approx(1.0)
    assert figures["fcd"] is None and figures["n_fcd"] == 0


def test_validity_of_the_normal_prior_counts_what_lies_in_reach():
    inside = evaluate_model(MemoryModel(MOLECULES, reach=1e6), MOLECULES, **SIZES)
    outside = evaluate_model(MemoryModel(MOLECULES, reach=1e-3), MOLECULES, **SIZES)
    assert inside["validity_prior_greedy"] == inside["validity_prior_sampled"] == 1.0
    assert outside["validity_prior_greedy"] == outside["validity_prior_sampled"] == 0.0
    noisy = evaluate_model(MemoryModel(MOLECULES, reach=1e6, noisy=True), MOLECULES, **SIZES)
    assert (noisy["validity_prior_greedy"], noisy["validity_prior_sampled"]) == (1.0, 0.5)


def test_the_bound_adds_up_and_has_its_closed_form(figures):
    kl = 0.5 * 100.0 + 4 * (0.5 * (0.01 - 1.0) - math.log(0.1))
    assert figures["kl"] == pytest.approx(kl, rel=1e-5)
    assert figures["cross_entropy"] == pytest.approx(np.mean([len(s) for s in MOLECULES]))
    assert figures["elbo"] == pytest.approx(-figures["kl"] - figures["cross_entropy"])
    assert figures["active_units"] == 1.0
    assert figures["rate"] + figures["distortion"] == pytest.approx(-figures["elbo"], abs=6.0)
    assert figures["aggregated_posterior_gap"] == pytest.approx(kl - math.log(4), rel=1e-5)
    assert figures["aggregated_posterior_gap_lower"] == pytest.approx(figures["kl"] - figures["rate"])
    assert figures["mutual_information"] == pytest.approx(math.log(4))
    assert figures["mutual_information_upper"] == pytest.approx(
        kl, abs=6.0
    )  # the fake's learned prior has the density of N(0, I)


def test_properties_are_compared_where_labels_are(figures):
    assert figures["n_labels_heavy"] == 3
    assert figures["mae_heavy"] == pytest.approx(2 / 3)  # heavy atoms 3, 4 and 4 against labels 3, 4 and 6
    assert figures["coverage90_heavy"] == pytest.approx(2 / 3)


def test_a_label_the_model_does_not_predict_is_no_figure():
    found = evaluate_model(MemoryModel(MOLECULES), MOLECULES, pd.DataFrame({"other": range(4)}), **SIZES)
    assert not any(key.startswith("mae_") for key in found)


def test_rows_that_cannot_be_read_or_encoded_are_counted():
    smiles = ["CCO", "not a molecule", None, "[Xe]"]
    found = run_evaluation(MemoryModel(MOLECULES), smiles, {"heavy": [3, 1, 1, 1]}, **SIZES)
    f = found.figures
    assert (f["n_molecules"], f["n_failed_parse"], f["n_unencodable"]) == (2, 2, 1)
    assert f["reconstruction_greedy"] == 0.5 and f["n_labels_heavy"] == 1
    assert found.failures["kind"].tolist() == ["unencodable"]
    assert found.predictions["heavy"].isna().tolist() == [False, True]


def test_nothing_encodable_is_survived():
    f = evaluate_model(MemoryModel(MOLECULES), ["[Xe]"], {"heavy": [1.0]}, **SIZES)
    assert f["reconstruction_greedy"] == 0.0 and f["kl"] is None and f["mae_heavy"] is None


def test_no_molecule_at_all_is_one_clear_error():
    with pytest.raises(NothingUsableError, match="None of the 2 strings"):
        evaluate_model(MemoryModel(MOLECULES), ["", "C1"], **SIZES)


def test_one_molecule_works():
    f = evaluate_model(MemoryModel(["CCO"], known=None), ["OCC"], **SIZES)
    assert f["reconstruction_greedy"] == 1.0 and f["novelty"] is None


def test_training_molecules_given_by_hand_replace_the_models_index():
    found = evaluate_model(MemoryModel(MOLECULES, known=MOLECULES), MOLECULES, training=["CCO", "CCCC"], **SIZES)
    assert found["novelty"] == 0.5


def test_same_seed_same_figures_and_another_seed_other_samples():
    model = MemoryModel(MOLECULES, scale=2.0, reach=4.0)  # some draws are lost
    runs = [evaluate_model(model, MOLECULES, seed=seed, **SIZES) for seed in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_labels_of_the_wrong_length_and_bad_sizes_are_refused():
    with pytest.raises(SettingsError, match="labels of 'heavy'"):
        evaluate_model(MemoryModel(MOLECULES), MOLECULES, {"heavy": [1.0]}, **SIZES)
    with pytest.raises(SettingsError, match="n_samples must be >= 1, got 0"):
        evaluate_model(MemoryModel(MOLECULES), MOLECULES, n_samples=0)
    with pytest.raises(UnknownNameError, match="Did you mean 'n_samples'"):
        evaluate_model(MemoryModel(MOLECULES), MOLECULES, n_sample=5)
