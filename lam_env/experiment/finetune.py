"""Pre-training and fine-tuning from Python: what a run does, on an environment and a log of one's own."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from lam_env.config.cli import override
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog
from lam_env.core.files.inputs import named_path
from lam_env.core.progress import Progress
from lam_env.core.seeds import TRAINING_SEEDS, Use, world_seeds
from lam_env.core.tuning import TrainSettings
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import LamVectorEnv, worlds_of
from lam_env.experiment import models
from lam_env.experiment.agent_spec import defaults_of, training_in
from lam_env.experiment.policies import predictor_of
from lam_env.experiment.run_folder import RunFolder, run_path
from lam_env.experiment.work.scheduler import with_units
from lam_env.logs.streams import to_learn_from

if TYPE_CHECKING:
    import gymnasium

    from lam_env.core.contracts import Policy
    from lam_env.experiment.models import Pool, Predictor, TunedPolicy

GIVEN = {"prior": "a predictor, or a run's folder", "log": "an ActionLog, such as simulate_log makes"}


def pretrain(log: ActionLog, seed: int = 0, device: str = "cpu", **settings: Any) -> Predictor:
    """The predictor of a log: it learns from the part that trains and stops by the part that validates, as a run's
    does. `settings`: of the neural predictor, such as core="gru" or hidden=64. UserError for a log that is too short.
    """
    if not isinstance(log, ActionLog):
        raise UserError(f"pretrain: the log is {type(log).__name__}; give an ActionLog, such as simulate_log makes")
    _check(seed, device)
    train, valid = to_learn_from(log)
    device = models.pick_device(device, 14 * len(train), 0, 1)
    with threadpool_limits(1), Progress() as bars:  # as a run's workers: more threads are slower, and round otherwise
        progress = with_units(bars)
        return models.pretrain(train, valid, models.predictor_settings(len(train), **settings), seed, device, progress)


def finetune(
    prior: Predictor | Pool | str | os.PathLike[str],
    env: gymnasium.Env[Any, Any] | gymnasium.vector.VectorEnv[Any, Any, Any],
    steps: int | None = None,
    tune: str | None = None,
    *,
    log: ActionLog | None = None,
    seed: int = 0,
    device: str = "cpu",
    **train: Any,
) -> TunedPolicy:
    """A policy that starts from `prior` and learns from the people of `env`, as `ppo_prior` of a run does.

    prior: a predictor, or a run's folder. env: `LamEnv` or `LamVectorEnv`, wrapped or not; its scenario and number of
    worlds are taken (of a `SyncVectorEnv` of such too), and worlds of the training's own are made. log: what the prior
    was trained on, which the head is scaled by, and which is replayed while the predictor is tuned (default: the run's;
    else one is simulated, of eight worlds). steps, tune and `train` are `train.*` of a run, by default the scenario's.
    The same seed gives the same bytes. UserError where prior, log and environment speak of different actions.
    """
    scenario, n = worlds_of(env)
    _check(seed, device)
    if isinstance(prior, str | os.PathLike):
        folder = RunFolder.open(os.fspath(prior))
        prior = predictor_of(folder)
        if log is None and (folder.log / "train").is_dir():
            log = ActionLog.load(folder.log / "train")
    _known_to(scenario, "prior", prior)
    usual, _ = defaults_of(scenario)
    changes = {"envs": n, **train} if n > 1 else dict(train)
    changes |= {name: value for name, value in (("steps", steps), ("tune", tune)) if value is not None}
    tuning: TrainSettings = override(usual.train, changes, "train")
    device = models.pick_device(device, 0, tuning.steps // tuning.envs, tuning.envs)
    with threadpool_limits(1), Progress() as bars:
        progress = with_units(bars)
        if log is None:
            seeds = list(world_seeds(Use.TRAINING_LOG, 8, seed))
            log, _ = simulate_log(scenario, seeds, max(8, int(scenario.days)), progress=progress)
        _known_to(scenario, "log", log)
        points, valid = to_learn_from(log)
        if not len(points) or not len(valid):
            n, of = len(points), len(valid)
            raise UserError(
                f"finetune: the log has {n:,} decision points to train on, {of:,} to validate; give a longer one"
            )
        policy = models.fine_tuned(
            training_in(
                scenario,
                points,
                valid,
                LamVectorEnv,
                log=log,
                prior=prior,
                tuning=tuning,
                seed=seed,
                device=device,
                progress=progress,
            )
        )
    policy.with_prior = True
    return policy


def save_policy(policy: Policy, folder: str | os.PathLike[str]) -> None:
    """Writes a fine-tuned policy, whole or not at all; one that was there is replaced. UserError for a file, and for a
    folder that holds anything else."""
    models.save_policy(policy, named_path("save_policy", folder))


def load_policy(folder: str | os.PathLike[str]) -> TunedPolicy:
    """The policy that `save_policy` has written, or that of a run's folder, or of trained/SCENARIO, which comes with
    the kit; UserError if it is incomplete or changed."""
    path = run_path(named_path("load_policy", folder))
    if (inside := RunFolder(path).policy).is_dir():
        path = inside
    run = RunFolder(path.absolute().parent.parent)
    of_run = path.absolute() == run.policy and run.prior.is_dir()
    return models.load_policy(path, partial(models.load_predictor, run.prior) if of_run else None)


def _check(seed: object, device: object) -> None:
    if type(seed) is not int or not 0 <= seed < TRAINING_SEEDS:
        raise UserError(f"seed {seed!r}: give a whole number from 0 to {TRAINING_SEEDS - 1:,}")
    if not isinstance(device, str):
        raise UserError(f"device {device!r}: give auto, cpu or cuda")


def _known_to(scenario: Scenario, what: str, given: Any) -> None:
    """UserError for a prior or log of other actions, or for what is none."""
    vocabulary = getattr(given, "vocabulary", None)
    if vocabulary is None or isinstance(given, ActionLog) != (what == "log"):
        raise UserError(f"finetune: {type(given).__name__} is no {what}; give {GIVEN[what]}")
    if vocabulary != scenario.vocabulary:
        raise UserError(f"finetune: the {what} speaks of other actions than the environment; take one of its world")
