"""What a run's jobs do with a scenario of persons: the split of its log, who gets the prior, scores of prediction."""

import importlib

import gymnasium
import numpy as np
import pytest
from people import Best, FineTrips, Trips

from lam_env.core.errors import UserError
from lam_env.core.seeds import eval_seeds
from lam_env.envs.play import world_days
from lam_env.envs.recording import simulate_log
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.metrics import prediction_metrics
from lam_env.evaluation.rollout import rollout
from lam_env.experiment import jobs as work
from lam_env.experiment.agent_check import small_training, try_agent
from lam_env.experiment.agent_spec import needs_of
from lam_env.experiment.inputs import agents_of
from lam_env.experiment.jobs import RunContext
from lam_env.experiment.settings import EvalSettings, LogSettings, RunSettings
from lam_env.logs.decision_points import decision_points
from lam_env.suites.throughput import Entry, FineTuning


def quiet(*args):
    pass


@pytest.fixture
def small(tmp_path):
    settings = RunSettings(
        scenario="people:Trips",
        log=LogSettings(worlds=9, days=2),
        eval=EvalSettings(seeds=2, worlds=3),
        device="cpu",
        world=Trips.Params(),
    )
    made = RunContext(settings, str(tmp_path))
    work.simulate_training_log(made, quiet)
    return made


def test_whole_worlds_validate_with_all_their_persons(small):
    train, valid = work.training_points(small, "train")
    assert train.people == valid.people == 3
    assert np.unique(train.world).tolist() == list(range(24))
    assert np.unique(valid.world).tolist() == [24, 25, 26]  # the ninth world's


def test_predictions_are_scored_by_the_evaluation_seed_of_their_world(small):
    points, latent = work.judging_points(small)
    assert len(latent) == len(points)
    assert latent[:, 0].tolist() == points.user.tolist()
    by_seed = [decision_points(simulate_log(Trips(), eval_seeds([s], 3), 1)[0], soon=False) for s in range(2)]
    counting = importlib.import_module("lam_env.agents.counting.online").counting("markov2")
    predictor = counting.fit(*work.training_points(small, "train"))
    scores = {0: {}, 1: {}}
    work._add_prediction(small, scores, predictor, points, points)
    for seed, own in enumerate(by_seed):
        has = np.r_[own.world[1:] == own.world[:-1], False]
        assert scores[seed] == pytest.approx(prediction_metrics(predictor.read(own).next[has], own.target[has]))
    assert scores[0] != scores[1]


def test_an_exploit_is_a_row_like_others_where_it_is_asked_for_by_name():
    class Own(Trips):
        def exploits(self):
            return {"parrot": lambda training: None}

    assert "parrot" not in agents_of(RunSettings(), Own())
    assert agents_of(RunSettings(agents=("parrot",)), Own()) == ["none", "parrot"]
    assert not needs_of(Own(), "parrot")
    assert work.trains_once(Own(), "parrot")


def test_a_rung_of_the_information_ladder_is_a_row_like_others_where_it_is_asked_for_by_name():
    class Own(Trips):
        ladder = {"habits": "informed", "+ plans": "ladder_plans", "all": "oracle"}  # noqa: RUF012

        def rungs(self):
            return {"ladder_plans": lambda training: None}

    assert "ladder_plans" not in agents_of(RunSettings(), Own())
    with pytest.raises(UserError, match="no agent 'ladder_plan'; did you mean 'ladder_plans'"):
        agents_of(RunSettings(agents=("ladder_plan",)), Own())
    assert agents_of(RunSettings(agents=("ladder_plans",)), Own()) == ["none", "ladder_plans"]
    with pytest.raises(UserError, match="no agent 'ladder_activity'"):  # another scenario's
        agents_of(RunSettings(agents=("ladder_activity",)), Own())


def test_who_is_given_the_prior():
    class Own(Trips):
        def baselines(self):
            blind, seeing = (lambda training: None for _ in range(2))
            seeing.needs = ("prior",)
            return {"rule": blind, "oracle": blind, "rule_on_prior": seeing}

    given = {name: "prior" in needs_of(Own(), name) for name in agents_of(RunSettings(agents=("all",)), Own())}
    assert {name for name, needs in given.items() if needs} == {
        *("prior", "plugin", "plugin_context", "plugin_memory", "ppo_prior"),
        *("plugin_own", "plugin_follow", "rule_on_prior"),
    }
    assert not any(given[name] for name in ("none", "random", "markov1", "informed", "oracle", "rule", "ppo_scratch"))


@pytest.mark.parametrize(
    "name", ["prior", "markov_online", "plugin_context", "plugin_follow", "ppo_prior", "ppo_scratch"]
)
def test_agents_of_the_kit_can_be_tried_among_persons(name):
    try_agent(Trips(), name)


def test_fine_tuning_among_persons_can_be_measured():
    gymnasium.register("test/Trips-v0", entry_point="people:Trips", kwargs={"scenario": "people:Trips"})
    try:
        player = FineTuning(Entry("test/Trips-v0", 8, "ppo_prior"))
        steps, points = player.play(10, seed=0)
    finally:
        del gymnasium.registry["test/Trips-v0"]
    assert steps == points > 0  # there are no follow-up decisions
    assert 0 < player.share < 1
    assert player.model.n_envs == 2


@pytest.mark.parametrize("scenario", [Trips, FineTrips])
def test_progress_is_told_in_days_whatever_a_tick_is(scenario):
    judged, simulated = [], []
    rollout(Best(), scenario(days=3.0), list(range(40)), progress=lambda *said: judged.append(said[1:3]))
    simulate_log(scenario(), [1], 3, progress=lambda *said: simulated.append(said[1:3]))
    for told, days in ((judged, 3 * 40), (simulated, 3)):  # of all worlds together
        assert len(told) >= 2
        assert all(0 <= done <= total == days for done, total in told)
    env = LamVectorEnv(2, scenario(days=3.0))
    env.reset(seed=[1, 2])
    assert world_days(env.worlds) == (0, 6)


def test_a_small_training_holds_whole_worlds():
    given = small_training(Trips(), worlds=3, days=2)
    assert given.interaction == "advise"
    assert given.reward_weights == Trips().reward_weights
    worlds = [np.unique(part.world // 3).tolist() for part in (given.train, given.valid)]
    assert worlds == [[0, 1], [2]]
    assert all(set(e.user) == {0, 1, 2} for e in (given.train, given.valid))


def test_a_machine_that_does_not_see_the_runs_folder_says_so(tmp_path):
    elsewhere = RunContext(RunSettings(), str(tmp_path / "elsewhere"))
    with pytest.raises(UserError, match=r"does not see the run's folder .*elsewhere: it has been removed, or out="):
        elsewhere.run  # noqa: B018
