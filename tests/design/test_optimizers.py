"""Every optimizer of the table passes the contract."""

import torch

from chemvae.design.campaign.run import run_campaign
from chemvae.design.optimizers.latent_ga import LatentGA
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.random_search import RandomSearch
from tests.contracts.optimizer_contract import OptimizerContract
from tests.design.toys import CELLS, Bowl, ToyModel, carbons, chain


class TestRandom(OptimizerContract):
    method = "random"
    beats_random = False


class TestGradient(OptimizerContract):
    method = "gradient"


class TestBayesian(OptimizerContract):
    method = "bayesian"


class TestAuto(OptimizerContract):
    method = "auto"


class TestPareto(OptimizerContract):
    method = "pareto"


class TestGenetic(OptimizerContract):
    """Its children need not be of the toy's grid, and the bowl has no value for those."""

    method = "genetic"

    def run(self, oracle, budget=60, seed=0, **settings):
        brief = {"name": self.method, "generations": 1, "graphs": 0.4}  # breeding takes milliseconds a child
        return run_campaign(ToyModel(), oracle, budget=budget, seed=seed, method=brief, batch_size=6, **settings)

    def test_stops_when_nothing_new_turns_up(self):
        bowl, starts = Bowl(), [chain(0, 1), chain(1, 0)]  # children have six heavy atoms or more, draws even more
        result = self.run(bowl, budget=10_000, constraints=["heavy_atoms==5"], patience=2, start=starts)
        assert result.stopped.startswith("nothing new in") and sorted(bowl.asked) == sorted(starts)

    def test_beats_random_on_a_bowl(self):
        ours = [self.run(carbons, budget=42, seed=seed).best["score"] for seed in range(2)]
        assert min(ours) > max(map(carbons, CELLS)) - 2


def test_every_named_optimizer_is_tested():
    from chemvae.design import OPTIMIZERS

    tested = {case.method for case in OptimizerContract.__subclasses__()}
    assert set(OPTIMIZERS) <= tested


def test_a_round_that_pays_for_few_molecules_breeds_them_longer():
    region = LatentRegion(ToyModel())
    usual = LatentGA(region, retrain=False)
    assert [usual.generations(n) for n in (1, 64)] == [1, 1], "nobody judges the children yet"
    usual.tell(torch.randn(8, 4), torch.arange(8.0), [chain(x, 0) for x in range(8)])
    assert [usual.generations(n) for n in (1, 10, 20, 40, 64)] == [8, 8, 8, 4, 4]
    assert LatentGA(region, retrain=False, generations=2).generations(1) == 2
    assert RandomSearch(region).generations(10) == 1


def test_points_are_asked_for_as_often_as_the_optimizer_says():
    class Counting(RandomSearch):
        asked = 0

        def ask(self, n):
            self.asked += 1
            return super().ask(n)

        def generations(self, n):
            return 3

    rounds = []
    optimizer = Counting(LatentRegion(ToyModel()))
    run_campaign(ToyModel(), carbons, budget=20, batch_size=5, method=optimizer, callback=rounds.append)
    assert optimizer.asked > 0 and optimizer.asked % 3 == 0
