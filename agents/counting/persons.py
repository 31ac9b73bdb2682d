"""Counts for persons of their own: what somebody with a repertoire of their own (places, apps, shops) does next.

A conditional logit (McFadden, 1974) over what the person has done before, and over something new: the utility of each
is a weighted sum of the logs of what experts say, which is a product of experts. An expert counts what followed one
context, at one speed of forgetting. The weights are learned from all persons of a log and go on for each, by a step of
stochastic natural gradient (Amari, 1998) with the information of `MASS` decision points behind the common ones. What is
new is what everybody does, less what the person has done. Somebody never seen starts from the common weights and from
no counts. Reading is stepping: there is one way to say a thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from lam_env.core.contracts import Prediction
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import DecisionPoints

from ..states import fresh
from .counts import keys_of
from .history import DEPTH, History, of_log, of_step, push
from .ledger import Ledger, pieces, user_action, whole
from .logit import Choices, fitted
from .tables import CountTable, count_outcomes

CONTEXTS = ("", "last", "second", "last second", "hour weekend", "last 3h", "day 3h")
SPEEDS = (1.0, 0.97, 0.9, 0.6)  # of forgetting: what a count is multiplied by when its context comes again
MORE = 6  # features besides those of contexts and speeds
SIZE = len(CONTEXTS) * len(SPEEDS) + MORE
BACK = 1.0  # counts that an expert's word about a context has from what the person does in all
EVERYBODY = 4.0  # counts that what follows a token has from what everybody does in all
LATELY = 0.98  # decay of the share of new things
MASS = 300.0
MOST_ALTERNATIVES = 600_000  # of all choices that weights are learned from
LEAST_ACTIONS, LEAST_STREAMS = 64, 5  # of a log whose persons may be streams of their own
LEAST_TIMES = 2  # that a person does one of them
MOST_SHARED = 20  # persons by whom one of them is done
MOST_OWN = 1000  # different actions of a person: a word costs as much


class Common(NamedTuple):
    """Weights (K,) with which everybody begins; `covariance` (K, K), the inverse of Fisher's information of a choice
    about them; and how many choices of a person's own they are worth."""

    weights: np.ndarray
    covariance: np.ndarray
    mass: float = MASS


class Person:
    """One person's stream: counts, weights, and the word that awaits its outcome. What they have done is numbered in
    the order in which they did it first: their repertoire, `used`."""

    def __init__(self, weights: np.ndarray):
        self.ledger, self.weights, self.heard = Ledger(SPEEDS), weights, 0
        self.used, self.place, self.seen = list[int](), dict[int, int](), list[int]()
        self.new, self.rows, self.last = 1.0, 2.0, 0  # new things and decision points of late; place of what came last
        self.contexts: list[int] = []  # that await their outcome
        self.x, self.p = np.zeros((0, SIZE)), np.zeros(0)  # features and probabilities of the last word

    def hears(self, action: int, time: int, common: Common) -> int:
        """What has been done since the last word; returns its place."""
        if not self.contexts and not action:
            return 0  # the stream begins without an event
        place = self.place.setdefault(action, len(self.used))
        new = place == len(self.used)
        if len(self.p):
            step = common.covariance @ (self.x[place] - self.p @ self.x) / (common.mass + self.heard)
            # whatever is rare in the log, no single choice turns anything round
            self.weights = self.weights + step / max(1.0, float(np.abs(self.x @ step).max()))
        if self.contexts:
            self.heard += 1
            self.new, self.rows = LATELY * self.new + new, LATELY * self.rows + 1
            self.ledger.add(self.contexts, place)
        if new:
            self.used.append(action)
            self.seen.append(time)
        self.seen[place], self.last = time, place
        return place

    def waits(self, contexts: list[int]) -> None:
        """Says nothing, but counts what comes."""
        self.contexts, self.x, self.p = contexts, self.x[:0], self.p[:0]

    def chooses(self, contexts: list[int], time: int, everybody: np.ndarray) -> None:
        """Weighs what comes next; `everybody` (A,): what follows in the whole log."""
        self.contexts, self.x = contexts, self._features(contexts, time, everybody)
        utility = self.x @ self.weights
        p = np.exp(utility - utility.max())
        self.p = p / p.sum()

    def says(self, everybody: np.ndarray) -> np.ndarray:
        """(A,) probability of each next action."""
        said = everybody.copy()
        said[self.used] = 0
        rest, new = said.sum(), self.p[-1]
        said *= new / rest if rest > 0 else 0
        said[self.used] = self.p[:-1] if rest > 0 else self.p[:-1] / (1 - new)
        return said

    def _features(self, contexts: list[int], time: int, everybody: np.ndarray) -> np.ndarray:
        """(m + 1, K) of what has been used, and of something new."""
        m = len(self.used)
        counts = np.zeros((len(CONTEXTS), len(SPEEDS), m + 1))
        context, place, held = self.ledger.of(contexts)
        counts[context, :, place] = held
        share, usual = self.new / self.rows, counts[0, 0] + 0.3
        usual *= (1 - share) / (usual[:m].sum() or 1)
        usual[m] = share
        counts += BACK * usual
        counts /= counts.sum(2, keepdims=True)
        x = np.zeros((SIZE, m + 1))
        x[:-MORE] = counts.reshape(-1, m + 1)
        x[-MORE, :m] = everybody[self.used]
        x[-MORE, m] = 1 - x[-MORE].sum()
        np.log(np.maximum(x[: 1 - MORE], 1e-9), out=x[: 1 - MORE])
        x[-5, m], x[-4, m], x[-3, m] = 1, np.log1p(m), np.log1p(self.heard)
        x[-2, :m] = np.log1p(np.maximum(time - np.array(self.seen), 0) / 3600)
        if m:
            x[-1, self.last] = 1
        return x.T

    def state_dict(self) -> dict[str, object]:
        numbers = {name: getattr(self, name) for name in _PLAIN}
        return {**numbers, "ledger": self.ledger.state_dict()}

    @classmethod
    def of_state(cls, state: dict[str, object]) -> Person:
        out = cls(np.zeros(0))
        for name in _PLAIN:
            setattr(out, name, state[name])
        out.place = {action: place for place, action in enumerate(out.used)}
        out.ledger = Ledger.of_state(state["ledger"])  # type: ignore[arg-type]
        return out


_PLAIN = ("weights", "heard", "used", "seen", "new", "rows", "last", "contexts", "x", "p")


@dataclass
class PersonsState:
    """Of n streams: last (n, DEPTH) int64, the latest tokens, latest first; own (n,) object, each one's `Person`."""

    last: np.ndarray
    own: np.ndarray


class Persons:
    """`table`: what follows each token, and what is done at all, in the training log."""

    def __init__(self, vocabulary: Vocabulary, table: CountTable, common: Common):
        self.vocabulary, self.table, self.common = vocabulary, table, common
        often = np.full(len(vocabulary), 1 / len(vocabulary))
        _, outcome, count = table.of_rows(table.rows(np.zeros(1, np.int64)))
        often[outcome] += count
        self._often = often / often.sum()
        self._row = {key: row for row, key in enumerate(table.keys.tolist())}
        self._first: list[int] = table.first.tolist()

    @classmethod
    def fit(cls, points: DecisionPoints, block: np.ndarray) -> tuple[Persons, np.ndarray]:
        """What all `points` teach, and (n,) the probability of each target according to the stream's own past and to
        what other blocks than the row's, `block` (n,), say of everybody."""
        plain = Common(np.zeros(SIZE), np.zeros((SIZE, SIZE)))
        others = [cls(points.vocabulary, _table(points.select(block != b)), plain) for b in range(block.max() + 1)]
        apart = 1 + int((repertoires(points) + 1).sum()) // MOST_ALTERNATIVES
        choices = Choices()
        for row in _walk(points, [others[b] for b in block], np.arange(len(points)) % apart == 0):
            if len(row.before):
                choices.add(row.before, row.place)
        common = Common(*fitted(choices, SIZE))
        for other in others:
            other.common = common
        target, p = np.asarray(points.target, np.int64), np.zeros(len(points))
        for row in _walk(points, [others[b] for b in block]):
            p[row.number] = row.said()[target[row.number]]
        return cls(points.vocabulary, _table(points), common), p

    def everybody(self, token: int) -> np.ndarray:
        """(A,) probability of what follows a token in the training log."""
        row = self._row.get(token + 1, len(self.table.keys))
        here, total = slice(self._first[row], self._first[row + 1]), EVERYBODY + float(self.table.total[row, 0])
        said = self._often * (EVERYBODY / total)
        said[self.table.outcomes[here]] += self.table.counts[here] / total
        return said

    def read(self, points: DecisionPoints, known: np.ndarray | None = None) -> Prediction:
        """Every row of a log; `known` says nothing here: the table counts everybody, a stream its own past."""
        everything = self.blocks(points, np.ones(len(points), bool))
        return whole(everything, len(points), len(self.vocabulary))

    def blocks(self, points: DecisionPoints, rows: np.ndarray, known: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """The same of the `rows` (n,) bool that are asked for alone, piece by piece, each (b, A)."""
        within = np.isin(points.world, points.world[rows])
        asked, walk = rows[within], _walk(points.select(within), [self] * int(within.sum()))
        for at in pieces(asked, len(self.vocabulary)):
            said = []
            for row in walk:
                if asked[row.number]:
                    said.append(row.said())
                if row.number == at[-1]:
                    break
            yield np.stack(said).astype(np.float32)

    # one decision point at a time

    def start(self, n: int) -> PersonsState:
        own = np.empty(n, object)
        own[:] = [Person(self.common.weights) for _ in range(n)]
        return PersonsState(np.zeros((n, DEPTH), np.int64), own)

    def reset(self, state: PersonsState, rows: np.ndarray) -> PersonsState:
        """The state with `rows` (mask or index) fresh."""
        return fresh(state, self.start(len(state.last)), rows)

    def step(self, state: PersonsState, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, PersonsState]:
        """One decision point per stream. What a person is goes on in place: do not step a state twice."""
        last = np.where(active[:, None], push(state.last, points.tokens), state.last)
        contexts = _contexts(of_step(last, points), points.vocabulary).tolist()
        done = user_action(points.tokens, len(self.vocabulary)).tolist()
        p = np.full((len(last), len(self.vocabulary)), 1 / len(self.vocabulary), np.float32)
        for i in np.flatnonzero(active).tolist():
            person, everybody = state.own[i], self.everybody(int(last[i, 0]))
            person.hears(done[i], int(points.time[i]), self.common)
            person.chooses(contexts[i], int(points.time[i]), everybody)
            p[i] = person.says(everybody)
        return Prediction(p), PersonsState(last, state.own)


class _Row(NamedTuple):
    """A row of a log that has been walked to: `before`: features of what was said in the row before, none where nothing
    was; `place`: what came."""

    number: int
    before: np.ndarray
    place: int
    said: Callable[[], np.ndarray]  # (A,)


def _walk(points: DecisionPoints, models: list[Persons], says: np.ndarray | None = None) -> Iterator[_Row]:
    """Row by row, each stream from its start; `models` (n,): whose word about everybody holds in each row; `says` (n,)
    bool: rows in which something is said (default: all)."""
    history, vocabulary = of_log(points), points.vocabulary
    contexts, last = _contexts(history, vocabulary), history.last[:, 0]
    done = user_action(np.asarray(points.tokens), len(vocabulary))
    begins, time = set(points.starts().tolist()), np.asarray(points.time)
    person = Person(np.zeros(0))
    for i, model in enumerate(models):
        if i in begins:
            person = Person(model.common.weights)
        before, everybody = person.x, model.everybody(int(last[i]))
        place = person.hears(int(done[i]), int(time[i]), model.common)
        if says is None or says[i]:
            person.chooses(contexts[i].tolist(), int(time[i]), everybody)
        else:
            person.waits(contexts[i].tolist())
        yield _Row(i, before, place, partial(person.says, everybody))


def _contexts(history: History, vocabulary: Vocabulary) -> np.ndarray:
    """(n, CONTEXTS) as numbers, which differ between contexts, too."""
    keys = [keys_of(context, history, vocabulary.n_tokens) * len(CONTEXTS) for context in CONTEXTS]
    return np.stack(keys, 1) + np.arange(len(CONTEXTS))


def _table(points: DecisionPoints) -> CountTable:
    """Of all rows (0), and of those after each token (token + 1)."""
    after, target = of_log(points).last[:, 0] + 1, np.asarray(points.target, np.int64)
    return count_outcomes(np.r_[np.zeros_like(after), after], np.r_[target, target], len(points.vocabulary))


def repertoires(points: DecisionPoints) -> np.ndarray:
    """(n,) how many different actions each row's stream has done up to it."""
    size, starts = len(points.vocabulary), points.starts()
    world = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(points)]))
    done = user_action(np.asarray(points.tokens), size)
    new = np.zeros(len(points), np.int64)
    new[np.unique(world * size + done, return_index=True)[1]] = 1
    new[done == 0] = 0
    total = np.cumsum(new)
    return total - (total - new)[starts][world]


def suits(points: DecisionPoints) -> bool:
    """Whether the streams of a log may be persons of their own: there is much to do, of which each does little that
    others do too, and that again and again."""
    streams = len(points.starts())
    if len(points.vocabulary) < LEAST_ACTIONS or streams < LEAST_STREAMS:
        return False
    own = repertoires(points)[np.r_[points.starts()[1:], len(points)] - 1].mean()
    much, shared, again = (
        len(points.vocabulary) / 2,
        len(points.vocabulary) * MOST_SHARED / streams,
        len(points) / streams,
    )
    return bool(own <= min(MOST_OWN, much, shared, again / LEAST_TIMES))
