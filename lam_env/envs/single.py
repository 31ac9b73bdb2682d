"""The one Gymnasium environment of the kit: a scenario's world, one agent action at a time."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex

import gymnasium as gym
import numpy as np

from lam_env.config.convert import short
from lam_env.core import registry
from lam_env.core.catalogue import ACCEPT_RATE, KPI, MASKED, OVERRIDE_RATE, RETURN, TERM, UTILITY, UTILITY_TERM
from lam_env.core.errors import UserError
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.seeds import checked, unseeded
from lam_env.core.units import DAY
from lam_env.envs.pixels import rgb_array
from lam_env.envs.scenario import Scenario
from lam_env.envs.scene import Scene
from lam_env.envs.spaces import observation_space
from lam_env.sim.world import World


def find_scenario(scenario: str | Scenario, settings: Mapping[str, object]) -> Scenario:
    return scenario if isinstance(scenario, Scenario) else registry.scenario(scenario)(**settings)


def check_reveal(reveal: Sequence[str]) -> tuple[str, ...]:
    if isinstance(reveal, str) or not set(reveal) <= {"latent", "plan"}:
        raise UserError(f'reveal={reveal!r}: give a list of "latent" and "plan"')
    return tuple(reveal)


def _whole(action: SupportsIndex) -> int:
    """-1 if it is no whole number."""
    try:
        return operator.index(action)
    except TypeError:
        return -1


class LamEnv(gym.Env[dict[str, np.ndarray], SupportsIndex]):
    """A world with its people. The time limit truncates an episode; nothing terminates it.

    `reset(seed=s)` gives the people of seed s in their first episode; without a seed the next reset meets fresh people.
    `reset(options={"day": 28})` starts on a later day. `reveal=("latent", "plan")` adds what is hidden to the
    observation (for oracles and diagnosis). `render()` shows the world at the decision point; in the mode
    "rgb_array_list" it gives all pictures since it was last called, with those between two decision points where the
    scenario has such, as the rush of a day whose decisions fall before it. `settings`: the scenario's.
    """

    metadata = {"render_modes": ["ansi", "rgb_array", "rgb_array_list", "human"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        scenario: str | Scenario = "smart_home",
        render_mode: str | None = None,
        reveal: Sequence[str] = (),
        record: bool = False,
        **settings: object,
    ):
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise UserError(f"render_mode {render_mode!r}: there are {', '.join(self.metadata['render_modes'])}")
        self.scenario = find_scenario(scenario, settings)
        self.render_mode, self.reveal, self.record = render_mode, check_reveal(reveal), record or bool(render_mode)
        self.vocabulary = self.scenario.vocabulary
        self.n_actions = len(self.vocabulary)
        n_latent = len(self.scenario.latent_names) if "latent" in reveal else 0
        space: Any = observation_space(self.vocabulary, n_latent, "plan" in reveal)
        self.observation_space = space
        self.action_space = gym.spaces.Discrete(self.n_actions)
        self._scenes: list[Scene] = []  # not drawn yet, in the mode rgb_array_list
        self._row = ObservationRows(1, self.vocabulary, n_latent, "plan" in reveal).row(0)
        self.world: World | None = None
        self._seed: int | None = None
        self._episode = -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        seed = None if seed is None else checked(seed)
        super().reset(seed=seed)
        if seed is not None:
            self._seed, self._episode = seed, -1
        elif self._seed is None:
            self._seed = unseeded(self.np_random)
        self._episode += 1
        self.world = self.scenario.make_world(
            Streams(self._seed, self._episode),
            self._row,
            day=(options or {}).get("day", 0),
            record=self.record,
            reveal=self.reveal,
        )
        self._scenes = [self.scenario.scene(self.world)] if self.render_mode == "rgb_array_list" else []
        return self._row.observe(), {}

    def step(self, action: SupportsIndex) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Carries out an action, an impossible one (`action_masks`) as none: `info["masked"]` counts those."""
        world, chosen = self.world, action if action.__class__ is int else _whole(action)
        if not 0 <= chosen < self.n_actions:
            give = f"give a whole number from 0 to {self.n_actions - 1}"
            raise UserError(f"step: action {short(action)} is not in the action space; {give}")
        if world is None:
            raise gym.error.ResetNeeded("call reset before step")
        before = world.now
        done = world.step(chosen)
        if self.render_mode == "rgb_array_list":
            self._scenes += self.scenario.scenes(world, before)
        info = {"reward_terms": world.reward_terms, "masked": world.masked}
        if done:
            info["totals"] = totals(self.scenario, world)
        return self._row.observe(), world.reward, False, done, info

    def action_masks(self) -> np.ndarray:
        """(A,) bool: what is possible now; anything else is carried out as none."""
        return np.array(self._row.mask, bool)

    def render(self) -> str | np.ndarray | list[np.ndarray] | None:  # type: ignore[override]
        if self.render_mode is None or self.world is None:
            return None
        if self.render_mode == "rgb_array_list":
            scenes, self._scenes = self._scenes, []
            return [rgb_array(scene) for scene in scenes]
        if self.render_mode == "rgb_array":
            return rgb_array(self.scenario.scene(self.world))
        text = self.scenario.text(self.world)
        if self.render_mode == "human":
            print(text)
            return None
        return text


def totals(scenario: Scenario, world: World) -> dict[str, float]:
    """What an episode came to: return, utility per person and day, their terms, KPIs, and how acts were taken."""
    person_days = scenario.n_users * (world.now - world.start) / world.second / DAY
    scores = {
        RETURN.id: sum(world.reward_weights[k] * v for k, v in world.reward_totals.items()) / person_days,
        UTILITY.id: world.utility() / person_days,
        MASKED.id: float(world.masked),
    }
    scores |= TERM.ids({k: v / person_days for k, v in world.reward_totals.items()})
    scores |= UTILITY_TERM.ids({k: world.utility_weights[k] * v / person_days for k, v in world.utility_totals.items()})
    scores |= KPI.ids(scenario.kpis(world))
    if (answers := scenario.answers(world)) is not None:
        scores[ACCEPT_RATE.id] = answers.accepted / max(1, answers.answered)
        scores[OVERRIDE_RATE.id] = answers.overridden / max(1, answers.acts)
    return scores
