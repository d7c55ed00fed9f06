"""The model's use from SMILES to SMILES, and the terms of the bound."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

from chemvae.errors import InputError, InvalidMoleculeError, SettingsError, UnknownTokenError
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import smiles_hash
from chemvae.tables import encode_table, predict_table
from tests.conftest import make_model


def test_terms_are_sums_of_token_probabilities(tiny_model, labelled):
    """A decoder whose logits are all equal writes T tokens with log probability -(T + 1) log(V - 3)."""
    model = tiny_model
    with torch.no_grad():
        model.decoder.output.weight.zero_()
        model.decoder.output.bias.zero_()
    batch = labelled.batch(np.arange(len(labelled)))
    terms = model(batch, n_draws=3)
    expected = -(batch.lengths + 1).float() * math.log(len(model.vocabulary) - 3)
    torch.testing.assert_close(terms.log_px_z, expected.expand(3, -1))
    assert terms.z.shape == (3, len(labelled), model.latent_dim)


def test_padding_changes_nothing(tiny_model, labelled):
    """A molecule alone and beside longer ones has the same likelihood and posterior."""
    together = labelled.batch(np.arange(len(labelled)))
    z = torch.randn(len(labelled), tiny_model.latent_dim)
    with torch.no_grad():
        all_at_once = tiny_model.log_px_z(z, together, None)
        for i in (0, 3, 13):
            alone = labelled.batch(np.array([i]))
            torch.testing.assert_close(
                tiny_model.log_px_z(z[i : i + 1], alone, None), all_at_once[i : i + 1], rtol=1e-5, atol=1e-5
            )
    one_by_one = np.concatenate([tiny_model.encode([s]) for s in labelled.smiles])
    np.testing.assert_allclose(tiny_model.encode(labelled.smiles), one_by_one, atol=1e-5)


def test_missing_labels_add_nothing(tiny_model, labelled):
    batch = labelled.batch(np.arange(len(labelled)))
    z = torch.randn(1, len(labelled), tiny_model.latent_dim)
    full = tiny_model.predictor.log_prob(z, batch.labels)
    missing = batch.labels.isnan()
    first_only = tiny_model.predictor.log_prob(z, torch.where(torch.arange(2) == 0, batch.labels, torch.nan))
    rows = missing[:, 1]
    assert rows.any()
    torch.testing.assert_close(full[0, rows], first_only[0, rows])
    assert tiny_model.predictor.log_prob(z, torch.full_like(batch.labels, torch.nan)).abs().max() == 0


def test_log_likelihood_agrees_with_the_decoders_own_count(tiny_model):
    """What decoding says a finished text's log probability is, teacher forcing says too."""
    with torch.no_grad():
        tiny_model.decoder.output.bias[2] += 2.0  # end soon
    z = torch.randn(200, tiny_model.latent_dim)
    ids, log_prob = tiny_model.decode_ids(z, temperature=1.0, generator=torch.Generator().manual_seed(0))
    texts = tiny_model.vocabulary.decode_rows(ids.numpy())
    as_written = [ids[i][: int((ids[i] > 3).sum())].tolist() for i in range(200)]
    readable = [i for i, s in enumerate(texts) if s and tiny_model.vocabulary.complaint(s) is None]
    usable = [i for i in readable if tiny_model.vocabulary.encode(texts[i]).tolist() == as_written[i]]
    assert len(usable) > 20
    found = tiny_model.log_likelihood(z[usable], [texts[i] for i in usable], canonicalize=False)
    torch.testing.assert_close(found, log_prob[usable], atol=1e-3, rtol=1e-4)


def test_encode_answers_row_by_row(tiny_model):
    z = tiny_model.encode(["CCO", "C[Xx]C", "", "OCC", float("nan")])
    assert np.isnan(z).all(axis=1).tolist() == [False, True, True, False, True]
    reasons = tiny_model.encode_reasons(["CCO", "[U]"])
    assert reasons[0] is None and "'U'" in reasons[1] and "position 1" in reasons[1]
    with pytest.raises(UnknownTokenError) as caught:
        tiny_model.posterior(["CC[U]C"], canonicalize=False)
    assert (caught.value.token, caught.value.position, caught.value.smiles) == ("U", 3, "CC[U]C")


def test_decode_is_seeded_and_shaped(tiny_model):
    z = np.random.default_rng(0).normal(size=(5, tiny_model.latent_dim))
    z[2] = np.nan
    one, two, other = (tiny_model.decode(z, n_samples=4, temperature=1.0, seed=s) for s in (1, 1, 2))
    assert one.equals(two) and not one.equals(other)
    assert one["row"].tolist() == np.repeat(np.arange(5), 4).tolist() and one["sample"].tolist() == [0, 1, 2, 3] * 5
    assert not one.loc[one["row"] == 2, "valid"].any() and (one.loc[one["row"] == 2, "smiles"] == "").all()
    with pytest.raises(SettingsError, match="must have shape"):
        tiny_model.decode(np.zeros((3, 2)))


def test_global_random_state_is_left_alone(tiny_model, labelled):
    before = torch.get_rng_state()
    tiny_model.decode(np.zeros((3, 6)), temperature=1.0)
    tiny_model(labelled.batch(np.arange(4)), 2, torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.get_rng_state())


def test_predictions_are_in_the_datas_unit(tiny_model):
    tiny_model.predictor.fit_scale(torch.tensor([[100.0, 1.0], [300.0, torch.nan]]))
    table = tiny_model.predict(["CCO", "[U]"])
    assert 100 < table["logP"][0] < 300 and table["logP_std"][0] > 0
    assert table.iloc[1].drop("reason").isna().all() and "unknown symbol" in table["reason"][1] and table["reason"][0] == ""


def test_random_smiles_and_word_dropout_reach_only_training(vocabulary, labelled):
    model = make_model(vocabulary)
    model.word_dropout = 1.0
    batch = labelled.batch(np.arange(5))
    z = torch.randn(5, model.latent_dim)
    with torch.no_grad():
        model.eval()
        plain = model.log_px_z(z, batch, torch.Generator().manual_seed(0))
        model.train()
        dropped = model.log_px_z(z, batch, torch.Generator().manual_seed(0))
        model.word_dropout = 0.0
        again = model.log_px_z(z, batch, torch.Generator().manual_seed(0))
    assert torch.equal(plain, again) and not torch.equal(plain, dropped)


def test_every_parameter_learns(vocabulary, labelled):
    model = make_model(vocabulary)
    terms = model(labelled.batch(np.arange(len(labelled))), 1, torch.Generator().manual_seed(0))
    (-(terms.log_px_z + terms.log_py_z).mean() + terms.kl.mean()).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert silent == []


def test_settings_complain_all_at_once():
    with pytest.raises(SettingsError) as caught:
        ModelSettings(latent_dim=0, decoder_dim=-1, precision="half")
    assert len(caught.value.complaints) == 3


def test_hashes_are_stable():
    assert smiles_hash(["CCO"])[0] == smiles_hash(["C", "CCO"])[1]
    assert len(set(smiles_hash(["CCO", "CCN", "CCC"]).tolist())) == 3


OTHERWISE = {"OCC": "CCO", "C1=CC=CC=C1O": "Oc1ccccc1", "C(C)N": "CCN"}


def test_a_molecule_gets_the_same_values_however_it_is_written(tiny_model):
    written, canonical = list(OTHERWISE), list(OTHERWISE.values())
    np.testing.assert_array_equal(tiny_model.encode(written), tiny_model.encode(canonical))
    pd.testing.assert_frame_equal(tiny_model.predict(written), tiny_model.predict(canonical))
    assert torch.equal(tiny_model.posterior(written).point, tiny_model.posterior(canonical).point)
    z = tiny_model.encode(canonical)
    assert torch.equal(tiny_model.log_likelihood(z, written), tiny_model.log_likelihood(z, canonical))
    as_written = tiny_model.encode(written, canonicalize=False)
    assert not np.array_equal(as_written, z) and tiny_model.encode_reasons(written) == [None] * 3


def test_one_molecule_alone_is_one_molecule_and_not_its_letters(tiny_model):
    z = tiny_model.encode("OCC")
    assert z.shape == (1, tiny_model.latent_dim) and tiny_model.posterior("OCC").point.shape == z.shape
    assert tiny_model.log_likelihood(z, "OCC").shape == (1,) and len(tiny_model.predict("OCC")) == 1
    assert tiny_model.encode_reasons("OCC") == [None]
    np.testing.assert_array_equal(tiny_model.encode(Chem.MolFromSmiles("OCC")), z)


def test_what_is_no_molecule_is_a_row_of_nan_with_its_reason(tiny_model):
    given = ["CCO", "C1CC", None, "CC(C)(C)(C)C"]
    table = tiny_model.predict(given)
    assert table["logP"].isna().tolist() == [False, True, True, True]
    assert table["reason"].tolist()[0] == "" and "ring 1" in table["reason"][1] and "5 bonds" in table["reason"][3]
    assert np.isnan(tiny_model.encode(given)).all(axis=1).tolist() == [False, True, True, True]
    assert [bool(one) for one in tiny_model.encode_reasons(given)] == [False, True, True, True]
    z = np.zeros((4, tiny_model.latent_dim))
    assert tiny_model.log_likelihood(z, given).isnan().tolist() == [False, True, True, True]
    with pytest.raises(InvalidMoleculeError, match="molecule 1.*ring 1"):
        tiny_model.posterior(given)
    assert "reason" not in tiny_model.predict(["CCO"]).columns


@pytest.mark.parametrize("given", [{"smiles": ["CCO"]}, None, 5, b"CCO", [["CCO"]], {"CCO"}])
def test_what_is_no_list_of_molecules_is_refused_by_every_method(tiny_model, given):
    z = np.zeros((1, tiny_model.latent_dim))
    for ask in (tiny_model.encode, tiny_model.predict, tiny_model.posterior, lambda x: tiny_model.log_likelihood(z, x)):
        with pytest.raises(InputError, match="give a SMILES"):
            ask(given)


def test_a_table_of_molecules_is_a_row_for_every_molecule_under_its_own_index(tiny_model):
    frame = pd.DataFrame({"id": ["x1", "x2"], "smiles": ["OCC", "CCN"], "y": [1.0, 2.0]}, index=[7, 3])
    table = tiny_model.predict(frame)
    assert table.index.tolist() == [7, 3] and tiny_model.encode(frame).shape == (2, tiny_model.latent_dim)
    np.testing.assert_array_equal(table, tiny_model.predict(["CCO", "CCN"]))
    np.testing.assert_array_equal(table, tiny_model.predict(frame["smiles"]))


def test_numbers_are_latent_points_in_every_form(tiny_model):
    z = tiny_model.encode(["CCO", "CCN"]).astype(float)
    expected = tiny_model.predict(z)
    for form in (
        z.tolist(),
        pd.DataFrame(z),
        torch.tensor(z),
        torch.tensor(z, requires_grad=True),
        [torch.tensor(row) for row in z],
    ):
        np.testing.assert_array_equal(tiny_model.predict(form), expected)
        assert tiny_model.decode(form)["smiles"].tolist() == tiny_model.decode(z)["smiles"].tolist()
    np.testing.assert_array_equal(tiny_model.predict(z[0]), tiny_model.predict(z[:1]))
    assert len(tiny_model.decode([])) == 0 and len(tiny_model.predict([])) == 0
    with pytest.raises(SettingsError, match="must have shape"):
        tiny_model.predict([1.0, 2.0])
    with pytest.raises(SettingsError, match="got a list"):
        tiny_model.decode(["CCO"])


def test_a_likelihood_asks_for_a_point_for_each_molecule(tiny_model):
    with pytest.raises(SettingsError, match="got 1 points and 3 molecules"):
        tiny_model.log_likelihood(np.zeros((1, tiny_model.latent_dim)), ["CCO", "CCN", "CC"])


def test_any_whole_number_is_a_seed_and_none_draws_one(tiny_model):
    z = np.zeros((3, tiny_model.latent_dim))
    plain = tiny_model.decode(z, temperature=1.0, n_samples=4, seed=5)
    for seed in (np.int64(5), np.uint8(5), torch.tensor(5), np.array(5)):
        pd.testing.assert_frame_equal(tiny_model.decode(z, temperature=1.0, n_samples=4, seed=seed), plain)
    one, other = (tiny_model.decode(z, temperature=1.0, n_samples=50, seed=None) for _ in range(2))
    assert not one.equals(other)
    with pytest.raises(SettingsError, match="whole number"):
        tiny_model.decode(z, seed=0.5)


def test_the_command_gives_the_same_values_to_the_last_bit(tiny_model):
    chains = ["C" * (1 + i % 9) + "OCNF"[i % 4] + "C" * (i % 7) for i in range(4200)]  # more than a block
    chains[10], chains[4150] = "C1CC", ""
    table, own = predict_table(tiny_model, chains), tiny_model.predict(chains)
    for name in ("logP", "logP_std", "distance"):
        np.testing.assert_array_equal(table[name].to_numpy(), own[name].to_numpy(np.float32))
    encoded = encode_table(tiny_model, chains).filter(regex="^z_").to_numpy()
    np.testing.assert_array_equal(encoded, tiny_model.encode(chains))
