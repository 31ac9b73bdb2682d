"""The kernel: a SimPy world with an integer clock that stops at every decision point."""

from __future__ import annotations

from collections.abc import Callable, Collection
from heapq import heappop
from typing import Any, ClassVar

from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, Event, Vocabulary
from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.core.shared import Record
from lam_env.sim.schedule import FOREVER, Call, Schedule
from lam_env.sim.user import Course, User

Hidden = Callable[[Any], object]  # world -> the numbers of `row.latent` or `row.plan`
MAX_ACTS = 4  # effective agent actions at one instant


class World:
    """One world of a scenario. Scenarios subclass it and write their state into `row` as it changes.

    Times are integer ticks. `env` is SimPy's environment. People live in it by `add`, or as processes of SimPy; all
    else is called at absolute times by `call_at`. A decision point is raised by a flag while SimPy's queue is stepped:
    two events at one instant give two decision points. At most one token may be raised by one event. `timer`: quiet
    time after which a decision point is raised (None: never).

    Compulsory:
      `row.mask`          1 for each action that is possible now, 0 for others; from the start, and always 1 for none
      `act`               what an action of the agent does
      `user_event`        for each action of a person; `sensor_event` and `reading` for all else that can be sensed, so
                          that it is logged; what an event changes is read before it, so that a log's decisions see what
                          was shown
      `feedback_event`    for what people say of an action of the agent, acceptance (`good` True) and refusal (False)
                          alike. `answers` is the id of that action: `agent_acts` while `act` is called
      `earn`, `utility_totals`  reward as it is earned; amounts of the utility's terms, added to the dictionary
    The first decision is at `start`, before anything has happened: `__init__` schedules what comes by `call_at` and
    leaves it at that. Only a `PersonalWorld`, where a decision is somebody's, calls `run_until_decision()` at its end.
    Optional: `advance` with `next_tick`, `release`, `finish`, and `reveal`, which fills `row.latent` and `row.plan`;
    `terminate()` is called when nobody is left. `quick = True` of a world that is data and calls of its methods, no
    generators, lambdas or SimPy events: its environment is then copied as it stands, and not lived again.
    """

    second = 1  # ticks in a second
    quick: ClassVar[bool] = False  # whether a copy of all that it holds goes on alike; else copies live it again

    # compact: of many worlds in turn, a step of each should touch little memory
    __slots__ = (
        *("streams", "row", "vocabulary", "env", "now", "start", "end", "timer", "next_tick", "records", "reveal"),
        *("reward", "reward_weights", "utility_weights", "reward_terms", "reward_totals", "utility_totals"),
        *("masked", "acts", "agent_acts", "prob", "person", "credit", "terminated", "call_at", "courses"),
        *("_first_sensor", "_raised", "_new"),
    )

    def __init__(
        self,
        streams: Streams,
        row: ObservationRow,
        vocabulary: Vocabulary,
        *,
        start: int,
        end: int,
        timer: int | None,
        reward_weights: dict[str, float],
        utility_weights: dict[str, float],
        record: bool = False,
    ):
        self.streams, self.row, self.vocabulary = streams, row, vocabulary
        self.env = Schedule(start)
        self.call_at = self.env.call_at
        self.courses: dict[int, Course] = {}  # of the people who were added, by their numbers
        self.now, self.start, self.end, self.timer = start, start, end, timer
        self.records: list[Event] | None = Record() if record else None
        self.reward = 0.0
        self.reward_weights, self.utility_weights = reward_weights, utility_weights
        self.reward_terms: dict[str, float] = {}  # since the last step, unweighted
        self.reward_totals = dict.fromkeys(reward_weights, 0.0)
        self.utility_totals = dict.fromkeys(utility_weights, 0.0)
        self.masked = 0  # agent actions that were not possible
        self.acts = 0  # effective agent actions at this instant
        self.agent_acts = 0  # agent events so far: the id of the next one
        self.prob = float("nan")  # probability with which the agent chose; set by whoever records
        self.person, self.credit = 0, 0.0  # whose decision point it is, and what they brought since theirs before
        self.terminated = False
        self._raised = False
        self._first_sensor = len(vocabulary)  # its token
        self._new = 0
        self.reveal: Callable[[Any], None] | None = None  # fills row.latent and row.plan at every decision point
        self.next_tick: float = FOREVER  # when `advance` is next due
        row.clear()
        row.epoch[0] = start

    # -- what scenarios give ------------------------------------------------------------------------------------------

    def act(self, action: int) -> None:
        """Carry out a possible agent action."""
        raise NotImplementedError(f"{type(self).__name__}.act is missing: say what an action of the agent does")

    def advance(self) -> None:
        """What depends on time alone (temperatures, daylight) makes a step at `now`; moves `next_tick`."""

    def release(self) -> None:
        """The instant at which the agent acted is over."""

    def finish(self) -> None:
        """The episode is over: book what is still running."""

    # -- the step loop ------------------------------------------------------------------------------------------------

    def step(self, action: int) -> bool:
        """Apply the agent's action and run to the next decision point; True when the time limit is reached."""
        self.reward_terms, self.reward = {}, 0.0
        if action:
            row = self.row
            if row.mask[action]:
                row.push(action, self.now)
                self._new += 1
                if self.records is not None:
                    self.records.append(Event(self.now, 0, AGENT, action, prob=self.prob))
                self.act(action)
                self.agent_acts += 1
                self.acts += 1
                if self.acts < MAX_ACTS:  # a follow-up decision at the same instant
                    row.epoch[3], row.epoch[4] = self._new, self.acts
                    if self.reveal is not None:
                        self.reveal(self)
                    return False
            else:
                self.masked += 1
        if self.acts:
            self.acts = self.row.epoch[4] = 0
            self.release()
        return self.run_until_decision()

    def run_until_decision(self) -> bool:
        """Step SimPy's queue until a decision point is raised or the timer runs out; True at the end."""
        env, before, tick = self.env, self.now, self.next_tick
        queue = env.queue
        deadline: Any = FOREVER if self.timer is None else before + self.timer
        limit = deadline if deadline < self.end else self.end - 1
        self._raised = False
        while True:
            time: Any = queue[0][0] if queue else FOREVER
            if time <= limit:
                if time < tick:
                    self.now = env.now = time
                    event = queue[0][3]
                    if event.__class__ is Call:
                        heappop(queue)
                        event.function(event.value)
                    else:
                        env.step()
                    if self._raised:
                        break
                    continue
            elif limit < tick:
                self.now = env.now = limit if limit == deadline and not self.terminated else self.end
                if self.now >= self.end:
                    self.finish()
                break
            self.now = env.now = int(tick)
            self.advance()  # may schedule something before `time`
            tick = self.next_tick
        self._write_epoch(before)
        if self.reveal is not None:
            self.reveal(self)
        return self.now >= self.end

    def _write_epoch(self, before: int) -> None:
        """The decision point's time, gap and number of new tokens; `before`: time of the one before."""
        now, epoch = self.now, self.row.epoch
        epoch[0], epoch[1], epoch[3] = now, now - before, self._new
        self._new = 0

    def terminate(self) -> None:
        """Nobody is there any more: what is still to come is dropped, and the episode is not truncated but terminated.

        Time goes on to `end` all the same: what people get is counted per day of the whole episode.
        """
        self.terminated = True
        self.env.queue.clear()

    @property
    def asked(self) -> bool:
        """Whether a decision point has been raised, which comes before time goes on."""
        return self._raised

    def add(self, person: User) -> None:
        """Let a person live here: `person.behave(self)` begins with an event of its own, from now on."""
        course = self.courses[person.index] = Course(self.env, person, self)
        self.call_at(self.now, course.begin)

    # -- what happens in it -------------------------------------------------------------------------------------------

    def user_event(self, user: int, action: int, answers: int = -1) -> None:
        """A person acts: raises a decision point."""
        self.row.push(action, self.now)
        self._new += 1
        self._raised = True
        if self.records is not None:
            self.records.append(Event(self.now, user, USER, action, answers=answers))

    def sensor_event(self, sensor: int, user: int = 0) -> None:
        """A sensor fires: raises a decision point."""
        self.row.push(self._first_sensor + sensor, self.now)
        self._new += 1
        self._raised = True
        if self.records is not None:
            self.records.append(Event(self.now, user, SENSOR, sensor))

    def reading(self, channel: int, value: float) -> None:
        """A numeric reading changes; no decision point."""
        self.row.context[channel] = value
        if self.records is not None:
            self.records.append(Event(self.now, 0, READING, channel, value))

    def feedback_event(self, user: int, token: int, action: int, answers: int, value: float, good: bool | None) -> None:
        """Feedback on agent action `action` (its event `answers`); `good` None: it says nothing of acceptance."""
        if action:
            self.row.hear(self.now // self.second, token, action, good)
        if self.records is not None:
            self.records.append(Event(self.now, user, FEEDBACK, token, value, answers))

    def earn(self, term: str, amount: float = 1.0) -> float:
        """Book an amount of a reward term; returns the reward it is. UserError: the term has no weight."""
        if term not in self.reward_weights:
            known = ", ".join(self.reward_weights) or "none"
            raise UserError(f"reward term {term!r} has no weight; add it to reward_weights, which holds {known}")
        reward, terms = self.reward_weights[term] * amount, self.reward_terms
        self.reward += reward
        terms[term] = terms.get(term, 0.0) + amount
        self.reward_totals[term] += amount
        return reward

    def utility(self) -> float:
        """The hidden true utility so far."""
        weights = self.utility_weights
        return sum(weights[k] * v for k, v in self.utility_totals.items())


def write_hidden(what: Collection[str], latent: Hidden, plan: Hidden, world: World) -> None:
    """What a scenario's `reveal` does: writes `row.latent`, `row.plan` or both, as `what` names them."""
    if "latent" in what:
        world.row.latent[:] = latent(world)
    if "plan" in what:
        world.row.plan[:] = plan(world)
