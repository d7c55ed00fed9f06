"""A decoder that learns what scored well, on a copy, without losing what it knew."""

import numpy as np
import pytest
import torch

from chemvae.api import load
from chemvae.chem.identity import identify
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.design import run_campaign
from chemvae.design.optimizers.archive import Archive
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.retraining import Retrainer, own_molecules
from chemvae.design.search import search_in_folder
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.training import Trainer, TrainingSettings
from chemvae.training.posthoc.finish import finish
from tests.training.test_trainer import weights

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("", "O", "N", "=O", "C(C)C", "C1CC1", "S", "(C)O")]
NEW = ["C" * n + "OC(C)C" for n in range(1, 7)]  # written with known symbols, never trained on


@pytest.fixture(scope="module")
def trained():
    data = SmilesDataset(CHAINS, Vocabulary.from_smiles(CHAINS))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MolVAE(data.vocabulary, ModelSettings(16, 32, 64, 6, 8, precision="fp32"))
    model.training_facts = TrainingFacts(max_tokens=16)
    settings = TrainingSettings(
        epochs=60, batch_size=16, learning_rate=1e-2, beta=0.003, min_kl=0, min_active_units=0, threads=1
    )
    Trainer(model, data, data, settings, device="cpu").fit()
    finish(model, data, data, None)
    return model.eval().requires_grad_(False)


def archive_of(region, molecules):
    archive = Archive(region)
    archive.add(region.encode(molecules), torch.arange(len(molecules), 0.0, -1.0, dtype=torch.float64), molecules)
    return archive


def coming_back(model, molecules):
    return np.mean(model.decode(model.encode(molecules))["smiles"] == np.array(molecules))


def retrainer_of(region, **settings):
    usual = {"every": 5, "n_steps": 150, "learning_rate": 1e-3}
    return Retrainer(region, torch.Generator().manual_seed(0), **{**usual, **settings})


def test_new_molecules_come_back_afterwards_old_ones_still_do_and_the_caller_s_model_is_untouched(trained):
    before = weights(trained)
    region = LatentRegion(trained)
    assert coming_back(trained, NEW) < 0.5 < coming_back(trained, CHAINS)
    assert retrainer_of(region).step(archive_of(region, NEW))
    assert region.model is not trained and coming_back(region.model, NEW) > 0.8
    assert coming_back(region.model, CHAINS) > coming_back(trained, CHAINS) - 0.3
    assert torch.equal(weights(trained), before)
    np.testing.assert_array_equal(region.model.encode(CHAINS), trained.encode(CHAINS))
    assert not any(p.requires_grad for p in region.model.parameters())


def test_nothing_happens_before_enough_is_new(trained):
    region = LatentRegion(trained)
    retrainer = retrainer_of(region, every=7)
    assert not retrainer.step(archive_of(region, NEW)) and region.model is trained


def test_a_retraining_that_forgets_is_undone(trained):
    region = LatentRegion(trained)
    retrainer = retrainer_of(region, learning_rate=1.0)  # ruinous
    assert not retrainer.step(archive_of(region, NEW))
    for name, value in region.model.decoder.state_dict().items():
        assert torch.equal(value, trained.decoder.state_dict()[name])


def test_good_molecules_are_drawn_more_often(trained):
    region = LatentRegion(trained)
    drawn = retrainer_of(region)._elite(archive_of(region, NEW))
    assert drawn.count(NEW[0]) > 2 * drawn.count(NEW[-1]) > 0


def test_own_molecules_are_molecules_the_model_can_read(trained):
    own = own_molecules(LatentRegion(trained), 30, seed=1)
    assert 5 < len(set(own)) == len(own) and not any(trained.encode_reasons(own))


def test_a_search_returns_the_retrained_copy_and_leaves_the_caller_s_model(trained):
    before = weights(trained)
    method = {"name": "auto", "retrain": True, "retrain_every": 10, "generations": 2}

    def search():
        return run_campaign(trained, lambda smiles: smiles.count("O") + len(smiles) / 100, 40, method=method, batch_size=10)

    first, second = search(), search()
    assert first.model is not trained
    assert not torch.equal(first.model.decoder.output.weight, trained.decoder.output.weight)
    assert torch.equal(weights(trained), before)
    assert first.history["smiles"].tolist() == second.history["smiles"].tolist()


def test_the_default_search_leaves_its_model_alone(trained):
    result = run_campaign(trained, lambda smiles: len(smiles), 30, method={"name": "auto", "retrain_every": 5}, batch_size=10)
    assert result.model is trained and not result.is_retrained and "lives_in" not in result.molecules


def test_hits_say_in_which_model_they_live_and_that_model_is_saved_and_loads(trained, tmp_path):
    method = {"name": "auto", "retrain": True, "retrain_every": 10, "generations": 2}
    wanted = {"oracle": lambda smiles: smiles.count("O") + len(smiles) / 100, "goals": "score", "budget": 40, "batch_size": 10}
    folder = tmp_path / "hits"
    result = search_in_folder(lambda name: trained, folder, {**wanted, "method": method}).result
    assert result.is_retrained and set(result.molecules["lives_in"]) <= {"given", "retrained", "both", "neither"}
    saved = load(folder / "model")
    assert torch.equal(weights(saved), weights(result.model)) and not torch.equal(weights(saved), weights(trained))
    for model, words in ((saved, ("retrained", "both")), (trained, ("given", "both"))):
        living = result.molecules.loc[result.molecules["lives_in"].isin(words), "smiles"].tolist()
        others = result.molecules.loc[~result.molecules["lives_in"].isin(words), "smiles"].tolist()
        comes_back = {
            text: identify(found) == text
            for text, found in zip(
                [*living, *others], model.decode(np.nan_to_num(model.encode([*living, *others])))["smiles"], strict=True
            )
        }
        assert all(comes_back[text] for text in living) and not any(comes_back[text] for text in others)
    search_in_folder(lambda name: trained, folder, wanted, overwrite=True)
    assert not (folder / "model").exists()
