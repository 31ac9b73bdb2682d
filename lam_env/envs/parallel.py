"""An agent for each person: the single environment, decision point by decision point, as PettingZoo has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex, cast

import gymnasium as gym
import numpy as np

from lam_env.core.contracts import Observation
from lam_env.core.errors import UserError
from lam_env.core.events import SENSOR, USER
from lam_env.envs.render import Frame
from lam_env.envs.scenario import Scenario
from lam_env.envs.single import LamEnv
from lam_env.sim.persons import PersonalWorld

try:
    from pettingzoo import ParallelEnv
except ModuleNotFoundError:  # an extra: without it the class can be read about and not be made
    ParallelEnv = object


class LamParallelEnv(ParallelEnv):
    """One agent for each person, `person_0` and so on: those who may be advised in traffic, the residents of a home.

    A step is one decision point of `LamEnv`, and `turn` names the agent whose it is. The actions of all others are for
    nothing: their mask allows none alone, and they are shown what they saw at their last turn, or zeros before the
    first. `infos[agent]["turn"]` says whether it is an agent's turn. So the world is that of `LamEnv`: agents of one
    policy that looks at nothing but the observation bring what it brings there.

    Where decision points are persons' (traffic), they are the agents' own, and an agent is paid what its turn has
    brought once it is asked again, or at the end. Elsewhere (the home) nobody tells a sensor who moved: it is the turn
    of the agent whose person was heard last, by an act or a sensor, which says more than the home's sensors do. Each
    then sees the home as it is, and is paid all that the home pays: they work together.

    `reset(options={"day": 28})` starts on a later day; options that the kit does not know are for nothing. At an
    episode's end the info of each agent holds its `totals`, as that of `LamEnv` does. Further keyword arguments are
    those of `LamEnv`. `pettingzoo.utils.parallel_to_aec` makes an AECEnv of it. UserError without PettingZoo.
    """

    metadata = {**LamEnv.metadata, "name": "lam_env", "is_parallelizable": True}  # noqa: RUF012

    def __init__(self, scenario: str | Scenario = "smart_home", **more: Any):
        if ParallelEnv is object:
            raise UserError("LamParallelEnv needs PettingZoo: pip install 'lam-env[pettingzoo]'")
        self.env = LamEnv(scenario, **more)
        self.env.record |= not self.env.scenario.personal  # what is recorded tells who was heard last
        self.render_mode = self.env.render_mode
        self.possible_agents = [f"person_{i}" for i in range(_people(self.env.scenario))]
        self.agents: list[str] = []
        self.observation_spaces = dict.fromkeys(self.possible_agents, cast(Any, self.env.observation_space))
        self.action_spaces = dict.fromkeys(self.possible_agents, cast(Any, self.env.action_space))
        self._nothing = np.eye(1, self.env.n_actions, dtype=np.int8)[0]  # a mask: none alone
        zeros = {k: np.zeros(s.shape, s.dtype) for k, s in cast(Any, self.env.observation_space).items()}
        self._blank = {**zeros, "action_mask": self._nothing}
        self._shown: dict[str, Observation] = {}
        self._asked = self._known = 0

    @property
    def turn(self) -> str:
        """The agent that decides now."""
        return self.possible_agents[self._asked]

    @property
    def _crowd(self) -> bool:
        return self.env.scenario.personal and len(self.possible_agents) > 1

    def observation_space(self, agent: str) -> gym.Space[Any]:
        """What the agent is shown: the same object at each call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gym.Space[Any]:
        """What the agent may do: the same object at each call."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """A new episode; `options={"day": 28}` begins it on a later day."""
        day = {k: v for k, v in (options or {}).items() if k == "day"}
        observation, _ = self.env.reset(seed=seed, options=day)
        self.agents = list(self.possible_agents)
        self._shown = dict.fromkeys(self.agents, self._blank)
        self._asked = self._known = 0
        self._listen()
        return self._observations(observation), self._infos({})

    def step(
        self, actions: Mapping[str, SupportsIndex]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """UserError where the agent whose turn it is has no action, or one that is not in its space."""
        if self.agents and self.turn not in actions:
            raise UserError(f"step: it is the turn of {self.turn}, and it has no action; give it one, 0 for none")
        observation, reward, terminated, truncated, info = self.env.step(actions.get(self.turn, 0))
        agents, over = self.agents, terminated or truncated
        self._listen()
        shown, totals = self._observations(observation), {"totals": info["totals"]} if over else {}
        rewards, infos = self._rewards(reward, over), self._infos(totals)
        if over:
            self.agents = []
        return shown, rewards, dict.fromkeys(agents, terminated), dict.fromkeys(agents, truncated), infos

    def _listen(self) -> None:
        """Whose turn it is."""
        world = cast(Any, self.env.world)
        if self.env.scenario.personal:
            self._asked = world.person
            return
        heard = [event.user for event in world.records[self._known :] if event.kind in (USER, SENSOR)]
        self._asked, self._known = (heard or [self._asked])[-1], len(world.records)

    def _observations(self, observation: Observation) -> dict[str, Observation]:
        """What each is shown; the others remember it as it stands at their turn."""
        shown = self._shown | {self.turn: observation}
        self._shown[self.turn] = {**observation, "action_mask": self._nothing}
        return shown

    def _rewards(self, reward: float, over: bool) -> dict[str, float]:
        if not self._crowd:
            return dict.fromkeys(self.agents, reward)
        world = cast(PersonalWorld, self.env.world)
        rewards: Sequence[float] = world.owed() if over else [0.0] * len(self.agents)
        paid = dict(zip(self.agents, rewards, strict=True))
        if not over:  # it has been asked again
            paid[self.turn] = world.credit
        return paid

    def _infos(self, more: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return {agent: {"turn": agent == self.turn, **more} for agent in self.agents}

    def render(self) -> Frame:
        """As `LamEnv` draws it."""
        return self.env.render()

    def close(self) -> None:
        """As `LamEnv` has it."""
        self.env.close()


def _people(scenario: Scenario) -> int:
    """How many a world asks, which it says itself, or who live in it."""
    if not scenario.personal:
        return scenario.n_users
    env = LamEnv(scenario)
    env.reset(seed=0)
    return len(cast(PersonalWorld, env.world).persons)
