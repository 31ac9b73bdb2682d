"""The protocols at which the parts of the kit meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeGuard, TypeVar, runtime_checkable

import numpy as np

from lam_env.core.dislikes import Dislikes
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog, Vocabulary
from lam_env.core.progress import Report, silent
from lam_env.core.tuning import TrainSettings

if TYPE_CHECKING:
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.vec_env import VecEnv

    from lam_env.logs.decision_points import DecisionPoints

Observation = dict[str, np.ndarray]
State = TypeVar("State")  # whatever is carried from one step to the next, for N streams


class CurvePoint(NamedTuple):
    """Of a learning curve."""

    step: int  # environment steps so far
    reward: float  # mean reward per step since the point before
    more: Mapping[str, float] = MappingProxyType({})  # what else the learner has noted of the update that followed


Curve = list[CurvePoint]


@runtime_checkable
class Policy(Protocol[State]):
    """What acts: Stable-Baselines3's `predict`. What else it may have: `FullPolicy`."""

    def predict(
        self,
        observation: Observation,
        state: State | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, State]:
        """Observations (N, ...) -> actions (N,) and the state to hand in next time."""


class Prediction(NamedTuple):
    """What a predictor says of one decision point in each of N streams."""

    next: np.ndarray  # (N, A) probability of the next user action before the next decision point; column 0 none
    soon: np.ndarray | None = None  # (N, A) probability that the user does it within its patience
    hidden: np.ndarray | None = None  # (N, H) the predictor's recurrent state, as features


@dataclass(frozen=True)
class Sparse:
    """n distributions over A outcomes that are nearly alike, as (n, A): row i is `share`[i] * `common`[`group`[i]] but
    for some outcomes, whose probability is told, and no less than that.

    common (g, A); group (n,) int; share (n,); key (N,) int64, which rise: row * A + outcome; p (N,).
    """

    common: np.ndarray
    group: np.ndarray
    share: np.ndarray
    key: np.ndarray
    p: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    def at(self, outcome: np.ndarray) -> np.ndarray:
        """(n,) probability of an outcome in each row, (n,)."""
        said = self.share * self.common[self.group, outcome]
        if len(self.key):
            asked = np.arange(len(self)) * self.common.shape[1] + outcome
            place = np.minimum(np.searchsorted(self.key, asked), len(self.key) - 1)
            said = np.where(self.key[place] == asked, self.p[place], said)
        return said

    def dense(self) -> np.ndarray:
        """(n, A)"""
        out = self.share[:, None] * self.common[self.group]
        out.flat[self.key] = self.p
        return out


Said = np.ndarray | Sparse  # what is said of n rows


def one_by_one(said: Said) -> np.ndarray:
    """(n, A)"""
    return said.dense() if isinstance(said, Sparse) else said


class Reader(Protocol):
    """P(next user action or none), of a whole log at once."""

    vocabulary: Vocabulary

    def read(self, points: DecisionPoints) -> Prediction:
        """Every row of a log (n rows), each world from its start; equal to stepping through it."""


class ActionPredictor(Reader, Protocol[State]):
    """One that also carries its state one decision point at a time."""

    def start(self, n: int) -> State:
        """A fresh state for n streams: an object whose arrays have n rows; a dataclass where streams are persons."""

    def step(self, state: State, points: DecisionPoints, active: np.ndarray) -> tuple[Prediction, State]:
        """One decision point per stream (N rows). Streams where `active` (N,) is false keep their state."""

    def reset(self, state: State, rows: np.ndarray) -> State:
        """The state with `rows` (mask or index) fresh; the one given stays as it is."""


@dataclass(frozen=True)
class FullPolicy(Generic[State]):
    """A policy with all that one may have besides `predict`; what it leaves out is as it stands here."""

    # as `Policy` has it, by place
    predict: Callable[[Observation, State | None, np.ndarray, bool], tuple[np.ndarray, State]]
    reveal: tuple[str, ...] = ()  # what it is shown of the hidden state: "latent", "plan"
    predictor: Reader | None = None  # what it rests on, which is judged too
    # decision points and their hidden state (n, L) -> decision points as its predictor reads them
    see: Callable[[DecisionPoints, np.ndarray], DecisionPoints] | None = None
    # observations (N, ...), state, episode start -> probabilities (N, A) with which it samples, and the state
    probabilities: Callable[[Observation, State | None, np.ndarray], tuple[np.ndarray, State]] | None = None


@dataclass(frozen=True)
class PredictionCeiling:
    """What only predicts, and from the hidden state: it stands in tables of prediction, and nobody lets it act.
    `see` as in `FullPolicy`."""

    predictor: Reader
    see: Callable[[DecisionPoints, np.ndarray], DecisionPoints]


Candidate = Policy | PredictionCeiling  # what may be judged


def complete(policy: Policy) -> FullPolicy:
    """The one place where what a policy may have is asked of somebody's object."""
    reveal, predictor = getattr(policy, "reveal", ()), getattr(policy, "predictor", None)
    return FullPolicy(
        policy.predict, reveal, predictor, getattr(policy, "see", None), getattr(policy, "probabilities", None)
    )


def acts(thing: object) -> TypeGuard[Policy]:
    return hasattr(thing, "predict")


def learns(thing: object) -> TypeGuard[Agent]:
    return hasattr(thing, "fit")


def needs_said(thing: object, unsaid: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What an agent or a maker of policies says that it needs."""
    needs: tuple[str, ...] = getattr(thing, "needs", unsaid)
    return needs


def keeps(thing: object) -> TypeGuard[Keeper]:
    return learns(thing) and hasattr(thing, "save") and hasattr(thing, "load")


def learned(agent: object, training: Training, kept: Path | None = None) -> tuple[object, Curve]:
    """What `fit` returns, or who has none, itself; and the learning curve that it may have as `curve`. `kept`: the
    folder of what it has learned, in place of which it is not fitted."""
    if kept is not None:
        if not keeps(agent):
            raise UserError(f"agent {training.agent}: has no fit, save and load; give it all of them")
        return agent.load(training, kept), []
    policy = agent.fit(training) if learns(agent) else agent
    return policy, [CurvePoint(*point) for point in getattr(agent, "curve", None) or ()]


@dataclass
class Training:
    """All that an agent may use to learn."""

    vocabulary: Vocabulary  # of log and worlds
    interaction: str  # "anticipate" | "advise"
    train: DecisionPoints  # rows of the log to learn from, one a decision point
    valid: DecisionPoints  # rows to choose by
    make_worlds: Callable[..., Any]  # make_worlds(n, **more) -> LamVectorEnv of n worlds, for a loop of one's own
    reward_weights: dict[str, float] = field(default_factory=dict)  # of the reward's terms
    log: ActionLog | None = None  # what the rows are of
    dislikes: Dislikes | None = None  # how the scenario draws what people do not want a machine to do
    prior: Any = None  # the fitted ActionPredictor shared by all agents that build on one
    tuning: TrainSettings = TrainSettings()  # of this agent: `train.*` of the run, and where its row differs
    passes: int | None = None  # `predictor.passes` of the run
    agent: str = ""  # whose it is, as the tables call it
    seed: int = 0  # the training seed, from which all chance comes
    device: str = "cpu"  # where networks are trained
    progress: Report = silent  # progress(stage, done, total, note)
    # simulates decision points and their hidden state (n, L)
    hidden_log: Callable[[], tuple[DecisionPoints, np.ndarray]] | None = None
    informed: Path | None = None  # the folder in which the predictor that reads the hidden state is kept, once trained
    start: Path | None = None  # the folder of an earlier run's policy, to start from
    checkpoints: Checkpoints | None = None  # of this training, where they are kept
    adapter: Callable[[Training, int, bool, bool], VecEnv] | None = None  # makes what `make_env` gives
    handed_out: list[Any] = field(default_factory=list)  # by `make_env`

    @property
    def steps(self) -> int:
        """Environment steps of fine-tuning."""
        return self.tuning.steps

    def make_env(self, n: int = 1, *, encode: bool = False, prior: bool = False) -> VecEnv:
        """n worlds of the run as a `VecEnv`, with `action_masks` for sb3-contrib's MaskablePPO; UserError if none fits.

        An observation is the kit's Dict; `encode`: one float32 vector of log times, one-hot tokens and standardised
        readings instead; `prior`: the same with the frozen prior's probabilities and state. What `fit` returns may be
        the model itself: it is judged on the encoding that it learned on. A reward is all that the world has paid since
        the step before. Where many persons are asked in turn most of it is owed to what others were told, and a
        person's own comes some steps later: a learner needs a discount near 1 and many steps, or on-policy, with
        `encode` and rollouts of several days, `PersonalRolloutBuffer` with the callback `Turns`, both of
        `lam_env.agents.fine_tuning.rollout_buffer`, which pay each step what its own person has brought.
        """
        if self.adapter is None:
            raise UserError("make_env: this training has no adapter for other people's learners; use make_worlds")
        env = self.adapter(self, n, encode, prior)
        self.handed_out.append(env)
        return env

    @property
    def callback(self) -> BaseCallback | None:
        """For the one `learn` of Stable-Baselines3: keeps checkpoints of it, and goes on from the last. What callbacks
        of one's own hold is kept too if they have `state_dict` and `load_state_dict`. None: nobody keeps any."""
        return None if self.checkpoints is None else self.checkpoints.callback()


class Checkpoints(Protocol):
    """Of one training, on disk."""

    def begin(self, start: object) -> Any | None:
        """`start`: what it begins with, as plain data. Returns the state to go on from; None: from the beginning."""

    def due(self) -> bool:
        """Whether it is time for the next."""

    def keep(self, state: object) -> None:
        """Write one: plain data, which are dicts, lists, numbers, text, arrays and tensors."""

    def callback(self) -> BaseCallback:
        """For SB3's `learn`."""


class Importer(Protocol):
    """Reads the logs of a format: the log, and what was left out, by reason. `settings`: those of a real log, of which
    it names those that it takes (`home`, `zone`, of tables `columns` and so on); any other is refused."""

    def __call__(self, path: str, **settings: Any) -> tuple[ActionLog, dict[str, int]]: ...


class Sink(Protocol):
    """A tracker, made of the run folder and the settings."""

    def curve(self, name: str, value: float, step: int) -> None:
        """A value while training."""

    def scores(self, scores: Mapping[str, float]) -> None:
        """What the run came to, by name."""

    def close(self) -> None: ...


class Agent(Protocol):
    """Something that learns. A custom one may leave `fit` out and give `predict` only.

    A module of agents says what they need: NEEDS = ("prior",), one of your own in its attribute `needs` (`()`: what
    every agent is given is enough). Whoever says nothing is given the prior.
      "log"     the training log alone: such an agent of the kit has `predictor(train, valid)`, judged on real logs too
      "prior"   the pre-trained predictor, for which it waits
      "steps"   fine-tuning as `tuning` says: it may stand in tables with other settings (NAME@steps=20000)
      "latent"  the hidden state: it is left out where a scenario shows none
      "dislikes"  how a scenario draws what people do not want a machine to do: likewise

    Of one of your own that has `save(folder)` and `load(training, folder)` too, the run keeps the model: `save` writes
    what `fit` has learned into an empty folder, `load` returns from it what `fit` has returned. Every command that
    takes an agent then takes it as `module:Class@RUN`.
    """

    def fit(self, training: Training) -> Policy:
        """What has learned, which has `predict`: itself, or another object. UserError where it cannot."""


class Keeper(Agent, Protocol):
    """An agent whose model a run keeps."""

    def save(self, folder: Path) -> None: ...

    def load(self, training: Training, folder: Path) -> Policy:
        """`training`: as it was for `fit`, but for progress, checkpoints and the hidden state."""
