"""lam_env: build and judge Large Action Models on simulated people who answer.

Importing it registers an environment per scenario with Gymnasium, `lam/SmartHome-v1` for the folder smart_home. What a
scenario, an agent or an importer of one's own needs is imported from here, whatever module defines it; that module is
loaded when its name is asked for, so that `import lam_env` is quick.
"""

from __future__ import annotations

import os
import signal
import sys

# "-m" stands there for any program until it has been found; the kit's own are told by what was typed
if sys.argv[0].endswith(("/lam", "\\lam.exe")) or (sys.argv[0] == "-m" and "-m lam_env" in " ".join(sys.orig_argv)):

    def _stopped(*_: object) -> None:
        """Of a command of the kit that is still loading: it would leave a traceback, and holds nothing half done."""
        os.write(2, b"stopped\n")
        os._exit(130)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stopped)

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the one list of public names: type checkers follow it, `_places` reads it
    from lam_env.agents.fine_tuning.features import encoder_of as encoder_of
    from lam_env.agents.guests.encoded import EncodedEnv as EncodedEnv
    from lam_env.agents.guests.encoded import EncodedVectorEnv as EncodedVectorEnv
    from lam_env.config.cli import ConfigError as ConfigError
    from lam_env.config.cli import setting as setting
    from lam_env.core.contracts import ActionPredictor as ActionPredictor
    from lam_env.core.contracts import Agent as Agent
    from lam_env.core.contracts import Policy as Policy
    from lam_env.core.contracts import Prediction as Prediction
    from lam_env.core.contracts import Training as Training
    from lam_env.core.errors import UserError as UserError
    from lam_env.core.events import AGENT as AGENT
    from lam_env.core.events import FEEDBACK as FEEDBACK
    from lam_env.core.events import READING as READING
    from lam_env.core.events import SENSOR as SENSOR
    from lam_env.core.events import USER as USER
    from lam_env.core.events import ActionLog as ActionLog
    from lam_env.core.events import Event as Event
    from lam_env.core.events import LogError as LogError
    from lam_env.core.events import Vocabulary as Vocabulary
    from lam_env.core.rng import Streams as Streams
    from lam_env.envs.check import check_scenario as check_scenario
    from lam_env.envs.parallel import LamParallelEnv as LamParallelEnv
    from lam_env.envs.pixels import rgb_array as rgb_array
    from lam_env.envs.recording import simulate_log as simulate_log
    from lam_env.envs.scenario import Scenario as Scenario
    from lam_env.envs.scenario import ScenarioError as ScenarioError
    from lam_env.envs.scenario import start_tick as start_tick
    from lam_env.envs.scene import Rectangle as Rectangle
    from lam_env.envs.scene import Scene as Scene
    from lam_env.envs.scene import Text as Text
    from lam_env.envs.single import LamEnv as LamEnv
    from lam_env.envs.spaces import Meaning as Meaning
    from lam_env.envs.vector import LamVectorEnv as LamVectorEnv
    from lam_env.experiment.finetune import finetune as finetune
    from lam_env.experiment.finetune import load_policy as load_policy
    from lam_env.experiment.finetune import pretrain as pretrain
    from lam_env.experiment.finetune import save_policy as save_policy
    from lam_env.experiment.minari_dataset import to_minari as to_minari
    from lam_env.experiment.policies import load as load
    from lam_env.logs.decision_points import decision_points as decision_points
    from lam_env.logs.input.files import read_lines as read_lines
    from lam_env.logs.tables import LogRow as LogRow
    from lam_env.logs.tables import log_of_order as log_of_order
    from lam_env.logs.tables import log_of_rows as log_of_rows
    from lam_env.sim.persons import PersonalWorld as PersonalWorld
    from lam_env.sim.user import ASKED as ASKED
    from lam_env.sim.user import User as User
    from lam_env.sim.world import World as World

__version__ = "0.1.0"


@cache
def _places() -> dict[str, str]:
    """Public name -> the module that defines it."""
    lines = ast.parse(Path(__file__).read_text("utf-8")).body
    listed = next(node for node in lines if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in listed.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


__all__ = ["__version__", "register", *_places()]


def __getattr__(name: str) -> object:
    if name not in _places():
        raise AttributeError(f"module 'lam_env' has no attribute {name!r}")
    return getattr(importlib.import_module(_places()[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def register() -> None:
    """Register every scenario with Gymnasium as lam/<Name>-v<its version>; a second call changes nothing.

    Ids of earlier versions load the present world, and Gymnasium warns that they are out of date: no old world is kept.
    """
    import gymnasium

    from lam_env.core import registry

    for name in registry.scenario_names():
        for version in range(registry.scenario_version(name) + 1):  # of an old one Gymnasium says so, and it is the new
            env_id = f"lam/{''.join(part.capitalize() for part in name.split('_'))}-v{version}"
            if env_id not in gymnasium.registry:
                gymnasium.register(
                    env_id,
                    entry_point="lam_env.envs.single:LamEnv",
                    vector_entry_point="lam_env.envs.vector:LamVectorEnv",
                    kwargs={"scenario": name},
                    order_enforce=False,  # LamEnv itself raises ResetNeeded
                    disable_env_checker=True,  # the contract test checks more, once and for all
                )


register()
