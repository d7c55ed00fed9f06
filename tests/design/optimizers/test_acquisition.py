"""Molecules are judged by their structure, over what the predictor says where it knows the goals."""

import pytest
import torch

from chemvae.chem.molecules import parse
from chemvae.design.campaign.goal_matching import make_utility
from chemvae.design.goals import Goal
from chemvae.design.optimizers.acquisition import TanimotoAcquisition
from chemvae.design.optimizers.archive import Archive
from chemvae.design.optimizers.latent_ga import Pool
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.points import Points
from chemvae.design.origin import Origin
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.design.surrogates.structure_gp import StructureGP
from tests.design.toys import CELLS, ToyModel, carbons

CHAINS = list(CELLS)


def archive_of(region, molecules, score):
    archive = Archive(region)
    values = torch.tensor([score(text) for text in molecules], dtype=torch.float64)
    archive.add(region.encode(molecules), values, molecules)
    return archive


@pytest.fixture
def region():
    return LatentRegion(ToyModel())


def test_it_judges_as_the_process_fitted_at_once(region):
    archive, acquisition = archive_of(region, CHAINS[:40], carbons), TanimotoAcquisition()
    first = archive_of(region, CHAINS[:33], carbons)
    assert acquisition.refresh(first) and acquisition.refresh(archive)
    gp = StructureGP(noise_ratio=acquisition.gp.noise_ratio)
    gp.share, gp.length = acquisition.gp.share, acquisition.gp.length
    gp.fit(CHAINS[:40], archive.y)
    asked = CHAINS[60:80]
    mean, std = gp.predict(asked)
    assert not acquisition.needs_codes
    found = acquisition.score(asked, None, kappa=0.5)
    torch.testing.assert_close(found, mean + 0.5 * std, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(acquisition.score(asked, None, kappa=0.5), found)  # now from memory


def test_too_few_scores_say_nothing(region):
    assert not TanimotoAcquisition().refresh(archive_of(region, CHAINS[:7], carbons))


def test_a_predictor_that_knows_the_goal_is_the_mean(region):
    utility = make_utility([Goal("carbons")], region.model)
    predicted = PredictedUtility(region.model, utility, ("carbons",))
    acquisition = TanimotoAcquisition(predicted)
    assert acquisition.needs_codes
    assert acquisition.refresh(archive_of(region, CHAINS[:20], carbons))  # the toy's prediction is exact: nothing is left over
    far = CHAINS[100:]
    truth = torch.tensor([carbons(text) for text in far], dtype=torch.float64)
    torch.testing.assert_close(acquisition.score(far, region.encode(far), kappa=0.0), truth, rtol=1e-3, atol=1e-3)
    chosen = acquisition.select_batch(far, region.encode(far), 3, kappa=0.0)
    assert min(carbons(far[i]) for i in chosen) >= sorted(truth.tolist())[-3]


def test_a_batch_is_not_the_same_guess_many_times(region):
    acquisition = TanimotoAcquisition()
    acquisition.refresh(archive_of(region, CHAINS[:12], lambda text: float(parse(text).GetNumAtoms())))
    asked = CHAINS[12:]
    alone = acquisition.score(asked, None, kappa=1.0).argsort(descending=True)[:10].tolist()
    together = acquisition.select_batch(asked, None, 10, kappa=1.0)
    assert together[0] == alone[0] and set(together) != set(alone) and len(set(together)) == 10


def test_the_pool_keeps_the_best_and_draws_them_more_often():
    pool = Pool(1)
    points = Points(torch.arange(200.0)[:, None], [Origin("prior")] * 200)
    pool.add(points, [str(i) for i in range(200)], torch.arange(200.0, dtype=torch.float64))
    assert pool.points.z[:, 0].tolist() == list(range(199, 71, -1))
    assert pool.smiles[:3] == ["199", "198", "197"]
    drawn = pool.draw(4000, torch.Generator().manual_seed(0)).z[:, 0]
    assert (drawn > 135).sum() > 2 * (drawn <= 135).sum()
