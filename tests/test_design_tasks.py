"""The tasks and the baselines of experiments/04-design: definitions, known answers, budgets."""

import importlib.util
import math
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "experiments" / "04-design"


def load(name: str):
    """A file of the experiment as a module of its own name, as it is when the experiment runs."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tasks():
    yield load("tasks")
    sys.modules.pop("tasks", None)


@pytest.fixture(scope="module")
def graph_ga():
    yield load("graph_ga")
    sys.modules.pop("graph_ga", None)


def test_targets_are_found(tasks):
    assert tasks.TASKS["celecoxib_rediscovery"](tasks.CELECOXIB) == 1.0
    assert tasks.TASKS["mestranol_similarity"](tasks.MESTRANOL) == 1.0


def test_amlodipine_itself_has_two_rings(tasks):
    assert tasks.TASKS["amlodipine_mpo"](tasks.AMLODIPINE) == pytest.approx(math.sqrt(math.exp(-0.5 * (1 / 0.5) ** 2)))


def test_osimertinib_itself_is_too_similar_not_polar_enough_and_too_lipophilic(tasks):
    from rdkit.Chem import Crippen, MolFromSmiles, rdMolDescriptors

    mol = MolFromSmiles(tasks.OSIMERTINIB)
    tpsa, logp = rdMolDescriptors.CalcTPSA(mol), Crippen.MolLogP(mol)
    assert tpsa < 100 and logp > 1
    parts = [1.0, math.exp(-0.5 * 1.5**2), math.exp(-0.5 * ((tpsa - 100) / 10) ** 2), math.exp(-0.5 * (logp - 1) ** 2)]
    assert tasks.TASKS["osimertinib_mpo"](tasks.OSIMERTINIB) == pytest.approx(math.prod(parts) ** 0.25)


def test_median1_of_a_target_is_the_root_of_the_likeness_of_the_two(tasks):
    from rdkit import Chem

    likeness = tasks.similarity(Chem.MolFromSmiles(tasks.CAMPHOR), tasks.MENTHOL, "ECFP4")
    assert 0 < likeness < 1
    for target in (tasks.CAMPHOR, tasks.MENTHOL):
        assert tasks.TASKS["median1"](target) == pytest.approx(math.sqrt(likeness))


def test_likeness_to_mestranol_counts_in_shares_of_three_quarters_and_no_more_than_one(tasks):
    from rdkit import Chem
    from rdkit.Chem.rdFingerprintGenerator import GetAtomPairGenerator
    from rdkit.DataStructs import TanimotoSimilarity

    generator = GetAtomPairGenerator(maxDistance=10)

    def likeness(smiles):
        counts = [generator.GetSparseCountFingerprint(Chem.MolFromSmiles(one)) for one in (smiles, tasks.MESTRANOL)]
        return TanimotoSimilarity(*counts)

    ethinylestradiol = "Oc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"
    for unlike in ("COc1ccc2CCCCc2c1", "O=C1CC[C@@]2(C)C(CCC3C2CC[C@]2(C)C(O)CCC32)C1"):
        assert 0.02 < likeness(unlike) < 0.75
        assert tasks.TASKS["mestranol_similarity"](unlike) == pytest.approx(likeness(unlike) / 0.75)
    assert 0.75 < likeness(ethinylestradiol) < 1 and tasks.TASKS["mestranol_similarity"](ethinylestradiol) == 1.0


def test_similarity_counts_and_does_not_fold(tasks):
    from rdkit import Chem

    # Atoms of octane: 2 CH3 and 6 CH2; of decane: 2 and 8. Radius 1 and 2 add environments the same way.
    counts = [tasks.FINGERPRINTS["ECFP4"].GetSparseCountFingerprint(Chem.MolFromSmiles("C" * n)) for n in (8, 10)]
    a, b = (fingerprint.GetNonzeroElements() for fingerprint in counts)
    least, most = (sum(f(a.get(k, 0), b.get(k, 0)) for k in a | b) for f in (min, max))
    value = tasks.similarity(Chem.MolFromSmiles("C" * 8), "C" * 10, "ECFP4")
    assert value == pytest.approx(least / most) and value < 1


def test_pairs_of_atoms_reach_ten_bonds(tasks):
    from rdkit import Chem

    n_pairs = {
        n: tasks.FINGERPRINTS["AP"].GetSparseCountFingerprint(Chem.MolFromSmiles("C" * n)).GetTotalVal() for n in (11, 13)
    }
    assert n_pairs == {11: 55, 13: 78 - 2 - 1}  # all pairs but those at 11 and 12 bonds


def test_modifiers(tasks):
    assert tasks.bell(3, 3, 0.5) == 1 and tasks.bell(4, 3, 0.5) == tasks.bell(2, 3, 0.5) == pytest.approx(math.exp(-2))
    assert tasks.below(0.2, 1, 1) == tasks.below(1, 1, 1) == 1 and tasks.below(3, 1, 1) == pytest.approx(math.exp(-2))
    assert tasks.above(120, 100, 10) == 1 and tasks.above(90, 100, 10) == pytest.approx(math.exp(-0.5))
    assert tasks.clip(0.4, 0.8) == 0.5 and tasks.clip(0.9, 0.8) == 1
    assert tasks.geometric_mean(0.5, 0.02) == pytest.approx(0.1) and tasks.geometric_mean(0.3, 0.0) == 0


def test_every_task_takes_smiles_and_refuses_what_is_none(tasks):
    assert len(tasks.TASKS) == 6
    for name, score in tasks.TASKS.items():
        assert score("CC(=O)Oc1ccccc1C(=O)O") == score("O=C(C)Oc1ccccc1C(=O)O") < 1.5, name
        assert math.isnan(score("C1CC")) and math.isnan(score("")), name
        assert pickle.loads(pickle.dumps(score)) is score


def test_qed_minus_sas_is_made_of_the_two(tasks):
    from chemvae.chem.properties import compute

    aspirin = "CC(=O)Oc1ccccc1C(=O)O"
    assert tasks.TASKS["qed_minus_sas"](aspirin) == pytest.approx(5 * compute("qed", aspirin) - compute("SAS", aspirin))


def test_area_of_a_constant_score_lacks_the_first_triangle(tasks):
    assert tasks.auc_top10([1.0] * 10_000, 10_000) == pytest.approx(0.995)
    assert tasks.auc_top10([1.0] * 300, 10_000) == pytest.approx(0.995)  # stopped early: held at the last value
    assert tasks.auc_top10([1.0] * 40, 100) == pytest.approx(0.8)


def test_area_of_a_step(tasks):
    scores = [0.0] * 500 + [1.0] * 500  # the mean of ten is 1 from call 510 on; the curve is read at 500 and at 600
    assert tasks.auc_top10(scores, 1000) == pytest.approx((50 + 400) / 1000)
    assert tasks.auc_top10([0.0] * 995 + [1.0] * 5, 1000) == pytest.approx(0.5 * 50 / 1000)


def test_area_takes_the_best_ten_and_the_budget_only(tasks):
    scores = np.random.default_rng(0).random(1000).tolist()
    top = [np.mean(sorted(scores[:n])[-10:]) for n in range(100, 1001, 100)]
    assert tasks.auc_top10(scores, 1000) == pytest.approx((sum(top) - top[-1] / 2) / 10)
    assert tasks.auc_top10(scores + [5.0] * 50, 1000) == tasks.auc_top10(scores, 1000)


def test_area_counts_failures_as_calls(tasks):
    nan = math.nan
    assert tasks.auc_top10([nan] * 100 + [1.0] * 100, 200) == pytest.approx(0.25)
    assert tasks.auc_top10([], 100) == tasks.auc_top10([nan] * 100, 100) == 0
    assert tasks.auc_top10([0.5, nan, 0.25], 100) == pytest.approx((0.375 * 3 / 2 + 0.375 * 97) / 100)


LIBRARY = [
    "CC(=O)Nc1ccc(O)cc1",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "CCOC(=O)c1ccc(N)cc1",
    "CN1CCC[C@H]1c1cccnc1",
    "CS(=O)(=O)c1ccc(F)cc1",
    "CC(C)(C)OC(=O)N1CCNCC1",
    "O=C(O)c1ccccc1O",
    "FC(F)(F)c1cccc(I)c1",
]


def carbons(smiles: str) -> float:
    return float(smiles.upper().count("C"))


def test_graph_ga_spends_its_budget_on_distinct_molecules_and_repeats_itself(graph_ga):
    history = graph_ga.run(carbons, LIBRARY, 300, seed=1)
    assert len(history) == len(dict(history)) == 300
    assert all(score == carbons(smiles) for smiles, score in history)
    assert history == graph_ga.run(carbons, LIBRARY, 300, seed=1) != graph_ga.run(carbons, LIBRARY, 300, seed=2)
    assert max(score for _, score in history) > max(map(carbons, LIBRARY))


def test_graph_ga_survives_failures_negative_and_constant_scores(graph_ga):
    assert len(graph_ga.run(lambda smiles: math.nan, LIBRARY, 100, seed=0)) <= 100
    assert len(graph_ga.run(lambda smiles: -1.0 - carbons(smiles), LIBRARY, 100, seed=0)) == 100
    stopped = graph_ga.run(lambda smiles: 1.0, LIBRARY, 5000, 0, graph_ga.Settings(patience=5))
    assert len(stopped) < 1000


def test_graph_ga_stops_where_nothing_new_turns_up(graph_ga):
    assert len(graph_ga.run(carbons, ["C", "CC"], 100, 0, graph_ga.Settings(max_idle=3))) == 2


def test_a_small_budget_is_kept(graph_ga):
    assert len(graph_ga.run(carbons, LIBRARY, 3, seed=0)) == 3
