"""What the judging of an agent leaves for the report: small, plain numbers by episode, by hour and by action."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np

from lam_env.core.catalogue import RETURN, UTILITY, UTILITY_TERM
from lam_env.core.contracts import Observation
from lam_env.core.files.outputs import file_name
from lam_env.core.files.records import record_of
from lam_env.core.units import DAY, HOUR
from lam_env.envs.scenario import Scenario
from lam_env.evaluation.metrics import Scored, reliability
from lam_env.logs.fidelity import Gate

if TYPE_CHECKING:
    from lam_env.sim.world import World

MOST_EPISODES = 1_000  # that are kept one by one
FOLDER = "report"
ABOUT = f"{FOLDER}/about.json"  # gates, and what failed
BATCH = 4_096  # decision points that are summed up at once
_NOTHING = np.zeros(0)


def about_of(gates: Sequence[Gate], failed: Mapping[str, str]) -> dict[str, object]:
    """What the report is told besides scores; a number that is none becomes null, as JSON has no other."""
    plain = []
    for gate in gates:
        sides = {"source": gate.source, "simulated": gate.simulated}
        finite = {side: [v if math.isfinite(v) else None for v in values] for side, values in sides.items()}
        plain.append(dataclasses.asdict(gate) | finite)
    return {"gates": plain, "failed": dict(failed)}


def gates_of(about: Mapping[str, Any]) -> list[Gate]:
    """The gates that `about_of` tells of, null being no number again; ValueError for what tells of none."""
    gates = []
    for gate in about.get("gates", ()):
        sides = {side: [math.nan if v is None else v for v in gate[side]] for side in ("source", "simulated")}
        gates.append(record_of(Gate, gate | sides))
    return gates


class Predictions(TypedDict, total=False):
    """`reliability`: columns of the diagram; `counts`: [what was done, what was likeliest, how often]."""

    reliability: dict[str, list[float]]
    counts: list[list[int]]


class ByUnit(TypedDict):
    """Of each day or stream that tests, in which the user acts: its number, its events, and sums over them."""

    unit: list[int]
    events: list[int]
    right: list[int]
    losses: list[float]  # [nats]


class Judged(TypedDict):
    """An agent's record. One that only predicts, or was judged on a real log, has no episodes, hours and acts."""

    agent: str
    train_seed: int
    actions: list[str]
    predictions: Mapping[str, Predictions]  # by variant
    episodes: NotRequired[dict[str, Any]]  # `judged` and `days`, numbers; and columns of those that are kept
    hours: NotRequired[dict[str, list[float]]]  # per person and day, by hour
    acted: NotRequired[dict[str, list[int]]]  # counts by action id
    by_unit: NotRequired[ByUnit]  # on a real log alone: what another run's record pairs with


def file_of(agent: str, train_seed: int) -> str:
    """Where the run folder keeps an agent's record."""
    return f"{FOLDER}/judged-{file_name(agent)}-{train_seed}.json"


def evaluation_record(
    agent: str,
    train_seed: int,
    scenario: Scenario,
    world_seeds: Sequence[int],
    totals: Sequence[Mapping[str, float]],
    recorder: RolloutRecorder,
    predictions: Mapping[str, Predictions],
    seeds: int,
) -> Judged:
    """What is known of one agent. `totals`: of each world, as `rollout` gives them, the batches of `seeds` evaluation
    seeds one after the other. `predictions`: variant -> its `prediction_record`."""
    worlds, most = len(totals) // seeds, max(1, MOST_EPISODES // seeds)
    rows = [i for i in range(len(totals)) if i % worlds < most]  # the first ones of each batch
    names = [k for k in totals[0] if k in (RETURN.id, UTILITY.id) or UTILITY_TERM.name(k)]
    return {
        "agent": agent,
        "train_seed": train_seed,
        "actions": list(scenario.vocabulary.actions),
        "episodes": {
            "judged": len(totals),
            "days": scenario.days,
            "world": [int(world_seeds[i]) for i in rows],
            "decisions": recorder.points[rows].tolist(),
            "acts": recorder.acts[rows].tolist(),
            **{k: [_short(totals[i][k]) for i in rows] for k in names},
        },
        "hours": recorder.by_hour(scenario.n_users),
        "acted": recorder.by_action(),
        "predictions": predictions,
    }


def _short(value: float) -> float:
    return float(f"{value:.5g}")


class RolloutRecorder:
    """Sums up a rollout by hour of the day and by action. It only reads.

    Answers are counted only where a world's observations are of one stream. Where people are asked one by one, what
    they get is booked when they are asked again, so true utility has no hour there.
    """

    def __init__(self, scenario: Scenario, n: int):
        self.alone = not scenario.personal or scenario.n_users == 1
        self.clocked = not scenario.personal
        a = len(scenario.vocabulary)
        self.hours = {name: np.zeros(24) for name in ("decisions", "acts", "reward", "accepted", "refused", "utility")}
        self.actions = {name: np.zeros(a) for name in ("acts", "accepted", "refused")}
        self.points, self.acts = np.zeros(n, int), np.zeros(n, int)  # of each world
        self._steps: list[tuple[np.ndarray, ...]] = []
        self._hour, self._utility = np.full(n, -1), np.zeros(n)
        self.person_days = 0.0

    def __call__(
        self,
        lives: np.ndarray,
        before: Observation,
        actions: np.ndarray,
        running: np.ndarray,
        rewards: np.ndarray,
        after: Observation,
        worlds: Sequence[World],
        last: np.ndarray | None,
    ) -> None:
        hour = before["epoch"][:, 0] // HOUR % 24
        over = np.zeros(0, int) if last is None else np.flatnonzero([one is not None for one in last])
        if self.clocked:
            self._book_utility(lives, hour, running, over, worlds)
        for i in over.tolist():
            self.person_days += (worlds[i].now - worlds[i].start) / worlds[i].second / DAY
        acts = running & (actions > 0) & (before["action_mask"][np.arange(len(hour)), actions] > 0)
        self.points[lives] += running
        self.acts[lives] += acts
        answers = after["feedback"] - before["feedback"] if self.alone else _NOTHING
        if self.alone and last is not None:
            for i in over.tolist():
                answers[i] = last[i]["feedback"] - before["feedback"][i]
        self._steps.append((hour, actions, running, rewards, acts, answers))
        if len(self._steps) * len(hour) >= BATCH:
            self._sum_up()

    def _sum_up(self) -> None:
        """Of many steps at once: of a few worlds a step is small, and so each of them would cost more than it tells."""
        if not self._steps:
            return
        hour, actions, running, rewards, acts, answers = map(np.concatenate, zip(*self._steps, strict=True))
        self._steps.clear()
        self._add("decisions", hour[running])
        self._add("acts", hour[acts])
        self._add("reward", hour[running], rewards[running])
        self.actions["acts"] += np.bincount(actions[acts], minlength=len(self.actions["acts"]))
        if self.alone:
            for name, part in zip(("accepted", "refused"), np.split(answers[running], 2, axis=1), strict=True):
                self._add(name, hour[running], part.sum(1))
                self.actions[name] += part.sum(0)

    def _add(self, name: str, hour: np.ndarray, amount: np.ndarray | None = None) -> None:
        self.hours[name] += np.bincount(hour, amount, 24)

    def _book_utility(
        self, lives: np.ndarray, hour: np.ndarray, running: np.ndarray, over: np.ndarray, worlds: Sequence[World]
    ) -> None:
        """True utility is looked up once an hour and at the end: it belongs to the hour that is over."""
        due = running & (hour != self._hour[lives])
        ends = set(over.tolist())
        for i in sorted({*np.flatnonzero(due).tolist(), *ends}):
            k, now = lives[i], worlds[i].utility()
            at = self._hour[k] if self._hour[k] >= 0 and i not in ends else hour[i]
            self.hours["utility"][at] += now - self._utility[k]
            self._utility[k], self._hour[k] = now, hour[i]

    def by_hour(self, n_users: int) -> dict[str, list[float]]:
        """24 numbers each, per person and day."""
        self._sum_up()
        days = self.person_days * n_users
        unknown = {*(() if self.alone else ("accepted", "refused")), *(() if self.clocked else ("utility",))}
        return {k: [_short(v / days) for v in vs] for k, vs in self.hours.items() if days and k not in unknown}

    def by_action(self) -> dict[str, list[int]]:
        """Counts by action id."""
        self._sum_up()
        return {k: v.astype(int).tolist() for k, v in self.actions.items() if self.alone or k == "acts"}


def prediction_record(of: Scored) -> Predictions:
    """Of predictions and what followed: reliability with none included, and counts where the user acts."""
    if not len(of.target):
        return {}
    acts, names = of.acts, ("low", "confidence", "accuracy", "decisions")  # of `Reliability`
    pairs, counts = np.unique(np.stack([of.target[acts], of.likeliest[acts]], 1), axis=0, return_counts=True)
    return {
        "reliability": {k: [_short(x) for x in v] for k, v in zip(names, reliability(of), strict=True)},
        "counts": [[*pair, n] for pair, n in zip(pairs.tolist(), counts.tolist(), strict=True)],
    }


def unit_record(of: Scored, unit: np.ndarray) -> ByUnit:
    """Of predictions and the day or stream (n,) of each."""
    acts = of.acts
    which, index, events = np.unique(unit[acts], return_inverse=True, return_counts=True)
    right, losses = (np.bincount(index, each[acts], len(which)) for each in (of.rank < 1, of.losses))
    return {
        "unit": which.tolist(),
        "events": events.tolist(),
        "right": right.astype(int).tolist(),
        "losses": [float(f"{loss:.8g}") for loss in losses],
    }


def as_now(record: Any) -> Any:
    """A record as files hold it; decisions were once called epochs there."""
    if isinstance(record, dict):
        return {"decisions" if key == "epochs" else key: as_now(part) for key, part in record.items()}
    return record


def lifts(mine: Judged, base: Judged) -> list[tuple[float, int, int]]:
    """(lift in true utility, its place among mine, among base's) of every episode that both have."""
    places = {world: k for k, world in enumerate(base["episodes"]["world"])}
    own, other = mine["episodes"][UTILITY.id], base["episodes"][UTILITY.id]
    return [
        (own[i] - other[places[world]], i, places[world])
        for i, world in enumerate(mine["episodes"]["world"])
        if world in places
    ]


def replay_file(k: int) -> str:
    """Where the k-th episode worth watching is kept as a trace, in the run's folder."""
    return f"{FOLDER}/replay-{k}.json"


def worth_watching(mine: Judged, base: Judged | None) -> list[tuple[str, int]]:
    """(kind, world seed) of the episodes that a replay shows: of the middle half by lift the one with most acts, and
    the worst one."""
    worlds, acts = mine["episodes"]["world"], mine["episodes"]["acts"]
    ranked = sorted(lifts(mine, base)) if base is not None else []
    if not ranked:
        return [("first", worlds[0])]
    n = len(ranked)
    middle = ranked[n // 4 : max(n // 4 + 1, n - n // 4)]
    typical = max(middle, key=lambda e: (acts[e[1]], mine["episodes"]["decisions"][e[1]]))[1]
    worst = ranked[0][0] < next(e[0] for e in ranked if e[1] == typical)
    return [("typical", worlds[typical]), *([("worst", worlds[ranked[0][1]])] if worst else [])]
