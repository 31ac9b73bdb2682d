"""One episode, moment by moment: what a replay or somebody who watches is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lam_env.core.contracts import Observation, Policy, complete
from lam_env.core.events import AGENT, FEEDBACK, USER, Event, Vocabulary
from lam_env.envs.play import check_actions
from lam_env.envs.scenario import Scenario
from lam_env.envs.scene import Scene
from lam_env.envs.vector import LamVectorEnv

if TYPE_CHECKING:
    from lam_env.sim.world import World

TOP = 3  # likeliest actions that are told
Expect = Callable[[Observation, np.ndarray], np.ndarray]  # (observation of one world, episode start) -> (A,) P(next)


@dataclass(frozen=True)
class Moment:
    """One decision point, before the agent's action is carried out; the last one is the episode's end.

    `expected` (A,): P(the user's next action or none), None where nobody predicts. `action`: the agent's choice, 0
    none. `since`: what was recorded after the moment before. `world` and what is drawn of it hold until the next
    moment.
    """

    time: int  # [s] since a Monday 00:00
    person: int
    expected: np.ndarray | None
    action: int
    since: tuple[Event, ...]
    world: World
    before: int  # [ticks] the moment before
    scenario: Scenario

    def scenes(self) -> list[Scene]:
        """Pictures of the time since the moment before, where the scenario has such, and of now."""
        return self.scenario.scenes(self.world, self.before)


def episode(
    policy: Policy, scenario: Scenario, seed: int, expect: Expect | None = None, day: int = 0
) -> Iterator[Moment]:
    """The moments of a policy's episode in the world `seed`, the same world as in `rollout`."""
    env = LamVectorEnv(1, scenario, record=True, reveal=complete(policy).reveal, autoreset_mode="Disabled")
    observation, _ = env.reset(seed=[seed], options={"day": day})
    world, state, start = env.worlds[0], None, np.ones(1, bool)
    recorded, before = len(world.records or ()), world.now
    ended = False
    while True:  # not `play`: a moment is before the step, its pictures too
        expected, action = None, 0
        if not ended:
            expected = expect(observation, start) if expect is not None else None
            actions, state = policy.predict(observation, state, start, True)
            action = int(check_actions(actions, 1, len(env.vocabulary))[0])
            if not observation["action_mask"][0, action]:
                action = 0  # it will be carried out as none
        epoch, since = observation["epoch"][0], tuple((world.records or ())[recorded:])
        yield Moment(int(epoch[0]), int(epoch[2]), expected, action, since, world, before, scenario)
        if ended:
            return
        recorded, before = len(world.records or ()), world.now
        observation, _, _, start, _ = env.step(np.array([action]))
        ended = bool(env.finished[0])


def likeliest(expected: np.ndarray, vocabulary: Vocabulary, top: int = TOP) -> list[tuple[str, float]]:
    """The likeliest actions with their probabilities, none not among them."""
    best = np.argsort(-expected[1:], kind="stable")[:top] + 1
    return [(vocabulary.actions[a], float(expected[a])) for a in best.tolist() if expected[a] > 0]


class EventFormatter:
    """What happened, in words: who did what, and which act of the agent an answer is about."""

    def __init__(self, scenario: Scenario):
        self.scenario = scenario
        self.acts: list[int] = []  # of the agent so far, which answers refer to

    def __call__(self, events: tuple[Event, ...]) -> list[tuple[str, str]]:
        """(who, what) of events in their order; who is "agent", "feedback" or a person's name. Readings and sensors are
        left out."""
        out, v = [], self.scenario.vocabulary
        for e in events:
            if e.kind == AGENT and e.token:
                self.acts.append(e.token)
                out.append(("agent", v.actions[e.token]))
            elif e.kind == USER and e.token:
                out.append((self.scenario.person(e.user), v.actions[e.token]))
            elif e.kind == FEEDBACK:
                about = f" ({v.actions[self.acts[e.answers]]})" if 0 <= e.answers < len(self.acts) else ""
                sign = f" {e.value:+g}" if v.feedback[e.token] == "rating" else ""
                out.append(("feedback", f"{self.scenario.person(e.user)}: {v.feedback[e.token]}{sign}{about}"))
        return out
