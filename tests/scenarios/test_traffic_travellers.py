"""What travellers are like: who follows advice, habits, trust, and the chances that the hidden state shows."""

import numpy as np
import pytest
from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.params import TrafficParams
from lam_env.scenarios.traffic.world.travellers import ORDINARY, SPECIAL, WEEKEND
from travellers import people_of

from lam_env.envs.single import LamEnv


def other_option(people, i):
    """Something possible that is neither the natural option nor the last one."""
    return next(
        o for o in np.argsort(people.cost[i]) if people.possible[i, o] and o not in (people.natural[i], people.last[i])
    )


def chance(people, i=5, option=None):
    return people.accepts(i, other_option(people, i) if option is None else option)


@pytest.mark.parametrize("i", range(0, 60, 7))
def test_who_follows_advice(i):
    """The orderings of the literature on compliance with travel advice (Bonsall 1992; Ben-Elia and Shiftan 2010)."""
    people = people_of()
    option = other_option(people, i)
    before = people.accepts(i, option)

    people.trust[i] += 0.2
    assert people.accepts(i, option) > before  # trust
    people.trust[i] -= 0.2

    people.rated[i] = 0.8
    assert people.accepts(i, option) > before  # good experience
    people.rated[i] = 0.0

    people.cost[i, option] += 5
    assert people.accepts(i, option) < before  # sacrifice
    people.cost[i, option] -= 5

    people.streak[ORDINARY if people.kind[i] == ORDINARY else people.kind[i], i] = 20
    assert people.accepts(i, option) < before  # habit
    people.streak[:, i] = 0

    people.last[i] = option
    assert people.accepts(i, option) > before  # what was done last time


def test_prescriptive_advice_is_followed_more_than_descriptive():
    told, shown = (people_of(form=form) for form in ("prescriptive", "descriptive"))
    assert all(told.accepts(i, other_option(told, i)) > shown.accepts(i, other_option(shown, i)) for i in range(50))


def test_advice_for_the_system_is_followed_less_than_advice_for_oneself():
    env = LamEnv("traffic", reveal=("plan", "latent"))
    observation, _ = env.reset(seed=0)
    n = len(env.vocabulary) - 1
    for_all, for_one = [], []
    for _ in range(300):
        mask = observation["action_mask"][1:] > 0
        latent, plan = observation["latent"][n : 2 * n], observation["plan"]
        external = np.where(mask, observation["context"][-n:], -np.inf)
        own = np.where(mask, observation["context"][-2 * n : -n], -np.inf)
        for_all.append(latent[external.argmax()])
        for_one.append(latent[own.argmax()])
        assert np.isfinite(plan).all()
        observation, *_ = env.step(0)
    assert np.mean(for_all) < np.mean(for_one) - 0.1


def test_acceptance_of_all_options_is_that_of_each():
    people = people_of()
    for i in range(40):
        every = people.acceptance(i, int(people.natural[i]))
        for o in np.flatnonzero(people.possible[i]):
            assert every[o] == pytest.approx(people.accepts(i, int(o)))
        assert not every[~people.possible[i]].any()


def test_generalised_cost_by_hand():
    people = people_of(alpha=1.0, beta=0.5, gamma=2.0)
    i, o = int(np.flatnonzero(people.has_car)[0]), 4
    time, extra = np.full_like(people.cost, 30.0), np.full_like(people.cost, 2.0)
    departs = people.supply.shift[people.supply.slot[o]] + people.jitter[i]
    late = departs + 30 - people.arrive[i]
    schedule = 2.0 * late if late > 0 else -0.5 * late
    dislikes = people.dislikes_bus[i] if people.supply.is_bus[people.supply.way[o]] else 0.0
    assert people.costs(time, extra)[i, o] == pytest.approx(30 + 2 + schedule + dislikes)
    assert people.costs_of(i, time[i], extra[i])[o] == pytest.approx(people.costs(time, extra)[i, o], abs=1)


def test_days_are_of_three_kinds():
    people = people_of(travellers=2000)
    kinds = []
    for day in range(7):
        people.wake(day)
        kinds.append(people.kind.copy())
        share = people.goes.mean()
        assert share == pytest.approx(0.96 if day < 5 else 0.35, abs=0.04)
    kinds = np.array(kinds)
    assert (kinds[5:] == WEEKEND).all()
    special = (kinds[:5] == SPECIAL).sum(0)
    assert set(special) == {0, 1}
    assert special.mean() == pytest.approx(0.6, abs=0.05)
    moved = np.abs(people.preferred[SPECIAL] - people.preferred[ORDINARY])
    assert moved.min() >= 10
    assert moved.max() <= 25


def test_few_revise_a_day_and_those_with_nothing_to_complain_of_least():
    people = people_of(travellers=3000)
    assert people.revising.max() <= 0.1 + 1e-12
    assert people.revises.mean() <= 0.1
    content = people.cost[np.arange(3000), people.last] <= people.cost.min(1) + 1e-9
    assert np.allclose(people.revising[content], 0.02)


def test_who_does_not_revise_does_as_last_time():
    people = people_of(travellers=2000)
    assert (people.natural == people.last)[~people.revises].all()
    assert (people.natural != people.last)[people.revises & people.goes].any()


def test_nobody_without_a_car_drives():
    people = people_of(travellers=2000)
    bus = people.supply.is_bus[people.supply.way]
    assert 0.05 < (~people.has_car).mean() < 0.15
    assert bus[people.natural[~people.has_car]].all()


def test_the_hidden_state_shows_the_true_chances():
    """Observed choices have the frequencies, and the surprise, of the probabilities in the latent state."""
    env = LamEnv("traffic", reveal=("latent",), record=True)
    observation, _ = env.reset(seed=1)
    n = len(env.vocabulary) - 1
    expected, happened = np.zeros(n), np.zeros(n)
    surprise, entropy, done = [], [], False
    while not done:
        p = observation["latent"][:n].astype(float)
        assert p.sum() == pytest.approx(1, abs=1e-5)
        natural = int(env.world.people.natural[env.world.person])
        expected += p
        happened[natural] += 1
        surprise.append(-np.log(p[natural]))
        entropy.append(-(p[p > 0] * np.log(p[p > 0])).sum())
        observation, _, _, done, _ = env.step(0)
    assert np.abs(happened - expected).max() < 4 * np.sqrt(expected.max() * 0.1) + 3
    assert np.mean(surprise) == pytest.approx(np.mean(entropy), abs=0.02)


def played(advise, seed=0, **settings):
    """The world after an episode in which `advise(observation, env)` answers."""
    env = LamEnv("traffic", **settings)
    observation, _ = env.reset(seed=seed)
    done = False
    while not done:
        observation, _, _, done, info = env.step(advise(observation, env))
    return env.world, info["totals"]


def nag(observation, env):
    possible = np.flatnonzero(observation["action_mask"])
    return int(possible[(env.world.person + env.world.day) % len(possible)])


def test_trust_falls_with_advice_and_comes_back_only_in_silence():
    first = {}

    def for_two_weeks(observation, env):
        day = env.world.day - env.world.first_day
        first.setdefault(day, env.world.people.trust[: env.world.people.n_advised].mean())
        return nag(observation, env) if day < 12 else 0

    played(for_two_weeks, days=30, mute_below=0.0)
    days = sorted(first)
    falling = [first[d] for d in days if d <= 12]
    rising = [first[d] for d in days if d > 12]
    assert all(a >= b for a, b in zip(falling, falling[1:], strict=False))
    assert falling[-1] < 0.55
    assert rising[-1] > falling[-1] + 0.1
    assert rising[-1] <= 0.7


def test_who_is_told_too_much_switches_the_advice_off_for_days():
    world, totals = played(nag, days=40)
    assert totals["kpi.muted"] > 0.3
    assert totals["term.muted"] > 0
    people = world.people
    muted = np.flatnonzero(people.muted_until[: people.n_advised] >= world.day - 1)
    assert len(muted)
    assert (people.trust[: people.n_advised] > 0.2).all()


def test_the_muted_are_asked_but_nothing_can_be_said_to_them():
    env = LamEnv("traffic", days=5)
    env.reset(seed=0)
    env.world.people.muted_until[:] = env.world.day + 2
    seen = {}
    done = False
    while not done:
        day = env.world.day - env.world.first_day
        observation, _, _, done, _ = env.step(0)
        if env.world.day - env.world.first_day > 0 and not done:
            seen.setdefault(env.world.day - env.world.first_day, []).append(observation["action_mask"][1:].sum())
        assert observation["action_mask"][0] == 1
    assert day >= 3
    assert not any(seen[1] + seen[2])
    assert all(seen[3])


def test_advice_to_do_the_same_is_no_feedback_but_an_interruption():
    env = LamEnv("traffic", days=1)
    env.reset(seed=0)
    env.step(int(env.world.people.natural[env.world.person]) + 1)
    assert env.world.utility_totals["interruption"] == 1
    assert env.world.tally.followed == env.world.tally.refused == 0
    assert not np.array([p.feedback for p in env.world.persons]).any()


def test_what_is_followed_becomes_a_habit_for_some():
    def lives(adopt):
        def tell(observation, env):
            return nag(observation, env)

        world, _ = played(tell, days=3, adopt=adopt, accept=50.0)
        people, silent = world.people, played(lambda o, e: 0, days=3)[0].people
        return (people.habit[ORDINARY] != silent.habit[ORDINARY])[: people.n_advised].mean()

    never, always = lives(0.0), lives(1.0)
    assert never < 0.1
    assert always > 0.5


def test_defaults_are_valid():
    assert TrafficParams() == SCENARIO().params
