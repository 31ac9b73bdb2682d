"""The door to agents/: the one module of the kit that imports networks and policies, inside functions, so that nothing
waits for torch."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lam_env.core.contracts import Candidate, Curve, CurvePoint, Observation, Policy, PredictionCeiling, acts, learned
from lam_env.core.errors import UserError
from lam_env.core.progress import Report, say, silent

if TYPE_CHECKING:
    from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

    from lam_env.agents.fine_tuning.policy import TunedPolicy as TunedPolicy
    from lam_env.agents.guests.learners import GuestVecEnv
    from lam_env.agents.predictors.network import Predictor as Predictor
    from lam_env.agents.predictors.pool import Pool as Pool
    from lam_env.agents.predictors.settings import PredictorSettings as PredictorSettings
    from lam_env.agents.serving.adviser import Adviser as Adviser
    from lam_env.agents.serving.assistant import Assistant as Assistant
    from lam_env.agents.thresholded import Thresholded as Thresholded
    from lam_env.core.contracts import ActionPredictor, Checkpoints, Said, Training
    from lam_env.envs.vector import LamVectorEnv
    from lam_env.logs.decision_points import DecisionPoints


def pick_device(device: str, tokens: int, steps: int, worlds: int) -> str:
    """ "auto", "cpu" or "cuda" -> where networks are trained. "auto" is the faster one for so many decision points that
    pre-training reads and so many steps of a batch of worlds, which is measured, and said. UserError if it is not
    there."""
    if importlib.util.find_spec("torch") is None:
        raise UserError("torch is not installed: pip install torch")
    if device == "cpu" or (device == "auto" and version("torch").endswith("+cpu")):
        return "cpu"  # torch is not asked: to load it takes seconds, and this process may have no other need of it
    from lam_env.agents.device import ALONE, choice

    chosen, why = choice(device, tokens, steps, worlds)
    if device == "auto" and why != ALONE:
        print(f"device {chosen.type}: {why}")
    return str(chosen)


def on_device(policy: Policy, device: str) -> Policy:
    """A tuned policy with its networks and their state on a GPU; any other as it is."""
    if "torch" not in sys.modules:  # else it cannot be a tuned one, and loading torch takes seconds
        return policy
    from lam_env.agents.fine_tuning.recurrent.device_policy import placed

    return placed(policy, device)


def predictor_settings(rows: int, pooled: bool = False, **changes: Any) -> PredictorSettings:
    """The preset of the neural predictor for a log of so many rows, with `changes` to single settings. `pooled`: for
    the nets of a pool."""
    from lam_env.agents.predictors.settings import PredictorSettings

    return PredictorSettings.for_log(rows, pooled, **changes)


def pretrain(
    train: DecisionPoints,
    valid: DecisionPoints,
    settings: PredictorSettings,
    seed: int = 0,
    device: str = "cpu",
    report: Report = silent,
    checkpoints: Checkpoints | None = None,
    others: Sequence[PredictorSettings] = (),
) -> Predictor:
    """The neural predictor, trained on a log; by the best of several settings where `others` has more."""
    from lam_env.agents.predictors.pretrain import pretrain

    return pretrain(train, valid, settings, seed, device, report, checkpoints, others)


def fit_pool(
    train: DecisionPoints,
    valid: DecisionPoints,
    settings: PredictorSettings,
    timed: tuple[DecisionPoints, DecisionPoints] | None,
    seed: int,
    device: str,
    report: Report,
    checkpoints: Checkpoints,
    others: Sequence[PredictorSettings] = (),
    start: Predictor | None = None,
) -> Pool:
    """Networks, which begin as those of `start`, and counts, weighed; `others` as in `pretrain`. `timed`: `train` and
    `valid` with the decision points of the log's timer, where they are of events alone."""
    from lam_env.agents.predictors.pooling import fit_pool

    return fit_pool(train, valid, settings, timed, seed, device, report, checkpoints, others, start)


def read_held_out(
    predictor: Predictor | Pool,
    points: DecisionPoints,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    boosting: bool,
    seed: int,
    report: Report,
    others: tuple[DecisionPoints, DecisionPoints] | None = None,
) -> Iterator[dict[str, Said]]:
    """What the prior of a log, and what it is made of, says of the log's test rows, by row of the tables, piece by
    piece, (b, A). `points`: of events alone; `parts`: masks of those to train, validate and test on; `boosting`: with
    trees, which learn from `others` too."""
    from lam_env.agents.predictors.boosting import BoostedPool, left_out_of
    from lam_env.agents.predictors.pool import Pool

    train, valid, test = parts
    if not isinstance(predictor, Pool):
        return iter([{"prior": predictor.read(points).next[test]}])
    pool, known, boosted = predictor.given_acts, train | valid, None
    if boosting and not (why := left_out_of(points.select(known), pool)):
        boosted = BoostedPool.fit(pool, points.select(train), points.select(valid), seed, report, others)
    elif boosting:
        say(f"no boosted trees: {why}")

    def rows(each: dict[str, Said]) -> dict[str, Said]:
        said = {"prior": pool.whole(each)} | ({} if boosted is None else {"prior_boosted": boosted.pooled(each)})
        return said | {f"prior.{name}": p for name, p in each.items()}

    return map(rows, (boosted or pool).parts(points, test, known))


def blocks(predictor: ActionPredictor, points: DecisionPoints, rows: np.ndarray) -> Iterator[Said]:
    """What a predictor says of the `rows` (n,) bool of a log, (b, A), piece by piece where it can."""
    read: Callable[..., Iterator[Said]] | None = getattr(predictor, "blocks", None)
    return iter([predictor.read(points).next[rows]]) if read is None else read(points, rows)


def why_no_networks(pool: Pool) -> str:
    """Empty if it has any."""
    from lam_env.agents.predictors.pooling import nets_left_out_of

    return nets_left_out_of(pool.counts) if pool.nets is None else ""


def checkpoints(folder: Path, belongs: Mapping[str, object], every: float) -> Checkpoints:
    """Of one training: `every` seconds at most, which `belongs` tells from others."""
    from lam_env.agents.checkpoints import Checkpoints

    return Checkpoints(folder, belongs, every)


def load_predictor(folder: Path) -> Predictor | Pool:
    """UserError if the folder holds none, or one that was changed."""
    from lam_env.agents.predictors.store import load

    return load(folder)


def save_predictor(predictor: Predictor | Pool, folder: Path) -> None:
    """Whole or not at all."""
    from lam_env.agents.predictors.store import save

    folder.parent.mkdir(parents=True, exist_ok=True)
    save(predictor, folder)


def fine_tuned(training: Training) -> TunedPolicy:
    """As `ppo_prior` is."""
    from lam_env.agents.fine_tuning.ppo import PPOAgent

    return PPOAgent().fit(training)


def load_policy(folder: Path, predictor: Predictor | Pool | Callable[[], Predictor | Pool] | None) -> TunedPolicy:
    """The fine-tuned policy of a folder, on the predictor that it was tuned on, or what gives it."""
    from lam_env.agents.fine_tuning.saved import load_policy

    return load_policy(folder, predictor)


def is_policy(folder: Path) -> bool:
    """Whether it is the folder of a fine-tuned policy."""
    from lam_env.agents.fine_tuning.saved import ABOUT

    return (folder / ABOUT).is_file()


def save_policy(policy: Policy, folder: Path) -> None:
    """A fine-tuned one, whole or not at all."""
    from lam_env.agents.fine_tuning.policy import TunedPolicy
    from lam_env.agents.fine_tuning.saved import save_policy

    if not isinstance(policy, TunedPolicy):
        raise UserError(f"save_policy: {type(policy).__name__} is no fine-tuned policy; give what finetune returns")
    save_policy(policy, folder)


def thresholded(predictor: Predictor | Pool) -> Thresholded:
    """Acts by a predictor alone: where it is sure enough."""
    from lam_env.agents.thresholded import unfitted

    return unfitted(predictor)


def serve(
    policy: TunedPolicy | Thresholded,
    zone: str | None,
    household: str | os.PathLike[str] | None,
    synonyms: Mapping[str, str],
) -> Assistant | Adviser:
    """The policy for one's own stream of events."""
    from lam_env.agents.serving.assistant import serve

    return serve(policy, zone, household, synonyms)


def expectation(predictor: ActionPredictor) -> Callable[[Observation, np.ndarray], np.ndarray]:
    """What a predictor expects of the next action, carried through one episode of one world."""
    from lam_env.agents.carry import PredictorState, update

    carry: PredictorState | None = None

    def expect(observation: Observation, start: np.ndarray) -> np.ndarray:
        nonlocal carry
        carry = update(predictor, observation, carry, start)
        return np.asarray(carry.said.next[0])

    return expect


def learner(training: Training, envs: int, name: str) -> tuple[OnPolicyAlgorithm, LamVectorEnv]:
    """PPO as "ppo_prior" sets it up, or "ppo_prior@tune=full", or "recurrent_ppo" with as much memory, before its first
    step, and its worlds: to measure speed."""
    from lam_env.agents.fine_tuning.features import encoder_of
    from lam_env.agents.fine_tuning.ppo import PPOAgent
    from lam_env.agents.fine_tuning.vec_env import LamVecEnv

    tune: Any = "full" if name.endswith("=full") else "frozen"
    training = dataclasses.replace(training, tuning=dataclasses.replace(training.tuning, envs=envs, tune=tune))
    if name == "recurrent_ppo":
        from lam_env.agents.guests.recurrent import recurrent_ppo

        guest = recurrent_ppo(training, training.prior.settings.hidden)
        assert isinstance(guest.env, LamVecEnv)
        return guest, guest.env.env
    model = PPOAgent().learner(training, encoder_of(training, prior=True))
    assert isinstance(model.env, LamVecEnv)
    return model, model.env.env


def adapter(training: Training, n: int, encode: bool, prior: bool) -> GuestVecEnv:
    """Makes what `Training.make_env` gives."""
    from lam_env.agents.guests.learners import make_env

    return make_env(training, n, encode, prior)


def cut_short(steps: int) -> AbstractContextManager[None]:
    """While it lasts, models of Stable-Baselines3 stop learning after so many steps."""
    from lam_env.agents.guests.learners import cut_short

    return cut_short(steps)


def fitted(agent: object, training: Training, kept: Path | None = None) -> tuple[Candidate, Curve]:
    """What an agent's `fit` returns, or its `load` of what was `kept`, or the agent itself, as a policy; and its
    learning curve: its own, else that of the environment that it used most."""
    policy, curve = learned(agent, training, kept)
    if "stable_baselines3" in sys.modules:  # else it cannot be a model of it, and loading it takes seconds
        from lam_env.agents.guests.learners import model_policy

        policy = model_policy(policy, training)
    if isinstance(policy, PredictionCeiling):
        return policy, curve
    if policy is agent and not acts(policy):
        raise UserError(f"{type(policy).__name__} has neither fit nor predict")
    if not acts(policy):
        what = "load" if kept else "fit"
        raise UserError(f"{what} must return an object with predict, not {type(policy).__name__}")
    if not curve and training.handed_out:
        curve = [CurvePoint(*point) for point in max(training.handed_out, key=lambda env: env.steps).curve]
    return policy, curve
