"""A world in which every decision point is one person's: what the agent senses, says and earns concerns them alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, EVERYBODY, FEEDBACK, READING, SENSOR, USER, Event, Vocabulary
from lam_env.core.observation import ObservationRow, ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.shared import Record
from lam_env.core.units import WEEK
from lam_env.sim.world import World


class PersonalWorld(World):
    """Many persons, asked one at a time. Scenarios call `ask` when a person's decision is due, and `decide` is called
    with what the agent says to it; the decision point that follows is somebody else's, or theirs another day.

    Each person has a row of memory; `ask` copies it into the world's. The first `shared` readings are everybody's, the
    others a person's own. Rows hold seconds, whatever a tick of the clock is. An action of the agent is no token of the
    person: it is advice, and can be seen in what they then do and in `feedback`. Nothing is recorded or kept before
    `begin_to_watch`, so a burn-in may come first. `credit`: reward that the person now asked has brought since they
    were asked before. `lone`: of worlds of one person, whose memory is the world's row itself: nothing is copied.
    """

    lone = False

    __slots__ = ("_credits", "_fresh", "_last_point", "_memory", "_own", "_record", "persons", "shared")

    def __init__(
        self,
        streams: Streams,
        row: ObservationRow,
        vocabulary: Vocabulary,
        n_persons: int,
        shared: int,
        *,
        start: int,
        end: int,
        record: bool = False,
        **weights: dict[str, float],
    ):
        """`weights`: those of reward and utility, as in `World`."""
        super().__init__(streams, row, vocabulary, start=start, end=end, timer=None, record=record, **weights)
        self._record = record
        if self.lone:
            self.persons = [row]
        else:
            self._memory = ObservationRows(n_persons, vocabulary)
            self._memory.last_seen[:] = -WEEK
            self.persons = self._memory.each()
            # bytes of a row that are a person's own
            self._own = slice(self._memory.starts["context"] + 4 * shared, None)
        self.records = None  # until `begin_to_watch`
        self.shared = shared
        self._credits = [0.0] * n_persons
        self._last_point = [-1] * n_persons  # when each was last asked [s]
        self._fresh = [0] * n_persons  # tokens of each since then
        row.epoch[0] = start // self.second

    # -- what scenarios give ------------------------------------------------------------------------------------------

    def decide(self, action: int) -> None:
        """The person who was asked decides, with the agent's word (0: it said nothing), before time goes on.

        It goes to who waits for it in `behave`; a scenario whose people are no such persons says what becomes of it.
        """
        if self.person not in self.courses:
            kind = type(self).__name__
            raise NotImplementedError(f"{kind}.decide is missing, or person {self.person} was asked and never added")
        self.courses[self.person].hear(action)

    # -- the step loop ------------------------------------------------------------------------------------------------

    def step(self, action: int) -> bool:
        """Give the agent's word to the person asked and run to the next one; True when the time limit is reached."""
        self.reward_terms, self.reward = {}, 0.0
        if action and not self.row.mask[action]:
            self.masked += 1
            action = 0
        if action and self.records is not None:
            self.records.append(Event(self.now, self.person, AGENT, action, prob=self.prob))
        if self._raised:
            self._raised = False
            self.decide(action)
        if action:
            self.agent_acts += 1
        return self._decision_at_once() if self._raised else self.run_until_decision()

    def _decision_at_once(self) -> bool:
        """Whoever has decided has been asked again, or somebody else has, before time went on."""
        self._write_epoch(self.now)
        if self.reveal is not None:
            self.reveal(self)
        return False

    def _write_epoch(self, before: int) -> None:
        """As the person's: since they were last asked."""
        epoch, now, person = self.row.epoch, self.now // self.second, self.person
        if self._raised:
            last = self._last_point[person]
            epoch[1], epoch[3] = 0 if last < 0 else now - last, self._fresh[person]
            self._last_point[person], self._fresh[person] = now, 0
        else:
            epoch[1] = epoch[3] = 0
        epoch[0] = now

    def ask(self, person: int, sensor: int) -> None:
        """A person's decision is due: raises a decision point by this sensor, which is no token: readings tell what is
        asked. Their mask and readings must be up to date. UserError where somebody else is deciding."""
        if self._raised:
            before = f"before person {self.person} has decided"
            raise UserError(f"person {person} is asked {before}: ask one after the other")
        if not self.lone:
            self._show(person)
        self.person, self.credit, self._credits[person] = person, self._credits[person], 0.0
        self._raised = True
        if self.records is not None:
            self.records.append(Event(self.now, person, SENSOR, sensor))

    def _show(self, person: int) -> None:
        """The person's row becomes the world's."""
        self.row.whole[self._own] = self.persons[person].whole[self._own]
        self.row.epoch[2] = person

    # -- what happens in it -------------------------------------------------------------------------------------------

    def user_event(self, user: int, action: int, answers: int = -1) -> None:
        """A person acts. It raises no decision point: people are asked before they act, not after."""
        self.persons[user].push(action, self.now // self.second)
        self._fresh[user] += 1
        if self.records is not None:
            self.records.append(Event(self.now, user, USER, action, answers=answers))

    def reading(self, channel: int, value: float, user: int = EVERYBODY) -> None:
        """A reading changes: one of the shared ones, or a person's own."""
        context = self.row.context if user == EVERYBODY else self.persons[user].context
        before = context[channel]
        context[channel] = value
        if self.records is not None and context[channel] != before:  # as float32 has it: a tenth is none of its numbers
            self.records.append(Event(self.now, user, READING, channel, value))

    def shared_readings(self, values: Sequence[float]) -> None:
        """All that everybody shares."""
        if self.records is not None:
            for channel, value in enumerate(values):
                self.reading(channel, value)
        self.row.context[: self.shared] = np.asarray(values, np.float32).data

    def own_readings(self, values: np.ndarray, who: np.ndarray) -> None:
        """Some persons' own readings: (len(who), readings less the shared ones), in the order of their numbers."""
        own, values = self._memory.context[:, self.shared :], values.astype(np.float32)
        if self.records is not None:
            for k, c in zip(*(k.tolist() for k in np.nonzero(own[who] != values)), strict=True):
                self.records.append(Event(self.now, int(who[k]), READING, self.shared + c, float(values[k, c])))
        own[who] = values

    def feedback_event(self, user: int, token: int, action: int, answers: int, value: float, good: bool | None) -> None:
        """Feedback on the agent's `action` (its event `answers`); `good` None: it says nothing of acceptance."""
        if action:
            self.persons[user].hear(self.now // self.second, token, action, good)
        if self.records is not None:
            self.records.append(Event(self.now, user, FEEDBACK, token, value, answers))

    def earn_from(self, person: int, term: str, amount: float = 1.0) -> None:
        """Book an amount of a reward term to a person: it pays for what was last said to them."""
        self._credits[person] += self.earn(term, amount)

    def owed(self) -> list[float]:
        """Each person's reward since they were last asked: their `credit`, were they asked now."""
        return list(self._credits)

    # -- burn-in ------------------------------------------------------------------------------------------------------

    def begin_to_watch(self) -> None:
        """What has happened so far was burn-in: nothing of it is booked, said or recorded; readings stay."""
        self.start, self.records = self.now, Record() if self._record else None
        self.reward, self.reward_terms, self.credit = 0.0, {}, 0.0
        self.masked = self.agent_acts = 0
        for totals in (self.reward_totals, self.utility_totals):
            totals.update(dict.fromkeys(totals, 0.0))
        n = len(self.persons)
        for memory in self.persons:
            memory.forget()
        self._credits, self._last_point, self._fresh = [0.0] * n, [-1] * n, [0] * n
        if not self.lone:
            self._show(self.person)
        for action in range(len(self.vocabulary)):  # nobody has been asked, so nothing can be said
            self.row.mask[action] = int(not action)
        if self.records is not None:
            shared = [(EVERYBODY, c, v) for c, v in enumerate(self.row.context[: self.shared].tolist())]
            each = ((i, enumerate(person.context.tolist())) for i, person in enumerate(self.persons))
            own = [(i, c, v) for i, context in each for c, v in context if c >= self.shared]
            self.records += [Event(self.now, user, READING, c, v) for user, c, v in shared + own if v]
