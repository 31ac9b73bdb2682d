"""Exact Bayes over standing dislikes: tiny cases by hand, and by enumeration."""

import itertools

import numpy as np
import pytest

from lam_env.core.dislikes import NEVER, Dislikes

CELLS = np.array([[NEVER, 0, 1], [NEVER, 2, NEVER]])  # two windows of the day, three actions


def drawn(classes=(1.0,), p=((0.2, 0.5, 0.0),)):
    return Dislikes(CELLS, np.array(classes), np.array(p), 0)


def says(*evidence):
    return np.array([evidence], float)


def test_cells_are_those_of_the_window():
    times = np.array([0, 43_199, 43_200, 86_400])
    assert drawn().cells_at(times).tolist() == [[-1, 0, 1], [-1, 0, 1], [-1, 2, -1], [-1, 0, 1]]


def test_before_any_answer_it_is_the_mean_over_classes():
    found = drawn((0.25, 0.75), ((0.4, 0.8, 0.0), (0.2, 0.0, 0.4))).posterior(says(0, 0, 0))
    assert found[0] == pytest.approx([0.25, 0.2, 0.3, 0.0])  # nothing is disliked where there is no cell


def test_answers_move_the_odds_of_their_own_cell():
    found = drawn().posterior(says(np.log(4.0), -1e9, 7.0))
    assert found[0] == pytest.approx([0.5, 0.0, 0.0, 0.0])  # odds 1 to 4 times 4; accepted; never disliked at all


def test_answers_about_one_cell_tell_of_others_through_the_class():
    two = drawn((0.5, 0.5), ((0.0, 0.1, 0.1), (0.5, 0.5, 0.5)))
    # refused, which only the disliked are: the second class, in which all is disliked more
    assert two.posterior(says(50.0, 0, 0))[0] == pytest.approx([1.0, 0.5, 0.5, 0.0])
    # accepted: P(class 2) = .5 / 1.5
    assert two.posterior(says(-50.0, 0, 0))[0] == pytest.approx([0.0, 0.7 / 3, 0.7 / 3, 0.0])


def test_it_is_what_enumeration_of_all_households_gives():
    draws = np.random.default_rng(3)
    classes, p, evidence = draws.dirichlet(np.ones(3)), draws.uniform(0, 1, (3, 3)), draws.normal(0, 2, 3)
    total, disliked = 0.0, np.zeros(3)
    for k, has in itertools.product(range(3), itertools.product((0, 1), repeat=3)):
        h = np.array(has)
        weight = classes[k] * np.prod(np.where(h, p[k], 1 - p[k])) * np.exp(evidence @ h)
        total, disliked = total + weight, disliked + weight * h
    assert drawn(classes, p).posterior(evidence[None])[0, :3] == pytest.approx(disliked / total)


def test_households_do_not_mix():
    both = drawn((0.5, 0.5), ((0.1,) * 3, (0.9,) * 3))
    one, other = says(3.0, 0, -1), says(0, -2.0, 0)
    found = both.posterior(np.concatenate([one, other]))
    assert np.array_equal(found, np.concatenate([both.posterior(one), both.posterior(other)]))
