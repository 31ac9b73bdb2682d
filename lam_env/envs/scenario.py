"""What a scenario gives to the kit. It is a folder in scenarios/ whose package binds `SCENARIO` to such a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from lam_env.config.cli import override
from lam_env.core.catalogue import KPI, Metric
from lam_env.core.contracts import Candidate, Policy, Training
from lam_env.core.dislikes import Dislikes
from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.core.shared import Shared
from lam_env.core.units import DAY, HOUR
from lam_env.envs.scene import Scene
from lam_env.envs.spaces import Meaning, Term, meaning
from lam_env.envs.terminal import ansi
from lam_env.sim.world import World


class Answers(NamedTuple):
    """How people took the agent's acts of an episode, as counts."""

    acts: int
    answered: int  # of them
    accepted: int  # of those answered
    overridden: int  # undone, refused or passed over


class WorldFile(NamedTuple):
    """A file of settings guessed from the names in a log."""

    setting: str  # that takes the file
    text: str  # for people to correct
    left_out: tuple[str, ...]  # names that it says nothing of
    open: tuple[str, ...] = ()  # devices of these, of which people have to say what they are


class ScenarioError(UserError):
    """A scenario breaks the contract; the message names the scenario and what is wrong."""


class Scenario(Shared):
    """A kind of world, its users' vocabulary, and how an agent in it is judged. `check_scenario` tests all of this.

    Compulsory:
      `id`                its name
      `Params`            a frozen dataclass of settings, each a `setting`; among them `days`, an episode's length
      `reward_weights`, `utility_weights`  named terms and their weights; the utility is hidden from agents
      `vocabulary`        of the class, or made in `__init__`, which may take more than settings, all by keyword, and is
                          called anew for another number of days
      `n_users`           people in one world
      `make_world`        a `sim.world.World`, whose docstring says what a world has to do
      `scene`             a picture of it
    Optional:
      `interaction`       "anticipate" (the agent acts for people) or "advise" (it changes what they do)
      `personal`          whether decisions are those of single persons: worlds are then `sim.persons.PersonalWorld`s
      `constant_ok`       patterns of what in the observation may stay as it is in all worlds ("context.price";
                          "epoch.user" always belongs there with one person), which `check_scenario` takes for a fault
                          otherwise
      `latent_names`      the hidden state that worlds write into `row.latent` where `reveal` holds "latent"; without it
                          there is no agent `informed`
      `dislikes`          how standing dislikes are drawn; without it there are no agents `known` and `bayes`
      `ladder`            what a greedy rule is told of the hidden state, rung by rung, and the agent that stands on it
      `defaults`          settings of a run that differ for this scenario, such as {"train.gamma": 0.9}, and for
                          single agents in it: {"ppo_scratch@batch": 512}
      `synonyms`          what a log from outside may call an action or a sensor -> its name in the vocabulary; not
                          None where the settings say what is in such a log, which then has to fit
      `key_figures`       KPIs that stand in every table, as name -> heading
      `figures`           what KPIs mean, by name or pattern; their intervals end where a figure's `low` and `high` say
      `kpis`, `answers`, `scenes`, `person`, `text`, `meanings`, `baselines`, `rungs`, `exploits`, `proposal`  as below
    """

    id: str
    interaction: str = "anticipate"
    personal: bool = False
    Params: type
    reward_weights: dict[str, float]
    utility_weights: dict[str, float]
    constant_ok: tuple[str, ...] = ()
    latent_names: tuple[str, ...] = ()
    dislikes: Dislikes | None = None
    defaults: ClassVar[dict[str, object]] = {}
    synonyms: Mapping[str, str] | None = None
    key_figures: ClassVar[dict[str, str]] = {}
    figures: ClassVar[Mapping[str, Meaning]] = {}
    ladder: ClassVar[dict[str, str]] = {}
    vocabulary: Vocabulary
    params: Any  # the settings, an instance of `Params`
    _made_with: dict[str, object]

    def __new__(cls, *_: object, **settings: object) -> Self:
        made = super().__new__(cls)
        made._made_with = settings
        return made

    def __init__(self, **settings: object):
        """`settings`: fields of `Params`, as values or as text; an unknown one raises ConfigError."""
        self.params = override(self.Params(), settings, prefix="world")

    def with_params(self, **changes: object) -> Self:
        """The same scenario, made anew with other settings."""
        return type(self)(**self._made_with | changes)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What agents may need and it does not show."""
        return (() if self.latent_names else ("latent",)) + (() if self.dislikes else ("dislikes",))

    @property
    def n_users(self) -> int:
        """People in one world."""
        raise NotImplementedError("n_users is missing: give the number of people in a world")

    @property
    def days(self) -> float:
        """Length of an episode [days]."""
        return float(self.params.days)

    def make_world(
        self, streams: Streams, row: ObservationRow, *, day: int = 0, record: bool = False, reveal: Sequence[str] = ()
    ) -> World:
        """A world that starts on `day`; `reveal`: which of `row.latent` and `row.plan` it keeps up to date."""
        raise NotImplementedError("make_world is missing: give a lam_env.World")

    def kpis(self, world: World) -> dict[str, float]:
        """Key figures of an episode so far, by name without the prefix `kpi.`."""
        return {}

    @classmethod
    def figure_columns(cls) -> list[Metric]:
        """`key_figures` as columns of tables, each with the range that `figures` gives it."""
        columns = []
        for name, heading in cls.key_figures.items():
            found = meaning(name, cls.figures)
            columns.append(KPI.metric(name, heading, (found.low, found.high) if found else None))
        return columns

    def answers(self, world: World) -> Answers | None:
        """Those of an episode so far; None where nobody answers."""
        return None

    def scene(self, world: World) -> Scene:
        """A picture of the world as drawing primitives."""
        raise NotImplementedError("scene is missing: give a lam_env.Scene of the world")

    def scenes(self, world: World, since: int) -> list[Scene]:
        """Pictures of what has happened after the tick `since`, at most a day ago or so; the last one is of now. Worlds
        whose life goes on between two decisions show it here."""
        return [self.scene(world)]

    def person(self, user: int) -> str:
        """What a person is called where their acts are told."""
        return f"person {user + 1}"

    def text(self, world: World) -> str:
        """The world as text for a terminal of 80 columns."""
        return ansi(self.scene(world))

    def meanings(self) -> Mapping[str, Mapping[str, Meaning | Term]]:
        """What its names mean, for people to read: of each of "action", "reading", "sensor", "feedback", "reward",
        "utility" and "agent" (of its own), by name or pattern (`presence.*`); the first that fits."""
        return {}

    def baselines(self) -> dict[str, Callable[[Training], Candidate]]:
        """Agents that know this scenario, by id; `oracle` is the mark that shares are of. Judged like all others."""
        return {}

    @classmethod
    def proposal(cls, names: Sequence[str]) -> WorldFile | None:
        """Of a log with these actions and sensors: a file of settings of a world in which they mean something. None:
        such logs do not live here."""
        return None

    def rungs(self) -> dict[str, Callable[[Training], Policy]]:
        """The scenario's own agents of the information ladder, by id."""
        return {}

    def exploits(self) -> dict[str, Callable[[Training], Policy]]:
        """Agents built to win the reward without helping anybody: each must score below doing nothing."""
        return {}


START_HOUR = 4  # worlds start when nearly everybody sleeps, so an episode is not cut in the middle of a day


def start_tick(day: int) -> int:
    """When a world of seconds starts that begins on `day` [s]: at four in the morning."""
    return day * DAY + START_HOUR * HOUR
