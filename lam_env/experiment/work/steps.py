"""The steps of a run, which are its jobs: who is judged after whom, how many steps there are, how many are over."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from lam_env.core import registry
from lam_env.envs.scenario import Scenario
from lam_env.evaluation.report.elements import KNOWING
from lam_env.experiment.agent_spec import trains_once
from lam_env.experiment.score_store import ScoreKey
from lam_env.experiment.settings import ALL, PRETRAIN, RunSettings

REPLAY = "replay"  # in the place of an agent's name, as PRETRAIN is
SIMULATE, GATES, REPLAYED = ScoreKey("log", "simulate", 0), ScoreKey("twin", "gates", 0), ScoreKey("", REPLAY, 0)
TREES = 0.8  # of the time of a prior that is judged on a log, where it has boosted trees
LONG = {"steps", "latent"}  # who needs these learns long, and is begun first: no worker is left alone with one
WEIGHT = 8  # of who learns long; of any other job 1: in the home, as it comes, 200 to 380 s, and some 40
EVENTS = 10_000  # of a real log, up to which a step weighs no more

Needs = Callable[[str], Collection[str]]  # what an agent needs


class Plan:
    """Who is judged where, and after whom. `failed`: agents that are left out.

    counting: who learns from a log alone. Of those who act, `early` need no prior, `late` build on it, `last` on the
    net of `informed`, and `exploits` are built to win the reward without helping. ladder: agent -> its rung.
    """

    def __init__(
        self, scenario: Scenario, settings: RunSettings, agents: Sequence[str], needs: Needs, failed: Collection[str]
    ):
        self.scenario, self.seeds, self.agents = scenario, settings.seed, agents
        self.folds = settings.eval.folds
        everything = ALL in settings.agents
        self.ladder = {agent: rung for rung, agent in scenario.ladder.items()} if everything else {}
        self.exploits = list(scenario.exploits()) if everything else []
        of = {a: needs(a) for a in (*agents, *self.ladder) if a not in failed}
        self.counting = [a for a in agents if not registry.names_code(a) and of.get(a) == ("log",)]
        ordered = sorted(of, key=lambda a: not LONG.intersection(of[a]))
        net = KNOWING in agents and not trains_once(scenario, KNOWING)
        self.late = [a for a in ordered if "prior" in of[a]]
        self.last = [a for a in ordered if net and "latent" in of[a] and a not in (*self.late, KNOWING)]
        self.early = [a for a in ordered if a not in (*self.late, *self.last)]

    def made_with(self, names: Iterable[str], seed: int) -> Iterator[tuple[str, int]]:
        """Of these agents those that are made with a training seed, and the seed that their scores are known by: 0,
        where another one gives the same agent. A rung or an exploit is made with the first seed alone."""
        for name in names:
            once = trains_once(self.scenario, name)
            if seed == self.seeds[0] or (name in self.agents and not once):
                yield name, 0 if once else seed

    def steps(self, on_log: bool, in_worlds: tuple[str, Sequence[ScoreKey]] | None) -> Iterator[ScoreKey]:
        """All jobs of the run. `on_log`: predictors are judged on a log's held-out part; `in_worlds`: the kind of the
        worlds in which agents are judged, and what has to be done before."""
        for kind in [f"log-{k + 1}" for k in range(self.folds)] or ["log"] if on_log else []:
            yield from (ScoreKey(kind, PRETRAIN, seed) for seed in self.seeds)
            yield from (ScoreKey(kind, name, 0) for name in self.counting)
            yield from (ScoreKey(kind, "prior", seed) for seed in self.seeds)
        if in_worlds is not None:
            kind, first = in_worlds
            yield from first
            yield from (ScoreKey(kind, PRETRAIN, seed) for seed in self.seeds)
            everybody = (*self.early, *self.late, *self.last, *self.exploits)
            yield from (ScoreKey(kind, *one) for seed in self.seeds for one in self.made_with(everybody, seed))
            yield REPLAYED


class Steps:
    """Those that a command has to do, and how many of them are over. `events`: of the real log that they read, where
    there is one; more of them take longer."""

    def __init__(self, every: Iterable[ScoreKey], needs: Needs, events: int = 0):
        size = max(1, events // EVENTS)
        self.weights = {step: size * (WEIGHT if _long(step, needs) else 1) for step in every}
        self.left = set(self.weights)
        self.done = 0  # work, by weight
        self._parts: dict[str, float] = {}  # by agent, of a step that goes on

    def hears(self, stage: str, done: int, total: int) -> None:
        """How far `pre-training 2/5` is. It may stop long before `total`, so what is left seems too much at first. The
        prior's trees, and what it is worth on a log, come after."""
        if not total:
            return
        if named := re.match(r"pre-training(?: (\d+)/(\d+))?", stage):
            number, of = (int(n or 1) for n in named.groups())
            self._parts[PRETRAIN] = (number - 1 + done / total) / of
        elif stage.startswith("boosting"):
            self._parts["prior"] = TREES * done / total
        elif stage.startswith("score prior"):
            self._parts["prior"] = TREES + (1 - TREES) * done / total

    @property
    def begun(self) -> float:
        """The work done of steps that are not over."""
        weights = {step.agent: self.weights[step] for step in sorted(self.left, key=self.weights.__getitem__)}
        return sum(part * weights.get(agent, 0) for agent, part in self._parts.items())

    def over(self, step: ScoreKey) -> None:
        if step in self.left:
            self.done += self.weights[step]
            self.left.remove(step)
            self._parts.pop(step.agent, None)

    def drop(self, *steps: ScoreKey) -> None:
        """Those need not be done: they are over, and tell nothing of time."""
        self.left.difference_update(steps)


class Whole(NamedTuple):
    """How far some runs are together. `over`: of `total` steps; `share`: of the work; `seconds`: that are left, where
    anything tells."""

    over: int
    total: int
    share: float
    seconds: float | None

    @classmethod
    def of(cls, runs: Iterable[Steps], spent: float) -> Whole:
        """`spent` [s]: on what is done."""
        total = over = work = 0
        left = done = 0.0
        for steps in runs:
            total += len(steps.weights)
            over += len(steps.weights) - len(steps.left)
            work += sum(steps.weights.values())
            left += sum(steps.weights[step] for step in steps.left)
            done += steps.done + steps.begun
            left -= steps.begun
        return cls(over, total, 1 - left / work if work else 1.0, spent * left / done if done else None)


def _long(step: ScoreKey, needs: Needs) -> bool:
    """A prior on a log grows its trees there."""
    if step in (SIMULATE, GATES, REPLAYED):
        return False
    trees = step.kind.startswith("log") and step.agent == "prior"
    return trees or step.agent == PRETRAIN or bool(LONG.intersection(needs(step.agent)))
