"""lam_env: build and judge Large Action Models on simulated people who answer.

Importing it registers an environment per scenario with Gymnasium, `lam/SmartHome-v0` for the folder smart_home.
"""

from __future__ import annotations

import os
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load", "register"]


def load(run: str | os.PathLike[str]) -> Any:
    """What a run folder holds to act by, for one's own stream of events: a `lam_env.agents.serving.Assistant`, or where it advises
    persons a `lam_env.agents.serving_persons.Adviser`. It is the tuned policy or, if the run was to tune none, the predictor and a threshold."""
    from lam_env.policies import assistant

    return assistant(run)


def register() -> None:
    """Register every scenario with Gymnasium as lam/<Name>-v0; a second call changes nothing."""
    import gymnasium

    from lam_env import registry

    for name in registry.scenario_names():
        env_id = f"lam/{''.join(part.capitalize() for part in name.split('_'))}-v0"
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
