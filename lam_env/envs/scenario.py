"""What a scenario gives to the kit. A scenario is a folder in scenarios/ whose package binds `SCENARIO` to such a class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lam_env.config import override
from lam_env.contracts import Policy, Training
from lam_env.envs.scene import Scene
from lam_env.events import Vocabulary
from lam_env.rng import Streams
from lam_env.rows import DAY, Row
from lam_env.sim.world import World


class Scenario:
    """A kind of world, its users' vocabulary, and how an agent in it is judged.

    Class attributes: `id`; `interaction`, "anticipate" (do it for her) or "advise" (change what she does); `Params`, a
    frozen dataclass of settings; `reward_weights` and `utility_weights`, named terms and their weights (the
    utility is hidden from agents); `latent_names`, the features `latent` reveals.
    """

    id: str
    interaction: str = "anticipate"
    Params: type
    reward_weights: dict[str, float]
    utility_weights: dict[str, float]
    latent_names: tuple[str, ...] = ()
    vocabulary: Vocabulary

    def __init__(self, **settings: Any):
        """`settings`: fields of `Params`, as values or as text; an unknown one raises ConfigError."""
        self.params = override(self.Params(), settings, prefix="world")

    @property
    def n_users(self) -> int:
        """People in one world."""
        raise NotImplementedError

    @property
    def days(self) -> float:
        """Length of an episode [days]."""
        return float(self.params.days)

    def make_world(self, streams: Streams, row: Row, *, day: int = 0, record: bool = False, reveal: Sequence[str] = ()) -> World:
        """A world that starts on `day`; `reveal`: which of `row.latent` and `row.plan` it keeps up to date."""
        raise NotImplementedError

    def kpis(self, world: World) -> dict[str, float]:
        """Key figures of an episode so far, by name without the prefix `kpi.`."""
        return {}

    def scene(self, world: World) -> Scene:
        """A picture of the world as drawing primitives."""
        raise NotImplementedError

    def baselines(self) -> dict[str, Callable[[Training], Policy]]:
        """Agents that know this scenario, by id: they are fitted and judged like all others."""
        return {}

    def oracle(self) -> Policy:
        """The ceiling of reward; acts on `plan`, which only revealed environments show."""
        raise NotImplementedError

    def ladder(self) -> Iterable[tuple[str, Callable[[Training], Policy]]]:
        """Greedy agents that are given more and more of the hidden state, for the information ladder."""
        return ()


START_HOUR = 4  # worlds start when nearly everybody sleeps, so an episode is not cut in the middle of a day


def start_tick(day: int) -> int:
    return day * DAY + START_HOUR * 3600
