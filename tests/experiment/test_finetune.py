"""Pre-training and fine-tuning from Python: three lines on an environment, the same bytes as a run."""

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from documents import TEXTS, blocks
from lam_env.agents.fine_tuning.saved import fingerprint
from lam_env.agents.predictors.network import Predictor
from lam_env.scenarios.traffic.scenario import Traffic
from threadpoolctl import threadpool_info, threadpool_limits

import lam_env
from lam_env.commands import run

pytestmark = pytest.mark.usefixtures("short_trials")

DAYS = {"days": 1}
SHORT, _ = lam_env.simulate_log(lam_env.LamEnv("smart_home").scenario, [1], 1)  # of one world, which validates
LITTLE = {"trial": 2, "rollout": 32, "batch": 64, "start": "uniform"}

PAGE = "docs/findings/pretraining_that_survives_rl.md"


def several(scenario, *days):
    """Gymnasium's own batch."""
    return gym.vector.SyncVectorEnv([partial(lam_env.LamEnv, scenario, days=n) for n in days])


@pytest.fixture(scope="module")
def log():
    scenario = lam_env.LamEnv("smart_home", **DAYS).scenario
    return lam_env.simulate_log(scenario, [1, 2, 3, 4], 4)[0]


@pytest.fixture(scope="module")
def prior(log):
    return lam_env.pretrain(log, hidden=12, passes=1, readout=8)


def weights(policy):
    return {k: v.numpy().tobytes() for k, v in policy.head.state_dict().items()}


@pytest.mark.parametrize("tune", ["frozen", "readout", "full"])
def test_a_prior_is_tuned_in_a_batch_of_worlds(tune, prior, log, tmp_path):
    before = fingerprint(prior)
    env = gym.make_vec("lam/SmartHome-v1", num_envs=4, **DAYS)
    made = [lam_env.finetune(prior, env, 300, tune, log=log, predictor_rate=1.0, certain=0, **LITTLE) for _ in "ab"]
    assert weights(made[0]) == weights(made[1])
    assert fingerprint(made[0].predictor) == fingerprint(made[1].predictor)
    assert fingerprint(prior) == before
    if tune == "frozen":
        assert fingerprint(made[0].predictor) == before
    lam_env.save_policy(made[0], tmp_path / "policy")
    again = lam_env.load_policy(tmp_path / "policy")
    assert weights(again) == weights(made[0])
    assert fingerprint(again.predictor) == fingerprint(made[0].predictor)
    observation, _ = env.reset(seed=1)
    actions, _ = again.predict(observation)
    assert env.action_space.contains(actions)


def test_settings_of_a_predictor_are_checked_as_a_run_checks_them(log):
    for change, says in (
        ({"hidden": "x"}, "predictor.hidden: expected a whole number, got 'x'"),
        ({"hiden": 8}, "no setting 'predictor.hiden'"),
        ({"passes": -1}, "predictor: passes = -1"),
    ):
        with pytest.raises(lam_env.UserError, match=says):
            lam_env.pretrain(log, **change)


def test_a_single_environment_and_a_log_made_for_it_will_do(prior):
    env = gym.make("lam/SmartHome-v1", **DAYS)
    policy = lam_env.finetune(prior, gym.wrappers.RecordEpisodeStatistics(env), 64, envs=2, **LITTLE)
    assert isinstance(policy.predictor, Predictor)
    assert policy.predictor is prior  # the scenario's default is to leave it as it is


def test_the_preset_of_the_scenario_holds_unless_told(prior, log, monkeypatch):
    found = []
    monkeypatch.setattr("lam_env.experiment.models.fine_tuned", lambda training: found.append(training) or prior)
    lam_env.finetune(prior, lam_env.LamVectorEnv(3, "smart_home"), log=log)
    lam_env.finetune(prior, lam_env.LamVectorEnv(3, "smart_home"), log=log, gamma=0.5, learner="a2c", steps=7)
    first, second = (training.tuning for training in found)
    assert (first.steps, first.envs, first.gamma, first.learner) == (60_000, 3, 0.99, "ppo")
    assert (second.steps, second.gamma, second.learner) == (7, 0.5, "a2c")


def test_it_computes_with_one_thread_whatever_else_is_set(prior, log, monkeypatch):
    """As a run's workers do: with others the weights would differ in their last digits."""
    found = []

    def spied(*_, **__):
        found.extend(pool["num_threads"] for pool in threadpool_info())
        return prior

    monkeypatch.setattr("lam_env.experiment.models.fine_tuned", spied)
    monkeypatch.setattr("lam_env.experiment.models.pretrain", spied)
    with threadpool_limits(2):
        assert {pool["num_threads"] for pool in threadpool_info()} == {2}
        lam_env.finetune(lam_env.pretrain(log), lam_env.LamVectorEnv(2, "smart_home"), log=log)
    assert set(found) == {1}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"env": gym.make("CartPole-v1")}, "the environment is CartPoleEnv; give one of the kit's"),
        ({"env": lam_env.LamEnv("game")}, "the prior speaks of other actions than the environment"),
        ({"env": several("game", 2, 2)}, "the prior speaks of other actions than the environment"),
        ({"env": several("smart_home", 2, 3)}, "the environments of the SyncVectorEnv differ; give copies of one"),
        ({"env": gym.make_vec("CartPole-v1", 2, "sync")}, "the environment is CartPoleEnv; give one of the kit's"),
        ({"prior": "/nowhere"}, "not a run folder"),
        ({"prior": None}, "NoneType is no prior"),
        ({"env": "lam/SmartHome-v1"}, "the environment is str"),
        ({"log": SHORT}, "decision points to train on"),
        ({"device": 7}, "device 7: give auto"),
        ({"seed": -1}, "seed -1: give a whole number"),
        ({"seed": "a"}, "seed 'a': give a whole number"),
        ({"prior": SHORT}, "ActionLog is no prior"),
        ({"log": "runs/x"}, "str is no log; give an ActionLog"),
        ({"device": "tpu"}, "choose auto, cpu or cuda"),
        ({"tune": "some"}, "train.tune: expected one of frozen, readout, full"),
        ({"stepz": 3}, "stepz"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(change, says, prior, log):
    given = {"prior": prior, "env": lam_env.LamEnv("smart_home"), "log": log, **change}
    with pytest.raises(lam_env.UserError, match=says) as caught:
        lam_env.finetune(given.pop("prior"), given.pop("env"), **given)
    assert "\n" not in str(caught.value)


def test_another_log_is_refused(prior):
    log = lam_env.simulate_log(Traffic(travellers=40, burn_in=7, days=2), [1, 2], 2)[0]
    with pytest.raises(lam_env.UserError, match="the log speaks of other actions"):
        lam_env.finetune(prior, lam_env.LamEnv("smart_home"), log=log)


def test_a_policy_whose_prior_lies_elsewhere_says_so(prior, log, tmp_path):
    policy = lam_env.finetune(prior, lam_env.LamEnv("smart_home", **DAYS), 64, log=log, envs=2, **LITTLE)
    policy.with_prior = False  # as a run keeps it
    lam_env.save_policy(policy, tmp_path / "policy")
    with pytest.raises(lam_env.UserError, match="its prior lies elsewhere"):
        lam_env.load_policy(tmp_path / "policy")


def test_what_is_no_policy_and_no_log_is_refused(tmp_path):
    with pytest.raises(lam_env.UserError, match="object is no fine-tuned policy"):
        lam_env.save_policy(object(), tmp_path / "policy")
    with pytest.raises(lam_env.UserError, match="the log is NoneType"):
        lam_env.pretrain(None)


def test_what_is_no_path_is_told_what_to_give():
    for name, function in (("load_policy", lam_env.load_policy), ("load", lam_env.load)):
        with pytest.raises(lam_env.UserError, match=f"^{name}: NoneType is no path; give that of the folder$"):
            function(None)


def test_a_policy_that_comes_with_the_kit_is_loaded_by_its_name():
    policy = lam_env.load_policy("trained/smart_home")
    env = lam_env.LamEnv("smart_home", days=1)
    observation, _ = env.reset(seed=3)
    action, _ = policy.predict({k: v[None] for k, v in observation.items()}, None, np.ones(1, bool))
    assert env.action_space.contains(int(action[0]))
    with pytest.raises(lam_env.UserError, match="no such folder, and the kit comes with trained/game"):
        lam_env.load_policy("trained/tea")


def test_nothing_but_a_policy_is_replaced(prior, log, tmp_path):
    policy = lam_env.finetune(prior, lam_env.LamEnv("smart_home", **DAYS), 64, log=log, envs=2, **LITTLE)
    for _ in range(2):
        lam_env.save_policy(policy, tmp_path / "policy")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "data.csv").write_text("mine")
    for name, says in (("thesis", r"holds 'data\.csv'"), ("thesis/data.csv", "is a file")):
        with pytest.raises(lam_env.UserError, match=says):
            lam_env.save_policy(policy, tmp_path / name)
    assert (tmp_path / "thesis" / "data.csv").read_text() == "mine"


def test_a_policy_that_brings_its_prior_looks_for_no_other(prior, log, tmp_path):
    policy = lam_env.finetune(prior, lam_env.LamEnv("smart_home", **DAYS), 64, log=log, envs=2, **LITTLE)
    (tmp_path / "prior").mkdir()  # and nothing in it
    lam_env.save_policy(policy, tmp_path / "policy")
    assert fingerprint(lam_env.load_policy(tmp_path / "policy").predictor) == fingerprint(prior)


def test_a_run_is_tuned_in_three_lines(tmp_path, monkeypatch):
    text, by_hand = (b.text for b in blocks(TEXTS[PAGE]) if b.language == "python")
    assert len([line for line in text.splitlines() if line and not line.startswith("import")]) == 3
    monkeypatch.chdir(tmp_path)
    little = ["log.worlds=2", "log.days=2", "predictor.passes=1", "predictor.hidden=8", "eval.seeds=1", "eval.worlds=1"]
    assert run.main(["scenario=smart_home", "agents=prior", *little, "world.days=1", "train.trial=1", "workers=1"]) == 0
    for full, small in (("num_envs=16", "num_envs=2, days=1"), ("60_000", "256, trial=1, rollout=64, start='uniform'")):
        assert full in text
        text = text.replace(full, small)
    exec(compile(text, PAGE, "exec"), {})
    assert lam_env.load_policy("my_policy").predictor is not None
    for full, small in (
        ("range(100)", "range(5)"),
        ("pretrain(log)", "pretrain(log, hidden=8, passes=1)"),
        ("2_000", "256"),
        ("trial=2", "trial=1, rollout=64, start='uniform'"),
    ):
        assert full in by_hand
        by_hand = by_hand.replace(full, small)
    space = {}
    exec(compile(by_hand, PAGE, "exec"), space)
    assert space["policy"].predictor is not None
