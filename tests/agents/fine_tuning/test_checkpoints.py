"""Fine-tuning that is killed goes on from its last checkpoint, and ends with the bytes of one that was not."""

import dataclasses
import functools
import json

import numpy as np
import pytest
import torch
from killed import Dying, Killed
from lam_env.agents.checkpoints import Checkpoints
from lam_env.agents.fine_tuning import guard
from lam_env.agents.fine_tuning.ppo import PPOAgent
from lam_env.agents.fine_tuning.rollout_buffer import PersonalRolloutBuffer, Turns
from lam_env.agents.guests.learners import make_env, model_policy
from lam_env.agents.plain import pack, unpack
from people import training_of_trips
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback, ConvertCallback
from stable_baselines3.common.vec_env import VecNormalize

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings
from lam_env.experiment.agent_check import small_training

pytestmark = pytest.mark.usefixtures("short_trials")

DAYS = {"smart_home": 1, "traffic": 3, "game": 2}
TUNED = TrainSettings(steps=1536, envs=4, rollout=64, batch=128, epochs=1, days=1, trial=2)
LEARNER = {"n_steps": 16, "seed": 0, "device": "cpu", "policy_kwargs": {"net_arch": [8]}}


@functools.cache
def made(name):
    more = {"travellers": 40, "burn_in": 7} if name == "traffic" else {}
    return small_training(registry.scenario(name)(days=DAYS[name], **more), days=3)


def training(name, checkpoints=None):
    given = training_of_trips(days=2.0) if name == "trips" else made(name)
    return dataclasses.replace(given, tuning=TUNED, checkpoints=checkpoints, handed_out=[], adapter=make_env)


def last(folder):
    """All of the last checkpoint but how late it was."""
    found = sorted(folder.iterdir())
    text = (found[-1] / "state.json").read_text()
    state = json.loads(text, object_hook=lambda part: {k: v for k, v in part.items() if k != "t"})
    return (found[-1] / "state.safetensors").read_bytes(), state


def bytes_of(policy):
    return {k: v.numpy().tobytes() for k, v in policy.head.state_dict().items()}


def both(fit, name, folder, at):
    """What `fit(training)` returns undisturbed, and after it was killed at these times."""
    whole, again = Dying(folder / "whole"), None
    expected = fit(training(name, whole))
    for time in at:
        again = Dying(folder / "again", time)
        with pytest.raises(Killed):
            fit(training(name, again))
    again = Dying(folder / "again")
    found = fit(training(name, again))
    assert whole.from_start
    assert not again.from_start
    assert again.asked < whole.asked
    assert last(folder / "again") == last(folder / "whole")
    return expected, found


@pytest.mark.parametrize("name", ["smart_home", "traffic"])
def test_a_predictor_whose_tuning_was_killed_ends_with_the_same_bytes(name, tmp_path, monkeypatch):
    def fit(given):
        agent = PPOAgent()
        tuned = dataclasses.replace(given.tuning, tune="full", predictor_rate=1.0, certain=0.0)
        policy = agent.fit(dataclasses.replace(given, tuning=tuned))
        nets = {k: v.numpy().tobytes() for k, v in policy.predictor.nets.state_dict().items()}
        return bytes_of(policy), nets, agent.curve

    monkeypatch.setattr(guard, "prediction_by_day", lambda policy, training: {"top-1": np.array([1.0, 0.0])})
    expected, found = both(fit, name, tmp_path, [3, 3])
    assert found == expected
    assert {"kl_prior", "replay_nll", "log_ratio_start"} <= set(found[2][1].more)


@pytest.mark.parametrize("prior", [True, False])
@pytest.mark.parametrize("name", [*DAYS, "trips"])
def test_ppo_that_was_killed_ends_with_the_same_bytes(name, prior, tmp_path):
    def fit(given):
        agent = PPOAgent(prior)
        return bytes_of(agent.fit(given)), agent.curve

    expected, found = both(fit, name, tmp_path, [3, 3])
    assert found == expected
    assert len(found[1]) > 3
    assert len(list((tmp_path / "again").iterdir())) == 2  # the last and the one before


def test_keeping_checkpoints_changes_nothing(tmp_path):
    agents = [PPOAgent(prior=False) for _ in range(2)]
    kept = Dying(tmp_path)
    heads = [bytes_of(a.fit(training("trips", c))) for a, c in zip(agents, (None, kept), strict=True)]
    assert heads[0] == heads[1]
    assert agents[0].curve == agents[1].curve
    assert kept.asked > 3


class Counting(BaseCallback):
    """Somebody's callback that holds something."""

    def __init__(self):
        super().__init__()
        self.earned = 0.0

    def _on_step(self):
        self.earned += self.n_calls * float(self.locals["rewards"].sum())
        return True

    def state_dict(self):
        return {"earned": self.earned}

    def load_state_dict(self, state):
        self.earned = state["earned"]


GUESTS = {
    "A2C": ("smart_home", {}, {}),
    "PPO": ("trips", {"prior": True}, {"batch_size": 16, "rollout_buffer_class": PersonalRolloutBuffer}),
    "MaskablePPO": ("game", {"encode": True}, {"batch_size": 16}),
}


@pytest.mark.parametrize("learner", GUESTS)
def test_a_guest_that_takes_the_callback_goes_on_too(learner, tmp_path):
    name, env, more = GUESTS[learner]
    kind = {"A2C": A2C, "PPO": PPO}.get(learner) or vars(pytest.importorskip("sb3_contrib"))[learner]

    def fit(given):
        policy, own = "MlpPolicy" if env else "MultiInputPolicy", Counting()
        callback = [Turns(), own, given.callback] if name == "trips" else [own, given.callback]
        model = kind(policy, given.make_env(2, **env), **LEARNER, **more).learn(400, callback=callback)
        model_policy(model, given)
        weights = {k: v.numpy().tobytes() for k, v in model.policy.state_dict().items()}
        return weights, own.earned, given.handed_out[0].curve

    expected, found = both(fit, name, tmp_path, [5, 5])
    assert found == expected


@pytest.mark.parametrize(("kind", "why"), [(DQN, "its replay buffer is large"), (A2C, "its environment is wrapped")])
def test_who_cannot_be_kept_begins_anew_and_that_is_said(kind, why, tmp_path, capsys):
    given = training("trips", Checkpoints(tmp_path, {}, 0))
    env = given.make_env(2, encode=True)
    model = kind("MlpPolicy", env if kind is DQN else VecNormalize(env), seed=0, device="cpu")
    model.learn(40, callback=given.callback)
    assert capsys.readouterr().err == f"no checkpoints of {kind.__name__}: {why}\n"
    assert not list(tmp_path.iterdir())


def test_what_is_stopped_within_a_rollout_and_a_second_learning_are_not_kept(tmp_path):
    def fit(given, stop=10**9):
        model = PPO("MlpPolicy", given.make_env(2, encode=True), batch_size=16, **LEARNER)
        stopping = ConvertCallback(lambda *_: model.num_timesteps < stop)
        model.learn(100, callback=[given.callback, stopping])
        return model

    fit(training("trips", Checkpoints(tmp_path / "a", {}, 1e9)), 50)
    assert not (tmp_path / "a").exists()
    given = training("trips", Checkpoints(tmp_path / "b", {}, 0))
    first = fit(given)
    before = sorted(tmp_path.rglob("*"))
    first.learn(100, callback=given.callback, reset_num_timesteps=False)
    assert first.num_timesteps == 256
    assert sorted(tmp_path.rglob("*")) == before


def killed(folder, **belongs):
    with pytest.raises(Killed):
        PPOAgent(False).fit(training("trips", Dying(folder, 5, **belongs)))
    return sorted(folder.iterdir())


def gone_on(folder, seed=0, **belongs):
    """Whether a training goes on from what is there."""
    kept = Dying(folder, 1, **belongs)
    with pytest.raises(Killed):
        PPOAgent(False).fit(dataclasses.replace(training("trips", kept), seed=seed))
    return not kept.from_start


@pytest.mark.parametrize("what", ["state.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_checkpoint_is_not_gone_on_with(what, damage, tmp_path, capsys):
    def spoil(folder):
        content = (folder / what).read_bytes()
        (folder / what).unlink()
        if damage != "gone":
            (folder / what).write_bytes(content[:99] + (b"" if damage == "cut" else b"?" + content[100:]))

    before, after = killed(tmp_path)
    spoil(after)
    assert gone_on(tmp_path)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert str(after) in said[0]
    assert said[0].endswith(": this training goes on from the checkpoint before")
    spoil(before)
    assert not gone_on(tmp_path)
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_training_is_not_gone_on_with(tmp_path, capsys):
    killed(tmp_path, settings={"a": 1}, versions=["1"])
    assert gone_on(tmp_path, settings={"a": 1}, versions=("1",))
    assert capsys.readouterr().err == ""
    assert not gone_on(tmp_path, settings={"a": 2}, versions=["1"])
    said = capsys.readouterr().err
    assert said.endswith("is a checkpoint of another training (settings differs): this training begins anew\n")
    assert said.count("\n") == 1
    killed(tmp_path)
    assert not gone_on(tmp_path, seed=1)
    assert "(start differs)" in capsys.readouterr().err


def test_checkpoints_are_as_far_apart_as_is_asked(tmp_path):
    now = [100.0]
    kept = Checkpoints(tmp_path, {}, 30, clock=lambda: now[0])
    kept.begin({})
    due = []
    for now[0] in (129.0, 130.0, 159.0, 161.0):
        due.append(kept.due())
        if due[-1]:
            kept.keep({"now": now[0]})
    assert due == [False, True, False, True]


def test_plain_data_come_back_as_they_were():
    state = {
        "a": [np.zeros((0, 3)), np.array(2.5), np.array([True]), torch.tensor(7), torch.ones(2, 2).T],
        "b": {"1": 2**100, "c": (np.float32(0.1), float("inf"), None, "text")},
    }
    back = unpack(*pack(state))
    for old, new in zip(state["a"], back["a"], strict=True):
        assert type(new) is type(old)
        assert (new.shape, new.dtype, new.tolist()) == (old.shape, old.dtype, old.tolist())
    assert back["b"] == {"1": 2**100, "c": [float(np.float32(0.1)), float("inf"), None, "text"]}
    for bad in ({1: 2}, {"a": object()}, [lambda: 0]):
        with pytest.raises(UserError, match="is none"):
            pack(bad)
