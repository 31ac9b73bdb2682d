"""A run's world, and what the run has learned."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lam_env.config.cli import Group, override, to_dict
from lam_env.core import registry
from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import named_path
from lam_env.core.files.manifest import MANIFEST
from lam_env.envs.scenario import Scenario
from lam_env.evaluation.report.elements import TUNED
from lam_env.experiment import models
from lam_env.experiment.run_folder import CONFIG, RunFolder, run_path

if TYPE_CHECKING:
    from lam_env.experiment.models import Adviser, Assistant, Pool, Predictor, Thresholded, TunedPolicy

# -- a run's world -----------------------------------------------------------------------------------------------------


def scenario_made(name: str, world: Group, tables: Sequence[BehaviourTables] = ()) -> Scenario:
    """The scenario with these settings of its worlds. `tables`: habits of calibrated residents."""
    made: Scenario = registry.scenario(name)(**to_dict(world), **({"tables": tables} if tables else {}))
    return made


def judged_in(scenario: Scenario, changes: Sequence[str]) -> Scenario:
    """The scenario with other settings of its worlds, each as KEY=VALUE; UserError unless agents can act there too."""
    pairs = [change.partition("=") for change in changes]
    try:
        other = scenario.with_params(**{key: value for key, _, value in pairs}) if pairs else scenario
    except UserError as error:
        raise UserError(f"eval.world={','.join(changes)}: {error}") from None
    if other.vocabulary != scenario.vocabulary or other.latent_names != scenario.latent_names:
        raise UserError(
            f"eval.world={','.join(changes)}: agents speak another vocabulary there: it may not change what can be"
            " done or sensed, or who is there"
        )
    return other


def world_of(folder: RunFolder, named: str | None = None) -> tuple[str, Group]:
    """A run's scenario by name, and the settings of its worlds. `named`: the scenario that the command names, which may
    be code of one's own: a file may not name code."""
    config = folder.config()
    name, world = config.get("scenario"), config.get("world")
    if not isinstance(name, str) or not isinstance(world, dict):
        raise UserError(f"{folder.path}: its config.json holds no settings; give another run")
    if name != named and name not in registry.scenario_names():
        code = registry.names_code(name)
        hint = f"; a file may not name code: if it is yours, say scenario={name[:60]}" if code else ""
        raise UserError(f"{folder.path}: is a run of {name[:60]!r}, which is no scenario of this installation{hint}")
    if named not in (None, name):
        raise UserError(f"{folder.path}: is a run of {name}, not of {named}; say scenario={name}")
    return name, override(registry.scenario(name).Params(), world, "world")


def scenario_of(folder: RunFolder, named: str | None = None) -> Scenario:
    """The scenario of a run as it was; `named` as in `world_of`."""
    return scenario_made(*world_of(folder, named), folder.tables())


# -- what a run has learned --------------------------------------------------------------------------------------------


def predictor_of(folder: RunFolder) -> Predictor | Pool:
    """The predictor that the run's policy rests on."""
    if not folder.prior.is_dir():
        raise lacking(folder, folder.prior)
    return models.load_predictor(folder.prior)


def tuned(folder: RunFolder) -> TunedPolicy:
    """The fine-tuned policy that the run has kept."""
    if folder.prior.is_dir() and not folder.policy.is_dir():
        raise lacking(folder, folder.policy)
    return models.load_policy(folder.policy, predictor_of(folder))


def load(
    run: str | os.PathLike[str], zone: str | None = None, household: str | os.PathLike[str] | None = None
) -> Assistant | Adviser:
    """What a run has learned, for one's own stream of events: its tuned policy or, if it was to have none, its
    predictor and a threshold. `run`: its folder, or trained/SCENARIO, which comes with the kit. `zone`: the home's time
    zone, into which datetimes with another are turned (default: that of the log that the run was given). `household`:
    the folder that `save` of one loaded before has written: it goes on from there."""
    folder = RunFolder(run_path(named_path("load", run)))
    if not folder.path.is_dir():
        raise UserError(f"{run}: no such folder; give the folder that a run has written")
    inside = folder.path.absolute()
    if (inside.name == "model" and not (inside / CONFIG).exists()) or (inside / MANIFEST).is_file():
        of = next((up for up in inside.parents if (up / "model").is_dir()), None)
        remedy = f"give the run's, {of}" if of else "lam_env.load_policy takes a policy that save_policy has written"
        raise UserError(f"{run}: is the folder of a model, not of a run; {remedy}")
    if not (folder.path / CONFIG).exists() and not folder.prior.parent.is_dir():
        lacks = f"not a run folder (neither {CONFIG} nor model/)"
        raise UserError(f"{run}: {lacks}; give the folder that a run has written")
    if _of_own_log(folder):
        policy: TunedPolicy | Thresholded = models.thresholded(models.load_predictor(folder.prior_of_log))
    elif folder.policy.is_dir() or TUNED in judged_by(folder):
        policy = tuned(folder)
    else:
        policy = models.thresholded(predictor_of(folder))
    if zone is None and (folder.path / CONFIG).exists():
        kept = folder.config().get("zone")
        zone = kept if isinstance(kept, str) else None
    return models.serve(policy, zone, household, _synonyms(folder))


def _synonyms(folder: RunFolder) -> Mapping[str, str]:
    """What the run's log may call actions and sensors of its world otherwise."""
    config = folder.config() if (folder.path / CONFIG).exists() else {}
    if config.get("scenario") not in registry.scenario_names() or not isinstance(config.get("world"), dict):
        return {}  # a predictor alone, or a run of code of one's own
    return scenario_of(folder).synonyms or {}


def lacking(folder: RunFolder, part: Path) -> UserError:
    """What the folder has not, and why, as far as it says."""
    if _of_own_log(folder):
        why = ": the actions of its log are no commands of the scenario's home, so no agent acts there;"
        why += " lam_env.load takes it"
    elif not _finished(folder):
        why = f": the run has not got so far; its command goes on with it, given out={folder.path}"
    elif part == folder.policy and (kept := [a for a in judged_by(folder) if folder.own(str(a)).is_dir()]):
        why = f": it keeps what one's own agents have learned; say {', '.join(f'{a}@{folder.path}' for a in kept)}"
    elif part == folder.policy and TUNED not in judged_by(folder):
        why = f": {TUNED} is not among its agents; its command with {TUNED} in agents=... and out={folder.path} adds it"
        why += f"; oracle@{folder.path} acts in its worlds without training"
    else:
        failed = f"{TUNED} has failed, as tables.md then says, or " if part == folder.policy else ""
        why = f", though the run is finished: {failed}the folder is not whole; give the folder as the run has left it"
    return UserError(f"{folder.path}: has no model/{part.name}{why}")


def _of_own_log(folder: RunFolder) -> bool:
    """Whether the run was one on a log in which no agent acts."""
    return _finished(folder) and folder.prior_of_log.is_dir() and not folder.prior.is_dir()


def _finished(folder: RunFolder) -> bool:
    return (folder.path / CONFIG).exists() and folder.config().get("finished") is True


def judged_by(folder: RunFolder) -> list[object]:
    """The agents of a run, as far as it says."""
    agents = folder.config().get("agents_judged") if (folder.path / CONFIG).exists() else None
    return agents if isinstance(agents, list) else []
