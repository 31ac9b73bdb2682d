"""Who acts, by the name that a command is given: the folder of a run or of a policy, an agent that needs no training
(`oracle`, or in the worlds of a run `oracle@RUN`), or one's own, as it is (`module:Class`) or with what a run has kept
of it (`module:Class@RUN`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from lam_env.config.cli import Group, override
from lam_env.config.convert import suggestion
from lam_env.core import registry
from lam_env.core.contracts import Policy, PredictionCeiling, acts, complete, learned, needs_said
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog, Vocabulary
from lam_env.core.files.manifest import is_whole
from lam_env.core.seeds import TRAINING_SEEDS
from lam_env.core.tuning import TrainSettings
from lam_env.envs.play import check_actions
from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import LamVectorEnv
from lam_env.experiment import models
from lam_env.experiment.agent_spec import agents_of_scenario, training_in
from lam_env.experiment.finetune import load_policy
from lam_env.experiment.policies import judged_by, predictor_of, scenario_made, scenario_of, tuned, world_of
from lam_env.experiment.run_folder import RunFolder, run_path
from lam_env.experiment.settings import UNTRAINED
from lam_env.launch.job import one_line
from lam_env.logs.streams import to_learn_from

T = TypeVar("T")
KEEPS = "save(folder) and load(training, folder)"


def policy_alone(name: str) -> bool:
    """Whether it is the folder of a policy, as `save_policy` writes it."""
    return Path(name).is_dir() and models.is_policy(Path(name))


def _parts(name: str) -> tuple[str, str]:
    """The agent's own name and the folder of its run; either may be empty."""
    if Path(name).is_dir():
        return "", name
    code, at, run = name.partition("@")
    if at or registry.names_code(code):
        return code, run
    return ("", name) if "/" in name or "\\" in name else (name, "")


def run_of(name: str) -> RunFolder | None:
    """The run that an agent is of, or None."""
    if policy_alone(name):
        return None
    run = _parts(name)[1]
    if run and not run_path(run).is_dir():
        raise UserError(f"{run}: no such folder; give the folder that a run has written")
    return RunFolder.open(run) if run else None


def world_for(name: str, scenario: str | None) -> tuple[str, Group]:
    """Where an agent acts: the scenario, and the settings of its worlds. They are the run's, or else those of the
    `scenario` that the command names, which is the home where it names none."""
    if (run := run_of(name)) is not None:
        return world_of(run, scenario)
    scenario = scenario or "smart_home"
    return scenario, registry.scenario(scenario).Params()


def scenario_for(name: str, scenario: str, world: Group) -> Scenario:
    """The scenario with these settings, among the people that the agent's run has calibrated, if it has."""
    run = run_of(name)
    return scenario_made(scenario, world, () if run is None else run.tables())


def policy_of(name: str, vocabulary: Vocabulary, of: str = "log", scenario: Scenario | None = None) -> Policy:
    """UserError says in one line why there is none. `vocabulary`: that of the `of`, which the policy must speak.
    `scenario`: where it is to act; without one the agents of the scenario's own have no names."""
    code, run = _parts(name)[0], run_of(name)
    if registry.names_code(code):
        made: object = _told(name, _untaught, name) if run is None else _kept(code, run, vocabulary, of, scenario)
        if not acts(made):
            raise UserError(f"policy {name}: has no predict; give it one, or a fit that returns what has one")
        return _blamed(name, made)
    if code and scenario is not None:
        return untrained(scenario, code)
    if code in UNTRAINED:
        return _floor(code)
    if code:
        raise UserError(f"policy={name}: acts in simulated worlds alone; give {' or '.join(UNTRAINED)}, or a run")
    policy = load_policy(name) if run is None else tuned(run)
    if policy.predictor is None or policy.predictor.vocabulary != vocabulary:
        raise _other_words(name, of)
    return policy


def _other_words(name: str, of: str) -> UserError:
    return UserError(f"{name}: its policy has another vocabulary than the {of}; take a run in the same world")


# -- one's own ---------------------------------------------------------------------------------------------------------


def own(name: str) -> object:
    """What `module:Class` makes."""
    return _told(name, lambda: registry.agent(name)())


def _untaught(name: str) -> object:
    return learned(own(name), cast(Any, NoTraining(name)))[0]


def _kept(code: str, run: RunFolder, vocabulary: Vocabulary, of: str, scenario: Scenario | None) -> object:
    """What the run's first training of the agent has learned, as its `load` makes it of what its `save` wrote."""
    folder = run.own(code)
    if not folder.is_dir():
        again = f"python -m lam_env.run model={run.path} agent={code}"
        why = f"it has to have {KEEPS}, then judge it again" if code in judged_by(run) else "judge it in a run"
        raise UserError(f"{run.path}: keeps no model of {code}; {why}: {again}")
    if not is_whole(folder):
        raise UserError(f"{folder}: changed since it was saved, or not whole; judge the agent again")
    log = ActionLog.load(run.log / "train")
    if log.vocabulary != vocabulary:
        raise _other_words(f"{code}@{run.path}", of)
    train, valid = to_learn_from(log)
    config = run.config()
    seeds, tuning = config.get("seed"), config.get("train")
    training = training_in(
        scenario or scenario_of(run),
        train,
        valid,
        LamVectorEnv,
        log=log,
        prior=predictor_of(run) if "prior" in registry.agent_needs(code) else None,
        tuning=override(TrainSettings(), tuning if isinstance(tuning, dict) else {}, "train"),
        agent=code,
        seed=next((s for s in (seeds if isinstance(seeds, list) else []) if s in range(TRAINING_SEEDS)), 0),
        adapter=models.adapter,
    )
    return _told(code, models.fitted, own(code), training, folder)[0]


def _told(name: str, do: Callable[..., T], *args: object) -> T:
    """Whatever a stranger's code raises is one line."""
    try:
        return do(*args)
    except UserError:  # it says which agent it is about
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"policy {name}: {one_line(error)}") from None


def _blamed(name: str, policy: Policy) -> Policy:
    """The policy, whose every fault is told as its own."""
    full = complete(policy)

    def predict(*observed: Any) -> tuple[Any, Any]:
        answer: object = _told(name, full.predict, *observed)
        try:
            actions, state = cast(Any, answer)
        except (TypeError, ValueError):
            raise UserError(f"policy {name}: predict must return (actions, state)") from None
        try:
            return check_actions(actions, *observed[0]["action_mask"].shape), state
        except UserError as error:
            raise UserError(f"policy {name}: {error}") from None

    asked = full.probabilities
    probabilities = None if asked is None else lambda *observed: _told(name, asked, *observed)
    return cast(Policy, dataclasses.replace(full, predict=predict, probabilities=probabilities))


# -- without training --------------------------------------------------------------------------------------------------


class NoTraining:
    """In the place of what agents learn from: whoever asks for more than the seed needs training."""

    def __init__(self, name: str):
        self.seed = 0
        self._name = name

    def __getattr__(self, what: str) -> NoReturn:
        name = self._name
        remedy = "give the folder of a run, or an agent that needs none"
        if registry.names_code(name):
            remedy = f"judge it in a run, which keeps what it has learned if it has {KEEPS}, and say {name}@RUN"
        raise UserError(f"agent={name}: needs training (it asks for {what}); {remedy}")


def untrained(scenario: Scenario, name: str) -> Policy:
    """A new policy of an agent that needs no training: never acting, random, or one of the scenario's own."""
    own = agents_of_scenario(scenario)
    if name in UNTRAINED:
        return _floor(name)
    if name not in own:
        able = [*UNTRAINED, *(other for other in own if _needs_none(scenario, other))]
        hint = suggestion(name, able, f"without training there are {', '.join(able)}, and module:Class")
        raise UserError(f"agent={name}: neither a run folder nor an agent that needs no training; {hint}")
    if needs_said(own[name]):
        raise UserError(f"agent={name}: builds on a trained predictor; give the folder of a run")
    made = own[name](cast(Any, NoTraining(name)))
    if isinstance(made, PredictionCeiling):
        raise UserError(f"agent={name}: only predicts; give an agent that acts")
    return made


def _floor(name: str) -> Policy:
    made: Policy = registry.agent(name)().fit(NoTraining(name))
    return made


def _needs_none(scenario: Scenario, name: str) -> bool:
    try:
        untrained(scenario, name)
    except UserError:
        return False
    return True
