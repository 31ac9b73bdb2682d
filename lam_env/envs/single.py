"""The one Gymnasium environment of the kit: a scenario's world, one agent action at a time."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv

from lam_env.config.convert import short
from lam_env.core import registry
from lam_env.core.catalogue import ACCEPT_RATE, KPI, MASKED, OVERRIDE_RATE, RETURN, TERM, UTILITY, UTILITY_TERM
from lam_env.core.errors import UserError
from lam_env.core.observation import ObservationRows
from lam_env.core.seeds import checked, unseeded
from lam_env.core.units import DAY
from lam_env.envs.copies import Copied, Lived, Past
from lam_env.envs.render import MODES, Frame, Renderer, check_mode
from lam_env.envs.scenario import Scenario
from lam_env.envs.spaces import observation_space
from lam_env.sim.world import World

LAST_DAY = 36_525  # a hundred years


def find_scenario(scenario: str | Scenario, settings: Mapping[str, object]) -> Scenario:
    return scenario if isinstance(scenario, Scenario) else registry.scenario(scenario)(**settings)


def check_reveal(reveal: Sequence[str]) -> tuple[str, ...]:
    if isinstance(reveal, str) or not set(reveal) <= {"latent", "plan"}:
        raise UserError(f'reveal={reveal!r}: give a list of "latent" and "plan"')
    return tuple(reveal)


def check_options(options: Mapping[str, Any] | None, known: Sequence[str] = ("day",)) -> int:
    """The day on which `reset` is to start; UserError for one that cannot be, and for options that there are not."""
    options = options or {}
    if unknown := sorted(set(options) - set(known)):
        raise UserError(f"reset: no option {unknown[0]!r}; there is {' and '.join(known)}")
    day = whole(options.get("day", 0))
    if not 0 <= day <= LAST_DAY:
        raise UserError(f"reset: day {short(options['day'])}; give a whole number from 0 to {LAST_DAY:,}")
    return day


def check_open(env: LamEnv | VectorEnv[Any, Any, Any]) -> None:
    """Gymnasium's ClosedEnvironmentError once it has been closed."""
    if env.closed:
        raise gym.error.ClosedEnvironmentError("the environment is closed: make another")


def whole(number: Any) -> int:
    """-1 if it is no whole number."""
    try:
        return operator.index(number)
    except TypeError:
        return -1


class LamEnv(Copied, gym.Env[dict[str, np.ndarray], SupportsIndex]):
    """A world with its people. A time limit truncates an episode; one without people any more is terminated.

    `reset(seed=s)` gives the people of seed s in their first episode; without a seed the next reset meets fresh people.
    `reset(options={"day": 28})` starts on a later day. `reveal=("latent", "plan")` adds what is hidden to the
    observation (for oracles and diagnosis). `record`: the world keeps its events. `render()` shows the world at the
    decision point, see `Renderer`. Further keyword arguments are the scenario's settings.

    `info` of a step holds `reward_terms`, the amounts of the reward's terms since the step before; `masked`, how many
    actions so far were not possible; where decisions are single persons', also after `reset`, `person`, whose turn it
    is, and `credit`, the reward that their turn before has brought; at an episode's end `totals`, per person and day,
    with the true utility as `utility.total` (see `totals`).

    `branch()`, `copy.deepcopy` and `pickle` give an environment that goes on as this one would, see `Copied`.
    """

    metadata = {"render_modes": list(MODES), "render_fps": 4}  # noqa: RUF012
    _place = "world"
    closed = False

    def __init__(
        self,
        scenario: str | Scenario = "smart_home",
        render_mode: str | None = None,
        reveal: Sequence[str] = (),
        record: bool = False,
        **settings: object,
    ):
        self.scenario = find_scenario(scenario, settings)
        self.render_mode, self.reveal = check_mode(render_mode), check_reveal(reveal)
        self.record = record or bool(render_mode)
        self.vocabulary = self.scenario.vocabulary
        self.n_actions = len(self.vocabulary)
        n_latent = len(self.scenario.latent_names) if "latent" in reveal else 0
        space: Any = observation_space(self.vocabulary, n_latent, "plan" in reveal)
        self.observation_space = space
        self.action_space = gym.spaces.Discrete(self.n_actions)
        self._renderer = Renderer(self.scenario, render_mode)
        self._row = ObservationRows(1, self.vocabulary, n_latent, "plan" in reveal).row(0)
        self.world: World | None = None
        self._lived: Lived | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        check_open(self)
        day, given = check_options(options), None if seed is None else checked(seed)
        super().reset(seed=given)
        before = self._lived
        if given is not None or before is None:
            before = Lived.none(unseeded(self.np_random) if given is None else given)
        return self._begin(before.next(day))

    def _begin(self, lived: Lived) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        self._lived = lived
        self.world = lived.world(self.scenario, self._row, self.record, self.reveal)
        self._renderer.begin(self.world)
        return self._row.observe(), reset_info(self.scenario, self.world)

    def step(self, action: SupportsIndex) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Carries out an action, an impossible one (`action_masks`) as none: `info["masked"]` counts those. Gymnasium's
        ResetNeeded before the first reset, and once an episode is over; its ClosedEnvironmentError after `close`."""
        check_open(self)
        world, chosen = self.world, action if action.__class__ is int else whole(action)
        if not 0 <= chosen < self.n_actions:
            give = f"give a whole number from 0 to {self.n_actions - 1}"
            raise UserError(f"step: action {short(action)} is not in the action space; {give}")
        if world is None or self._lived is None or world.now >= world.end:
            raise gym.error.ResetNeeded(
                "call reset before step" if world is None else "the episode is over: call reset"
            )
        before = world.now
        self._lived.actions.append(chosen)
        done = world.step(chosen)
        if self.render_mode is not None:
            self._renderer.step(world, before)
        info = step_info(self.scenario, world, done)
        gone = done and world.terminated
        return self._row.observe(), world.reward, gone, done and not gone, info

    def past(self) -> Past:
        """The running episode as plain data, which may be saved as JSON and given to `live_again`."""
        if self._lived is None:
            raise gym.error.ResetNeeded("call reset before past")
        return self._lived.past()

    def live_again(self, past: Past) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Come to where that episode of the same settings was, as by `reset` and its actions."""
        check_open(self)
        checked(past["seed"])
        return self._begin(Lived(**past))

    def _quick(self) -> bool:
        return self.world is None or self.world.quick

    def _live_again(self) -> None:
        if self._lived is not None:
            self.world = self._lived.world(self.scenario, self._row, self.record, self.reveal)

    def close(self) -> None:
        self.closed = True

    def action_masks(self) -> np.ndarray:
        """(A,) bool: what is possible now; anything else is carried out as none."""
        return np.array(self._row.mask, bool)

    def render(self) -> Frame:  # type: ignore[override]
        return None if self.world is None else self._renderer.render(self.world)


def reset_info(scenario: Scenario, world: World) -> dict[str, Any]:
    """`info` after a reset, as the class says."""
    return {"person": world.person, "credit": world.credit} if scenario.personal else {}


def step_info(scenario: Scenario, world: World, over: bool) -> dict[str, Any]:
    """`info` of a step, as the class says."""
    info: dict[str, Any] = {"reward_terms": world.reward_terms, "masked": world.masked}
    if scenario.personal:
        info |= reset_info(scenario, world)
    if over:
        info["totals"] = totals(scenario, world)
    return info


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
    return {name: float(value) for name, value in scores.items()}
