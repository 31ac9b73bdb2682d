"""Choice models: probabilities of theory, safe numbers, and choices that are functions of a uniform number."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.world.choice import NestedLogit, inertia, sample_choice
from scipy.special import softmax

from lam_env.core.errors import UserError
from lam_env.core.rng import Streams

CORRIDOR = [("car", s, r) for s in range(3) for r in range(2)] + [("bus", s, 0) for s in range(3)] + [("stay", 0, 0)]
THREE = NestedLogit(CORRIDOR, (1.5, 2.5))
N = len(CORRIDOR)

finite = st.floats(-800, 800)
rows = st.lists(st.one_of(finite, st.just(-math.inf)), min_size=N, max_size=N).filter(lambda v: max(v) > -math.inf)
uniforms = st.floats(0, 1)


def test_logit_by_hand():
    assert NestedLogit([(0,), (1,), (2,)]).probabilities(np.log([1.0, 2.0, 5.0])) == pytest.approx([0.125, 0.25, 0.625])


def test_nested_logit_by_hand():
    """Two alike alternatives in a nest share almost the part of one."""
    model = NestedLogit([("car", 0), ("bus", "red"), ("bus", "blue")], [2.0])
    sums = np.array([1.0, math.sqrt(2)])
    assert model.probabilities(np.zeros(3)) == pytest.approx([1 / sums.sum(), *[sums[1] / sums.sum() / 2] * 2])
    lumped = NestedLogit([("car", 0), ("bus", "red"), ("bus", "blue")], [1e6])
    assert lumped.probabilities(np.zeros(3)) == pytest.approx([0.5, 0.25, 0.25], abs=1e-5)


def test_three_levels_against_the_formula_written_out():
    v = np.sin(np.arange(N) * 1.7)
    slot = {}
    for (mode, s, _), u in zip(CORRIDOR, v, strict=True):
        slot.setdefault((mode, s), []).append(math.exp(2.5 * u))
    mode = {}
    for (m, _), terms in slot.items():
        mode.setdefault(m, []).append(math.exp(1.5 * math.log(sum(terms)) / 2.5))
    top = {m: math.exp(math.log(sum(terms)) / 1.5) for m, terms in mode.items()}
    expected = [
        top[m] / sum(top.values())
        * math.exp(1.5 * math.log(sum(slot[m, s])) / 2.5) / sum(mode[m])
        * math.exp(2.5 * u) / sum(slot[m, s])
        for (m, s, _), u in zip(CORRIDOR, v, strict=True)
    ]  # fmt: skip
    assert THREE.probabilities(v) == pytest.approx(expected)


@given(rows)
def test_probabilities_are_probabilities_whatever_the_utilities(v):
    p = THREE.probabilities(np.array(v))
    assert p.sum() == pytest.approx(1)
    assert ((p >= 0) & (p <= 1)).all()
    assert (p[np.isneginf(v)] == 0).all()


@given(rows)
def test_with_scales_of_one_nested_logit_is_multinomial(v):
    flat = NestedLogit(CORRIDOR, (1.0, 1.0))
    assert flat.probabilities(np.array(v)) == pytest.approx(softmax(v), abs=1e-12)


@given(rows, st.floats(-500, 500))
def test_a_constant_added_to_all_changes_nothing(v, constant):
    v = np.array(v)
    assert THREE.probabilities(v + constant) == pytest.approx(THREE.probabilities(v), abs=1e-9)


def test_rows_are_independent_of_each_other():
    v = np.random.default_rng(0).normal(size=(4, 5, N))
    v[0, 0, :6] = -np.inf
    p = THREE.probabilities(v)
    assert p.shape == v.shape
    for i, j in np.ndindex(4, 5):
        assert p[i, j] == pytest.approx(THREE.probabilities(v[i, j]))


def test_within_a_nest_ratios_do_not_depend_on_others_and_across_nests_they_do():
    v = np.zeros((2, N))
    v[1, 1] = 2.0  # the other route of car at slot 0
    p, q = THREE.probabilities(v)
    assert p[2] / p[3] == pytest.approx(q[2] / q[3])
    assert q[0] / q[6] < p[0] / p[6]  # it draws more from its own nest than from the bus
    assert q[6] / q[-1] == pytest.approx(p[6] / p[-1])


# -- sampling ---------------------------------------------------------------------------------------------------------


def test_sampling_is_the_inverse_of_the_cumulative_probability():
    p = np.array([0.25, 0.0, 0.5, 0.25, 0.0])
    found = sample_choice(p, np.array([0.0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2**-53, 1.0]))
    assert found.tolist() == [0, 0, 2, 2, 3, 3, 3]
    assert sample_choice(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.0, 0.9999])).tolist() == [1, 0]


@given(rows, uniforms)
def test_nobody_chooses_what_is_not_available(v, u):
    assert v[int(sample_choice(THREE.probabilities(np.array(v)), np.array(u)))] > -math.inf


def test_choices_are_frequent_as_they_are_probable():
    v, u = np.cos(np.arange(N)), Streams(5)("traveller", "choice").block(0, 40_000)
    p = THREE.probabilities(v)
    counts = np.bincount(sample_choice(np.tile(p, (len(u), 1)), u), minlength=N)
    chi2 = ((counts - 40_000 * p) ** 2 / (40_000 * p)).sum()
    assert chi2 < 27.9  # 99.9 % quantile with 9 degrees of freedom


def test_an_improved_alternative_is_never_left_for_its_improvement_alone():
    """Choices move monotonically along the fixed order, so paired worlds differ by what differs."""
    v = np.zeros(N)
    better = v.copy()
    better[-1] += 1.0
    u = np.linspace(0.0005, 0.9995, 1000)
    base, after = (sample_choice(np.tile(THREE.probabilities(w), (1000, 1)), u) for w in (v, better))
    assert (after >= base).all()
    assert (after > base).any()


# -- inertia ----------------------------------------------------------------------------------------------------------


def test_inertia_adds_what_is_the_same_as_last_time():
    table = inertia(CORRIDOR, (1.0, 0.5, 0.25))
    last = CORRIDOR.index(("car", 1, 0))
    by_name = dict(zip(CORRIDOR, table[last].tolist(), strict=True))
    assert by_name["car", 1, 0] == 1.75
    assert by_name["car", 1, 1] == 1.5
    assert by_name["car", 2, 0] == 1.0
    assert by_name["bus", 1, 0] == by_name["stay", 0, 0] == 0.0
    assert (table == table.T).all()


@given(st.floats(0, 20), st.floats(0, 20), st.integers(0, N - 1))
def test_the_stronger_the_habit_the_likelier_the_same_again(weak, more, last):
    v = np.sin(np.arange(N))
    p = [THREE.probabilities(v + inertia(CORRIDOR, (0, 0, h))[last])[last] for h in (weak, weak + more)]
    assert p[1] >= p[0] * (1 - 1e-12)


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "scales", "message"),
    [
        ([("a", 0), ("b", 0), ("a", 1)], [1.5], "nest must stand next to one another"),
        ([("a", 0), ("a", 0)], [1.5], "named twice"),
        ([("a", 0), ("b",)], [1.5], "one, two or three levels"),
        ([("a", 0, 0, 0)], [1, 1, 1], "one, two or three levels"),
        ([], [], "one, two or three levels"),
        ([("a", 0)], [], "2 levels need 1 scales, not 0"),
        ([("a", 0)], [0.9], "scales must be at least 1 and must not fall .* not .0.9"),
        ([("a", 0)], [math.nan], "scales must be at least 1"),
        (CORRIDOR, [2.0, 1.5], "must not fall on the way down"),
    ],
)
def test_a_tree_that_makes_no_sense_is_told_in_one_line(names, scales, message):
    with pytest.raises(UserError, match=message) as error:
        NestedLogit(names, scales)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "bad",
    [
        [-math.inf] * N,
        [math.nan] * N,
        [math.inf] + [0.0] * (N - 1),
        [math.nan] + [0.0] * (N - 1),
        [0.0] * (N - 1) + [math.nan],
    ],
)
def test_utilities_have_to_be_numbers_and_one_available(bad):
    with pytest.raises(UserError, match="utilities must be numbers below infinity"):
        THREE.probabilities(bad)


def test_shapes_have_to_fit():
    with pytest.raises(UserError, match=r"must have shape \(..., 10\)"):
        THREE.probabilities(np.zeros(4))
    with pytest.raises(UserError, match="one strength for each of 3 levels, not 1"):
        inertia(CORRIDOR, [1.0])
