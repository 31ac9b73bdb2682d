"""Estimation: the published Swissmetro models, and parameters recovered from choices simulated with them."""

import json

import numpy as np
import pytest
from estimate import ChoiceData, estimate_mnl, estimate_nested
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.world.choice import NestedLogit, sample_choice
from outside import FIGURES, TRIPS, needs
from scipy.special import softmax

from lam_env.core.errors import UserError
from lam_env.core.rng import Streams

TARGETS = FIGURES / "traffic/mode_choice.json"
TRAIN, METRO, CAR = range(3)
TRUE = np.array([0.5, -0.3, -1.2, -0.8])


@pytest.fixture(scope="module")
def swissmetro():
    """Commuters and business travellers; constants of train and car, time/100, cost/100; a season ticket pays for train
    and Swissmetro."""
    d = np.genfromtxt(TRIPS, names=True)
    d = d[np.isin(d["PURPOSE"], (1, 3)) & (d["CHOICE"] != 0)]
    x, pays = np.zeros((len(d), 3, 4)), d["GA"] == 0
    x[:, TRAIN, 0] = x[:, CAR, 1] = 1
    for j, (mode, share) in enumerate((("TRAIN", pays), ("SM", pays), ("CAR", 1))):
        x[:, j, 2], x[:, j, 3] = d[f"{mode}_TT"] / 100, d[f"{mode}_CO"] / 100 * share
    stated = d["SP"] != 0
    available = np.stack([d["TRAIN_AV"] * stated, d["SM_AV"], d["CAR_AV"] * stated], 1) > 0
    return ChoiceData(x, d["CHOICE"].astype(int) - 1, available, ("asc_train", "asc_car", "time", "cost"))


def simulated(seed, n=2000, model=None, beta=TRUE):
    """Choices by logit, or by `model`, of three alternatives with constants, time and cost; one in five has no car."""
    streams = Streams(seed)
    x = np.zeros((n, 3, 4))
    x[:, 0, 0] = x[:, 2, 1] = 1
    x[:, :, 2] = 2 * streams("data", "time").block(0, 3 * n).reshape(n, 3)
    x[:, :, 3] = 2 * streams("data", "cost").block(0, 3 * n).reshape(n, 3)
    available = np.ones((n, 3), bool)
    available[:, 2] = streams("data", "car").block(0, n) < 0.8
    v = np.where(available, x @ beta, -np.inf)
    p = model.probabilities(v) if model else softmax(v, axis=1)
    return ChoiceData(x, sample_choice(p, streams("people", "choice").block(0, n)), available)


# -- Swissmetro -------------------------------------------------------------------------------------------------------


@needs(TRIPS, TARGETS)
def test_swissmetro_multinomial(swissmetro):
    target = json.loads(TARGETS.read_text())["swissmetro"]
    found = estimate_mnl(swissmetro)
    assert len(swissmetro.chosen) == target["used"]
    assert found.null_log_likelihood == pytest.approx(target["null_ll"], abs=1e-6)
    assert found.log_likelihood == pytest.approx(-5331.252, abs=1e-3)
    for name, value in target["MNL"]["beta"].items():
        assert found[name] == pytest.approx(value, abs=1e-4)
    assert 60 * found["time"] / found["cost"] == pytest.approx(target["MNL"]["VOT_CHF_per_h"], abs=0.1)
    # as Biogeme prints them (examples/swissmetro/01logit)
    assert found.standard_errors == pytest.approx([0.0549, 0.0432, 0.0569, 0.0518], abs=5.1e-5)
    assert found.robust_standard_errors == pytest.approx([0.0826, 0.0582, 0.1043, 0.0682], abs=5.1e-5)


@needs(TRIPS, TARGETS)
def test_swissmetro_nested(swissmetro):
    target = json.loads(TARGETS.read_text())["swissmetro"]["NL_existing"]
    found = estimate_nested(swissmetro, [[TRAIN, CAR], [METRO]])
    assert found.names == ("asc_train", "asc_car", "time", "cost", "mu0")
    assert found.log_likelihood == pytest.approx(-5236.900, abs=1e-3)
    assert found.values == pytest.approx(target["beta"], abs=1e-3)
    # as Biogeme prints them (examples/swissmetro/09nested)
    assert found.standard_errors == pytest.approx([0.0452, 0.0371, 0.057, 0.0463, 0.118], abs=5e-4)
    assert found.robust_standard_errors == pytest.approx([0.0791, 0.0545, 0.107, 0.06, 0.164], abs=5e-4)


# -- simulated choices ------------------------------------------------------------------------------------------------


def test_multinomial_parameters_are_recovered_within_two_standard_errors():
    """As often as they should be: 95.4 times in a hundred."""
    found = [estimate_mnl(simulated(seed, 5000)) for seed in range(25)]
    near = np.array([np.abs(f.values - TRUE) < 2 * f.standard_errors for f in found])
    assert near.sum() >= 90
    assert np.mean([f.values for f in found], 0) == pytest.approx(TRUE, abs=0.02)
    assert max(f.standard_errors.max() for f in found) < 0.06


def test_standard_errors_are_the_spread_of_estimates():
    """Over 200 samples: unbiased; two standard errors hold the truth 95 times in 100; the sandwich says the same."""
    found = [estimate_mnl(simulated(seed, 500)) for seed in range(200)]
    z = np.array([(f.values - TRUE) / f.standard_errors for f in found])
    assert z.mean(0) == pytest.approx([0] * 4, abs=3.3 / np.sqrt(200))
    assert z.std(0) == pytest.approx([1] * 4, abs=3.3 / np.sqrt(400))
    assert (np.abs(z) < 2).mean() == pytest.approx(0.954, abs=0.03)
    ratio = np.mean([f.robust_standard_errors / f.standard_errors for f in found], 0)
    assert ratio == pytest.approx([1] * 4, abs=0.03)


def test_nested_parameters_are_recovered_within_two_standard_errors():
    model = NestedLogit([("old", "train"), ("new", "metro"), ("road", "car")], [2.0])
    assert estimate_nested(simulated(1, 5000, model), [[0], [1], [2]]).names[-1] == "beta3"  # nothing to nest
    pair = NestedLogit([("public", "train"), ("public", "metro"), ("road", "car")], [2.0])
    data = simulated(2, 20_000, pair)
    found = estimate_nested(data, [[0, 1], [2]])
    assert (np.abs(found.values - [*TRUE, 2.0]) < 2 * found.standard_errors).all()
    assert found.log_likelihood > estimate_mnl(data).log_likelihood + 10


def test_nests_of_choices_without_nests_are_found_to_be_none():
    at_bound = 0
    for seed in range(8):
        data = simulated(seed, 2000)
        plain, nested = estimate_mnl(data), estimate_nested(data, [[0, 1], [2]])
        assert plain.log_likelihood - 1e-6 <= nested.log_likelihood < plain.log_likelihood + 5
        if nested["mu0"] == 1:
            at_bound += 1
            assert np.isnan(nested.standard_errors[-1])
            assert nested.standard_errors[:-1] == pytest.approx(plain.standard_errors, rel=1e-4)
        else:
            assert nested["mu0"] - 1 < 3 * nested.standard_errors[-1]
    assert 0 < at_bound < 8  # about every second time


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.integers(0, 50))
def test_no_other_parameters_are_likelier(beta, seed):
    data = simulated(seed, 200)
    p = softmax(np.where(data.available, data.attributes @ np.array(beta), -np.inf), axis=1)
    other = np.log(p[np.arange(200), data.chosen]).sum()
    found = estimate_mnl(data)
    assert found.log_likelihood >= other - 1e-9
    assert found.log_likelihood >= found.null_log_likelihood


def test_constants_alone_reproduce_the_shares():
    x = np.zeros((10, 3, 2))
    x[:, 1, 0] = x[:, 2, 1] = 1
    chosen = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
    found = estimate_mnl(ChoiceData(x, chosen))
    assert found.values == pytest.approx(np.log([3 / 5, 2 / 5]), abs=1e-6)
    assert found.standard_errors == pytest.approx(np.sqrt([1 / 3 + 1 / 5, 1 / 2 + 1 / 5]), abs=1e-5)
    assert found.null_log_likelihood == pytest.approx(10 * np.log(1 / 3))


def test_units_scale_parameters_and_nothing_else():
    data = simulated(4, 1000)
    scaled = ChoiceData(data.attributes * [1, 1, 1e4, 1e-3], data.chosen, data.available)
    a, b = estimate_mnl(data), estimate_mnl(scaled)
    assert b.log_likelihood == pytest.approx(a.log_likelihood)
    assert b.values * [1, 1, 1e4, 1e-3] == pytest.approx(a.values, rel=1e-4)
    assert b.standard_errors * [1, 1, 1e4, 1e-3] == pytest.approx(a.standard_errors, rel=1e-4)


def test_what_stands_where_nothing_was_available_does_not_matter():
    data = simulated(5, 500)
    x = data.attributes.copy()
    x[~data.available] = np.nan
    assert estimate_mnl(ChoiceData(x, data.chosen, data.available)).values == pytest.approx(estimate_mnl(data).values)


# -- faults -----------------------------------------------------------------------------------------------------------

X, Y = np.random.default_rng(0).normal(size=(6, 3, 2)), np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ChoiceData(X[0], Y), "attributes must have shape"),
        (lambda: ChoiceData(X, Y[:5]), "chosen must be 6 whole numbers from 0 to 2"),
        (lambda: ChoiceData(X, Y + 1), "chosen must be"),
        (lambda: ChoiceData(X, Y / 1.0), "chosen must be"),
        (lambda: ChoiceData(X, Y, np.ones((6, 2), bool)), "available must have shape"),
        (lambda: ChoiceData(X, Y, np.arange(3) + np.zeros((6, 1)) != 2), "row 2 chose alternative 2, which was not"),
        (lambda: ChoiceData(X / 0, Y), "finite numbers"),
        (lambda: ChoiceData(X, Y, None, ("a", "a")), "2 different names"),
        (lambda: estimate_nested(ChoiceData(X, Y), [[0, 1]]), "must lie in exactly one nest"),
        (lambda: estimate_nested(ChoiceData(X, Y), [[0, 1], [1, 2]]), "must lie in exactly one nest"),
        (lambda: estimate_nested(ChoiceData(X, Y), [[0, 1, 2], []]), "must lie in exactly one nest"),
        (lambda: estimate_mnl(ChoiceData(X[:, :, [0, 0]], Y)), "do not tell the parameters apart"),
        (lambda: estimate_mnl(ChoiceData(X * [1, 0], Y)), "'beta1' stands for is the same for all alternatives"),
        (lambda: estimate_mnl(ChoiceData(np.eye(3)[Y][:, :, None], Y)), "set no bound to 'beta0'"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_data_that_cannot_be_used_is_told_in_one_line(make, message):
    with pytest.raises(UserError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
