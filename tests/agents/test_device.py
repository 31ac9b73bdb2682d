"""Which device is taken and why; and what crosses to one and back, counted at a pretended boundary."""

import dataclasses
import functools

import numpy as np
import pytest
import torch
from boundary import Boundary
from lam_env.agents import device as module
from lam_env.agents.device import ALONE, Speed, choice, measured
from lam_env.agents.fine_tuning.features import encoder_of
from lam_env.agents.fine_tuning.learner import learner
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.fine_tuning.recurrent.device_policy import DevicePolicy, placed
from lam_env.agents.fine_tuning.recurrent.packed import PackedFeatures
from lam_env.agents.simple import Silent
from lam_env.agents.where import named

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings
from lam_env.evaluation.rollout import rollout
from lam_env.experiment import models
from lam_env.experiment.agent_check import small_training

CPU = torch.device("cpu")
WORLDS, STEPS = 6, 32


def test_devices_by_name():
    assert named("cpu") == CPU
    with pytest.raises(UserError, match="choose auto"):
        named("tpu")
    for wrong in ("cuda:x", "cpu:1", "cuda:-1"):
        with pytest.raises(UserError, match="is unknown"):
            named(wrong)
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no CUDA device"):
            named("cuda:1")
        assert choice("auto", 10**6, 10**4, 16) == (CPU, ALONE)


def test_torch_is_not_loaded_to_hear_that_it_was_built_without_a_gpu(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "choice", lambda *what: asked.append(what[0]) or (CPU, ALONE))
    for build, device in (("2.13.0+cpu", "auto"), ("2.13.0", "auto"), ("2.13.0", "cpu"), ("2.13.0+cpu", "cuda")):
        monkeypatch.setattr(models, "version", lambda name, build=build: build)
        assert models.pick_device(device, 0, 0, 1) == "cpu"
    assert asked == ["auto", "cuda"]  # of a build that may have one, and where one is wanted


def test_a_gpu_that_there_is_not_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert named("cuda:1").index == 1
    with pytest.raises(UserError, match="this machine has 2, numbered from 0"):
        named("cuda:2")


@pytest.mark.parametrize(
    ("gpu", "chosen", "says"),
    [
        (Speed(1e6, 1e-3), "cuda", "1,000,000 decision points a second in pre-training (cpu 10,000)"),
        (
            Speed(2e4, 0.1),
            "cpu",
            "0.5 ms a step of 16 worlds (cuda 1e+02): 105 s of networks in place of 1,050; so small",
        ),
    ],
)
def test_auto_takes_what_is_faster_for_the_work_at_hand(gpu, chosen, says, monkeypatch):
    speeds = {"cpu": Speed(1e4, 5e-4), "cuda": gpu}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(module, "measured", lambda device, worlds: speeds[device.type])
    found, why = choice("auto", 10**6, 10**4, 16)
    assert found.type == chosen
    assert says in why


def test_a_processor_is_measured_in_a_moment():
    speed = measured(CPU, 16)
    assert 1e2 < speed.tokens < 1e8
    assert 1e-6 < speed.step < 1


@functools.cache
def made():
    return small_training(registry.scenario("smart_home")(days=1), worlds=3, days=3, readout=8)


def training(tune):
    tuned = TrainSettings(
        steps=WORLDS * STEPS, envs=WORLDS, rollout=STEPS, batch=96, epochs=2, trial=2, start="uniform", tune=tune
    )
    return dataclasses.replace(made(), tuning=tuned)


def begun(given):
    own = encoder_of(given, prior=True)
    model = learner(given, PackedFeatures(own.predictor, own.mean, own.scale))
    return model, model._setup_learn(given.steps, None)[1]


@pytest.mark.parametrize("tune", ["frozen", "full"])
def test_a_step_of_a_batch_crosses_twice_however_many_worlds(tune):
    model, callback = begun(training(tune))
    with Boundary() as crossed:
        model.collect_rollouts(model.env, callback, model.rollout_buffer, STEPS)
    # rows up and actions down; at the end the last value, and all values and log-probabilities in one piece
    assert crossed.up <= STEPS + 2
    assert crossed.down <= STEPS + 3
    assert crossed.up >= STEPS
    assert crossed.down >= STEPS


@pytest.mark.parametrize("tune", ["frozen", "full"])
def test_an_update_takes_a_rollout_over_once(tune):
    model, callback = begun(training(tune))
    model.collect_rollouts(model.env, callback, model.rollout_buffer, STEPS)
    batches = len(list(model.rollout_buffer.get(96)))
    with Boundary() as crossed:
        model.train()
    # the places of a batch's steps go up, what SB3 logs of it comes down
    assert crossed.up <= 3 + 6 * 2 * batches
    assert crossed.down <= 3 + 8 * 2 * batches
    assert crossed.largest_up < WORLDS * STEPS * 64  # numbers: rows go up between rollout and update, not again


def test_judging_crosses_twice_a_step():
    given = training("frozen")
    features = encoder_of(given, prior=True)
    model, _ = begun(given)
    policy = DevicePolicy(TunedPolicy(features, model.policy.head), CPU)
    env = given.make_worlds(WORLDS)
    observation, _ = env.reset(seed=3)
    state = None
    with Boundary() as crossed:
        for _ in range(10):
            actions, state = policy.predict(observation, state, np.zeros(WORLDS, bool))
            observation, *_ = env.step(actions)
    assert crossed.up == crossed.down == 10


@pytest.mark.parametrize("name", ["smart_home", "traffic"])
def test_a_policy_on_a_device_does_what_it_does_elsewhere(name):
    days = {"days": 1} if name == "smart_home" else {"days": 2, "travellers": 40, "burn_in": 7}
    scenario = registry.scenario(name)(**days)
    given = made() if name == "smart_home" else small_training(scenario, days=3)
    features = encoder_of(given, prior=True)
    given = dataclasses.replace(given, tuning=TrainSettings(envs=4, start="uniform"))
    head = learner(given, features).policy.head
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.05)
    policy = TunedPolicy(features, head)
    found = [rollout(one, scenario, [5, 6, 7]) for one in (policy, DevicePolicy(policy, CPU))]
    assert found[0] == found[1]
    observation, _ = given.make_worlds(3).reset(seed=1)
    p = [one.probabilities(observation, None, np.ones(3, bool))[0] for one in (policy, DevicePolicy(policy, CPU))]
    np.testing.assert_allclose(*p, atol=1e-5)
    assert p[0].std() > 1e-3


def test_only_tuned_policies_are_placed():
    silent = Silent()
    assert placed(silent, "cuda") is silent
    features = encoder_of(made(), prior=True)
    policy = TunedPolicy(features, torch.nn.Identity())
    assert placed(policy, "cpu") is policy
