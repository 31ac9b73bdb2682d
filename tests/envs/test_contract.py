"""Every scenario keeps the contract, by our own checker and those of Gymnasium and SB3; what is broken is named."""

import dataclasses
import warnings
from typing import ClassVar

import numpy as np
import pytest
from gymnasium.utils import env_checker
from lam_env.scenarios.smart_home import SmartHome
from stable_baselines3.common import env_checker as sb3_checker

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.envs.check import check_scenario
from lam_env.envs.scenario import ScenarioError
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv

every_scenario = pytest.mark.parametrize("name", registry.scenario_names())


def test_there_are_scenarios():
    assert "smart_home" in registry.scenario_names()


@every_scenario
def test_scenario_keeps_the_contract(name):
    check_scenario(name)


@every_scenario
def test_gymnasium_finds_nothing_wrong(name):
    with warnings.catch_warnings():
        # readings (temperatures, prices) and times since an event have no natural bounds
        warnings.filterwarnings("ignore", ".*Box observation space (minimum|maximum) value is.*infinity")
        env_checker.check_env(LamEnv(name), skip_render_check=True)


@every_scenario
def test_sb3_finds_nothing_wrong(name):
    sb3_checker.check_env(LamEnv(name), warn=True)


@every_scenario
@pytest.mark.parametrize("mode", ["ansi", "rgb_array", "human"])
def test_render_modes(name, mode, capsys):
    env = LamEnv(name, render_mode=mode)
    assert env.render() is None  # nothing to show before the first reset
    env.reset(seed=0)
    shown = env.render()
    if mode == "rgb_array":
        assert (shown.ndim, shown.shape[2], shown.dtype) == (3, 3, np.uint8)
    elif mode == "ansi":
        assert len(shown.splitlines()) > 5
    else:
        assert shown is None
        assert len(capsys.readouterr().out.splitlines()) > 5


@every_scenario
def test_a_list_of_pictures_holds_those_since_the_last_time(name):
    env = LamEnv(name, render_mode="rgb_array_list")
    env.reset(seed=10)
    for _ in range(3):
        env.step(0)
    shown = env.render()
    assert len(shown) >= 4
    assert {picture.shape for picture in shown} == {shown[0].shape}
    assert env.render() == []
    env.step(0)
    assert len(env.render()) >= 1


@every_scenario
def test_a_terminal_picture_fits_into_80_columns(name):
    env = LamEnv(name, render_mode="ansi")
    env.reset(seed=0)
    assert max(map(len, env.render().splitlines())) <= 80


@every_scenario
def test_resets_meet_fresh_people_and_a_seed_brings_the_first_back(name):
    def opening(env, **how):
        shown, over = [env.reset(**how)[0]["epoch"]], False
        while not over and len(shown) < 60:
            observation, _, *ends, _ = env.step(0)
            shown, over = [*shown, observation["epoch"]], any(ends)
        return np.stack(shown)

    env = LamEnv(name)
    first, second = opening(env, seed=3), opening(env)
    assert not np.array_equal(first, second)
    assert np.array_equal(opening(env, seed=3), first)
    assert np.array_equal(opening(env), second)


@every_scenario
def test_finished_worlds_stay_finished_without_autoreset(name):
    env = LamVectorEnv(2, name, autoreset_mode="Disabled")
    env.reset(seed=0)
    while not env.finished.all():
        observation, *_ = env.step(np.zeros(2, int))
    after, rewards, _, truncated, info = env.step(np.ones(2, int))
    assert all(np.array_equal(after[k], observation[k]) for k in after)
    assert not rewards.any()
    assert not truncated.any()
    assert info == {}


def test_settings_other_than_the_usual_keep_the_contract():
    check_scenario(SmartHome(timer=600, residents=3, days=2), steps=150)


# faults: what is broken is named


class Broken(SmartHome):
    id = "broken"


COUNT = iter(range(10**6))


class OneSeed(Broken):
    def make_world(self, streams, row, **options):
        return super().make_world(type(streams)(0, 0), row, **options)


class NoSeed(Broken):
    def make_world(self, streams, row, **options):
        return super().make_world(type(streams)(next(COUNT), 0), row, **options)


class Unweighted(Broken):
    def make_world(self, *args, **options):
        world = super().make_world(*args, **options)
        earn = world.earn

        def dearly(term, amount=1.0):
            world.reward += 1.0
            return earn(term, amount)

        world.earn = dearly
        return world


class Priced(Broken):
    """Other prices, which its world has too."""

    def make_world(self, *args, **options):
        world = super().make_world(*args, **options)
        world.reward_weights, world.utility_weights = self.reward_weights, self.utility_weights
        return world


class Mistyped(Priced):
    reward_weights = SmartHome.reward_weights | {"overide": -5.0}


class Strange(Priced):
    utility_weights = SmartHome.utility_weights | {"zzz": -5.0}


class Lacking(Priced):
    reward_weights = {"assist": 1.0}  # noqa: RUF012


class Unset(Broken):
    reward_weights = SmartHome.reward_weights | {"override": -5.0}


class NotFinite(Broken):
    def make_world(self, streams, row, **options):
        world = super().make_world(streams, row, **options)
        row.context[3] = float("nan")
        return world


class NothingMasked(Broken):
    """None is never possible."""

    def make_world(self, streams, row, **options):
        world = super().make_world(streams, row, **options)
        row.mask[0] = 0
        return world


class Unmasking(Broken):
    """Carries out what is masked."""

    def make_world(self, streams, row, **options):
        world = super().make_world(streams, row, **options)
        step = world.step

        def careless(action):
            row.mask[action] = 1
            return step(action)

        world.step = careless
        return world


class Stuck(Broken):
    """One reading never moves."""

    def make_world(self, streams, row, **options):
        world = super().make_world(streams, row, **options)
        reading, outdoor = world.reading, self.vocabulary.readings.index("outdoor.sun")
        world.reading = lambda channel, value: reading(channel, 0.5 if channel == outdoor else value)
        row.context[outdoor] = 0.5
        return world


class NoPicture(Broken):
    def scene(self, world):
        raise NotImplementedError


class OddKPI(Broken):
    def kpis(self, world):
        return super().kpis(world) | {"cost_per_watt": float("inf")}


class NoTerms(Broken):
    reward_weights = {}  # noqa: RUF012


class Forgetful(Broken):
    """Writes no sensor event down."""

    def make_world(self, streams, row, **options):
        world = super().make_world(streams, row, **options)
        sensor_event = world.sensor_event

        def unwritten(sensor, user=0):
            records, world.records = world.records, None
            sensor_event(sensor, user)
            world.records = records

        world.sensor_event = unwritten
        return world


class SeldomForgetful(Forgetful):
    """Only where the timer is not the usual one."""

    def make_world(self, *args, **options):
        kind = Broken if self.params.timer == 300 else Forgetful
        return kind.make_world(self, *args, **options)


class Early(Broken):
    """Has run to the first event before anybody looks."""

    def make_world(self, streams, row, **options):
        world = super().make_world(streams, row, **options)
        world.run_until_decision()
        return world


class Interaction(Broken):
    interaction = "nag"


class ListedFigures(Broken):
    key_figures = ("cost",)


class Yes(Broken):
    """Says yes and no, which nobody understands where an agent serves."""

    WORDS: ClassVar[dict[str, str]] = {"accept": "yes", "override": "no", "reject": "no, thanks"}

    def __init__(self, **settings):
        super().__init__(**settings)
        words = tuple(self.WORDS.get(word, word) for word in self.vocabulary.feedback)
        self.vocabulary = dataclasses.replace(self.vocabulary, feedback=words)


class Perhaps(Yes):
    """One of its words for a refusal is not known."""

    WORDS: ClassVar[dict[str, str]] = {"override": "perhaps"}


class Leaving(Broken):
    def kpis(self, world):
        raise SystemExit(0)


class Failing(Broken):
    def make_world(self, *args, **options):
        return {}["row"]


class TwiceNamed(Broken):
    def __init__(self):
        super().__init__()
        self.latent_names = ("same", *self.latent_names[2:], "same")


@pytest.mark.parametrize(("scenario", "what"), [
    (OneSeed, "give the same world"),
    (NoSeed, "same seed and actions give another trajectory"),
    (Unweighted, "is not the weighted sum"),
    (Mistyped, "reward_weights holds 'overide', which its world does not book; did you mean 'override'"),
    (Strange, "utility_weights holds 'zzz', which its world does not book; there are .*energy"),
    (Lacking, "reward_weights lacks '.*', which its world books"),
    (Unset, r"reward_weights is not its world's; let make_world say world\.reward_weights = self\.reward_weights"),
    (NotFinite, r"context holds a number that is not finite: context\.living\.light"),
    (NothingMasked, "index 0 of the mask"),
    (Unmasking, r"impossible actions are not counted|impossible action is not carried out as none|changes the reward"),
    (Stuck, r"constant in 8 whole episodes.*: context\.outdoor\.sun$"),
    (Forgetful, "decision points of a recorded log differ from those shown in time"),
    (SeldomForgetful, "decision points of a recorded log differ from those shown in time"),
    (Early, "has run to an event when it is made"),
    (NoPicture, "NotImplementedError"),
    (OddKPI, r"not finite at the end of an episode: kpi\.cost_per_watt"),
    (NoTerms, "terms with finite weights"),
    (Interaction, "interaction 'nag'"),
    (ListedFigures, r"key_figures is \('cost',\): give a dictionary"),
    (Yes, r"no word of its feedback \(yes, no, .*\) is known as acceptance .*: take accept or follow"),
    (Perhaps, r"feedback is \d+ times good=False, and \d+ times one of override, reject"),
    (Leaving, r"SystemExit: 0 \(Leaving\.kpis, test_contract\.py line \d+\)$"),
    (Failing, r"KeyError: 'row' \(Failing\.make_world, test_contract\.py line \d+\)$"),
    (TwiceNamed, "latent_names holds a name twice"),
])  # fmt: skip
def test_what_is_broken_is_named(scenario, what):
    with pytest.raises(ScenarioError, match=f"^scenario broken: .*({what})") as caught:
        check_scenario(scenario(days=2) if scenario is not TwiceNamed else scenario(), steps=150)
    assert "\n" not in str(caught.value)


def test_an_unknown_scenario_is_the_users_error():
    with pytest.raises(UserError, match="smart_hom"):
        check_scenario("smart_hom")
