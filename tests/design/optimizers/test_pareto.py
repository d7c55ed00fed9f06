"""A front of several goals: known volumes, known fronts, and a search that finds one."""

import numpy as np
import pytest
import torch
from botorch.utils.multi_objective.box_decompositions.dominated import DominatedPartitioning

from chemvae.design import Goal, run_campaign
from chemvae.design.optimizers.pareto import HypervolumeAcquisition, ParetoGA, chebyshev
from chemvae.design.surrogates.hypervolume import MOST_GOALS, boxes, choose_by_gain, expected_gain, volume
from chemvae.errors import SettingsError
from tests.design.toys import CELLS, ToyModel


def random_front(n, goals, seed=0):
    return torch.rand(n, goals, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("goals", [2, 3])
def test_a_certain_point_gains_the_volume_that_it_adds(goals):
    front, reference = random_front(12, goals), torch.full((goals,), -0.1, dtype=torch.float64)
    points = random_front(20, goals, seed=1) * 1.2
    found = expected_gain(points, torch.zeros_like(points), *boxes(front, reference))
    grown = [DominatedPartitioning(reference, torch.cat([front, one[None]])).compute_hypervolume() for one in points]
    before = DominatedPartitioning(reference, front).compute_hypervolume()
    torch.testing.assert_close(found, torch.stack(grown) - before, atol=1e-9, rtol=1e-9)
    assert volume(front, reference) == pytest.approx(float(before))


def test_the_expected_gain_is_the_mean_over_draws():
    front, reference = random_front(6, 2), torch.zeros(2, dtype=torch.float64)
    mean, std = random_front(5, 2, seed=2), torch.tensor([[0.3, 0.1]], dtype=torch.float64).expand(5, 2)
    lower, upper = boxes(front, reference)
    noise = torch.randn(40_000, 1, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    draws = (mean + std * noise).reshape(-1, 2)
    sampled = expected_gain(draws, torch.zeros_like(draws), lower, upper).reshape(-1, 5).mean(dim=0)
    torch.testing.assert_close(expected_gain(mean, std, lower, upper), sampled, rtol=0.03, atol=1e-3)


def test_many_points_at_once_gain_what_they_gain_apart(monkeypatch):
    front, reference, points = random_front(8, 3), torch.zeros(3, dtype=torch.float64), random_front(30, 3, seed=4)
    at_once = expected_gain(points, 0.1 * points, *boxes(front, reference))
    monkeypatch.setattr("chemvae.design.surrogates.hypervolume.CELLS", 1)
    torch.testing.assert_close(expected_gain(points, 0.1 * points, *boxes(front, reference)), at_once)


def test_the_volume_above_a_reference_forgets_what_lies_below_it():
    points = torch.tensor([[1.0, 2.0], [2.0, 1.0], [5.0, -1.0], [0.5, 0.5]])
    assert volume(points, torch.zeros(2)) == 3.0
    assert volume(points[2:3], torch.zeros(2)) == 0.0 == volume(points[:0], torch.zeros(2))


def test_a_batch_covers_the_front_instead_of_one_place():
    mean = torch.tensor([[0.90, 0.10], [0.89, 0.11], [0.10, 0.90], [0.11, 0.89], [0.5, 0.5]], dtype=torch.float64)
    alike = torch.eye(5, dtype=torch.float64)
    alike[0, 1] = alike[1, 0] = alike[2, 3] = alike[3, 2] = 0.999
    chosen = choose_by_gain(mean, 1e-4 * alike.expand(2, 5, 5), torch.empty(0, 2).double(), torch.zeros(2).double(), 3)
    assert {0 if i in (0, 1) else 2 if i in (2, 3) else 4 for i in chosen} == {0, 2, 4}


@pytest.mark.parametrize("goals", [2, 3])
def test_looking_at_few_points_again_chooses_as_looking_at_all(goals, monkeypatch):
    mean, root = random_front(60, goals, seed=5), torch.rand(goals, 60, 8, generator=torch.Generator().manual_seed(6)).double()
    given = mean, 0.02 * root @ root.mT, random_front(9, goals, seed=7), torch.zeros(goals).double(), 12
    few = choose_by_gain(*given)
    monkeypatch.setattr("chemvae.design.surrogates.hypervolume.LOOKED_AT", 60)
    assert choose_by_gain(*given) == few and len(set(few)) == 12


def test_where_nothing_gains_what_is_nearest_from_below_is_chosen_first():
    mean = torch.tensor([[-3.0, 0.5], [-1.0, 0.5], [-2.0, 0.5]], dtype=torch.float64)
    assert choose_by_gain(mean, torch.zeros(2, 3, 3).double(), torch.empty(0, 2).double(), torch.zeros(2).double(), 5) == [
        1,
        2,
        0,
    ]


def test_every_point_of_a_front_is_best_in_some_direction():
    front = torch.tensor([[0.0, 1.0], [0.3, 0.55], [0.6, 0.3], [1.0, 0.0]], dtype=torch.float64)  # bent inwards
    best = {int(chebyshev(front, torch.tensor([w, 1 - w])).argmax()) for w in torch.linspace(0.02, 0.98, 49).double()}
    assert best == {0, 1, 2, 3}
    assert chebyshev(torch.tensor([[-torch.inf, -torch.inf]]), torch.tensor([0.5, 0.5])).item() == -torch.inf


def end(which):
    """The square of one end's length, 0 where both together exceed 12: a front bent inwards, from (0, 144) to (144, 0)."""

    def length(smiles):
        cell = CELLS[smiles]
        return float(cell[which] ** 2) if sum(cell) <= 12 else 0.0

    return length


ENDS = {"left": end(0), "right": end(1)}
GOALS = [Goal("left", low=0, high=144), Goal("right", low=0, high=144)]


def test_it_finds_more_of_a_front_than_a_weighted_mean_does():
    found = {}
    for method in ("pareto", "auto"):
        volumes = []
        for seed in range(2):
            result = run_campaign(ToyModel(), ENDS, budget=42, seed=seed, method=method, goals=GOALS, batch_size=6)
            front = torch.from_numpy(result.pareto[["left", "right"]].to_numpy(dtype=float))
            assert len(result.history) == 42 and len(front) >= 3
            volumes.append(volume(front, torch.zeros(2, dtype=torch.float64)))
        found[method] = np.mean(volumes)
    assert found["pareto"] > found["auto"]


def test_with_one_goal_it_is_the_default_search():
    def score(smiles):
        return float(sum(CELLS[smiles]))

    ours, theirs = (
        run_campaign(ToyModel(), score, budget=30, seed=0, method=method, batch_size=6) for method in ("pareto", "auto")
    )
    assert ours.history["smiles"].tolist() == theirs.history["smiles"].tolist()


def test_molecules_that_failed_in_one_goal_are_no_part_of_the_front():
    def half(smiles):
        return ENDS["right"](smiles) if CELLS[smiles][0] % 2 else float("nan")

    oracle = {"left": ENDS["left"], "right": half}
    result = run_campaign(ToyModel(), oracle, budget=40, seed=0, method="pareto", goals=GOALS, batch_size=5)
    assert len(result.history) == 40 and result.pareto["right"].notna().all() and result.history["right"].isna().any()


def test_a_front_of_too_many_goals_is_refused_with_a_way_out():
    with pytest.raises(SettingsError, match=f"{MOST_GOALS} at most.*--method auto"):
        boxes(torch.empty(0, MOST_GOALS + 1), torch.zeros(MOST_GOALS + 1))
    asked = []
    many = {f"{i}": lambda smiles: asked.append(smiles) or 1.0 for i in range(MOST_GOALS + 1)}
    with pytest.raises(SettingsError, match=f"{MOST_GOALS} at most.*--method auto"):
        run_campaign(ToyModel(), many, budget=20, method="pareto", goals=[Goal(name, low=0, high=1) for name in many])
    assert not asked  # nothing was paid for


def test_what_was_told_without_a_value_is_worst():
    acquisition = HypervolumeAcquisition({"CCO": torch.tensor([1.0, 2.0], dtype=torch.float64)})
    acquisition.weights = torch.tensor([0.5, 0.5], dtype=torch.float64)
    assert acquisition.values_of(["CCO", ""]).tolist() == [[1.0, 2.0], [-torch.inf, -torch.inf]]
    assert acquisition.values_of([]).shape == (0, 2)


def test_directions_change_from_round_to_round():
    class Watched(ParetoGA):
        seen = []

        def _turn(self, n_goals):
            super()._turn(n_goals)
            self.seen.append(self._weights)

    run_campaign(ToyModel(), ENDS, budget=30, seed=0, method=Watched, goals=GOALS, batch_size=5)
    seen = torch.stack(Watched.seen)
    torch.testing.assert_close(seen.sum(dim=1), torch.ones(len(seen), dtype=torch.float64))
    assert len(seen) > 4 and seen[:, 0].std() > 0.1
