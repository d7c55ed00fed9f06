"""Frechet distance against closed forms, and the ChemNet distance against the package that defines it."""

from importlib.util import find_spec

import numpy as np
import pytest

from chemvae.evaluation.frechet import fcd, frechet_distance

MOLECULES = ["CCO", "CCN", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "C1CCCCC1", "CCCCO", "CCS"]


def test_equal_samples_have_no_distance_and_a_shift_adds_its_square():
    points = np.random.default_rng(0).normal(size=(50, 4))
    assert frechet_distance(points, points) == pytest.approx(0.0, abs=1e-8)
    assert frechet_distance(points, points + np.array([3.0, 0, 0, 4.0])) == pytest.approx(25.0)


def test_scaling_one_axis_costs_the_square_of_the_difference_of_deviations():
    points = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
    stretched = points * np.array([3.0, 1.0])
    std = np.sqrt(2 / 3)
    assert frechet_distance(points, stretched) == pytest.approx((3 * std - std) ** 2)


def test_singular_covariances_are_fine():
    few = np.random.default_rng(0).normal(size=(3, 20))
    assert frechet_distance(few, few) == pytest.approx(0.0, abs=1e-6)


def test_fcd_is_none_without_the_package_and_the_packages_value_with_it():
    found = fcd(MOLECULES[:4], MOLECULES[4:])
    if find_spec("fcd") is None:
        assert found is None
    else:
        import fcd as package

        assert found == pytest.approx(package.get_fcd(MOLECULES[:4], MOLECULES[4:], device="cpu"), rel=1e-3)


def test_fcd_of_fewer_than_two_molecules_is_none():
    assert fcd(["CCO", None, None], MOLECULES) is None
    assert fcd([], MOLECULES) is None
