"""Points keep their origins, whatever is taken from them, put together or crossed."""

import torch

from chemvae.design.optimizers.points import Points, crossed
from chemvae.design.origin import Origin

HERE = Points.of(torch.arange(8.0).view(4, 2), ["CCO", "CCN", "", "CC"])


def test_a_code_is_the_child_of_its_molecule_and_one_without_has_no_parent():
    assert [one.parents for one in HERE.origins] == [("CCO",), ("CCN",), (), ("CC",)]


def test_rows_take_point_and_origin_together_in_any_order_and_none():
    taken = HERE.take(torch.tensor([3, 0, 3]))
    assert taken.z.tolist() == [[6, 7], [0, 1], [6, 7]]
    assert [one.parents for one in taken.origins] == [("CC",), ("CCO",), ("CC",)]
    assert len(HERE.take([]).z) == 0 == len(HERE.take([]).origins)


def test_what_is_moved_keeps_its_parents_and_says_how():
    moved = HERE.moved(HERE.z + 1, "neighbour")
    assert {one.stream for one in moved.origins} == {"neighbour"}
    assert [one.parents for one in moved.origins] == [one.parents for one in HERE.origins]


def test_together_is_one_part_after_another():
    both = Points.together([HERE.take([1]), HERE])
    assert both.z.tolist() == [[2, 3], *HERE.z.tolist()] and both.origins == [HERE.origins[1], *HERE.origins]


def test_a_cross_has_the_parents_of_both_and_names_none_twice():
    made = crossed(torch.zeros(3, 2), HERE.take([0, 0, 2]), HERE.take([1, 0, 3]))
    assert [one.parents for one in made.origins] == [("CCO", "CCN"), ("CCO",), ("CC",)]
    assert {one.stream for one in made.origins} == {"crossover"}
    assert isinstance(made.origins[0], Origin)
