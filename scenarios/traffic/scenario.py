"""Traffic as the kit sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from lam_env.core.contracts import Candidate, Policy, Training
from lam_env.core.errors import UserError
from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.envs.scenario import Answers, Scenario
from lam_env.envs.scene import Scene
from lam_env.envs.spaces import Meaning, Term
from lam_env.sim.world import World

from . import hidden
from .baselines import BASELINES, Make, TrafficOracle, informed
from .exploits import EXPLOITS
from .params import REWARD_WEIGHTS, UTILITY_WEIGHTS, TrafficParams
from .picture.of_world import moments, traffic_view
from .picture.scene import traffic_scene
from .picture.telling import name
from .picture.text import traffic_text
from .roads.supply import build_supply
from .words import FIGURES, MEANINGS, vocabulary
from .world.shocks import check_closure
from .world.typical import typical
from .world.world import TrafficWorld


class Traffic(Scenario):
    """Travellers with habits, and congestion that arises from all of them; the agent advises some, one at a time."""

    id = "traffic"
    interaction = "advise"
    personal = True
    Params = TrafficParams
    reward_weights = REWARD_WEIGHTS
    utility_weights = UTILITY_WEIGHTS
    # a world is three hundred people: one makes an evaluation seed, and few a log
    defaults: ClassVar[dict[str, Any]] = {
        "eval.worlds": 1,
        "log.worlds": 8,
        "train.steps": 500_000,
        # each traveller is paid for what the move saves on the day. What comes later is mostly others' answer to it,
        # which no return of theirs can hold: discounts above 0 advise too much. Chosen on validation worlds, as what
        # follows
        "train.gamma": 0.0,
        # from the prior: rewards are noisy and the plug-in is a good start, so small steps on large batches
        "train.batch": 2048,
        "train.learning_rate": 3e-4,
        "ppo_scratch@batch": 512,
        "ppo_scratch@learning_rate": 1e-3,
    }
    key_figures: ClassVar[dict[str, str]] = {
        "mean_cost": "cost [min/trip]",
        "cost_advised": "of the advised",
        "cost_background": "of the others",
        "cost_first": "first third [min/day]",
        "cost_last": "last third",
        "advice": "advice a day",
        "losing_moves": "losing moves",
        "gini": "Gini",
        "trust": "trust at the end",
    }
    figures = FIGURES
    ladder: ClassVar[dict[str, str]] = {
        "prior": "plugin",
        "her own gain alone": "ladder_own",  # as results.csv has it
        "who follows what, published costs": "known",
        "+ true chances, published costs": "oracle_batch",
        "oracle": "oracle",
    }

    constant_ok = (
        "epoch.followup",  # no second advice at an instant
        "tokens.15",  # whoever is asked has just been asked
        "context.time.car.slow.*",  # a free road stays free
        "context.cost.car.slow.*",
        "context.time.*.-30",  # so early nobody is in anybody's way
        "context.cost.*.-30",
        "action_mask.*",  # only those who get too much of it switch the advice off
    )

    def __init__(self, **settings: object):
        super().__init__(**settings)
        p = self.params
        if p.shock != "none" and p.shock_day >= p.days:
            raise UserError(
                f"world.shock_day={p.shock_day}: the episode ends before it, after {p.days} days; take an earlier day"
            )
        self.supply = build_supply(p)
        if p.shock == "closure":
            check_closure(self.supply)
        self.latent_names = hidden.latent_names(self.supply)
        self.vocabulary, _ = vocabulary(self.supply.names)

    def with_params(self, **changes: Any) -> Self:
        """A log may end before the shock, which is then none."""
        days = changes.get("days", self.params.days)
        shock = self.params.shock if days > self.params.shock_day else "none"
        return super().with_params(**{"shock": shock, **changes})

    @property
    def n_users(self) -> int:
        return int(self.params.travellers)

    def person(self, user: int) -> str:
        return name(user)

    def make_world(
        self, streams: Streams, row: ObservationRow, *, day: int = 0, record: bool = False, reveal: Sequence[str] = ()
    ) -> World:
        show = hidden.revealing(reveal) if reveal else None
        return TrafficWorld(
            self.params, self.supply, streams, row, beliefs=typical(self.params), day=day, record=record, reveal=show
        )

    def kpis(self, world: World) -> dict[str, float]:
        traffic = cast(TrafficWorld, world)
        return traffic.tally.figures(traffic.people.trust)

    def answers(self, world: World) -> Answers:
        t = cast(TrafficWorld, world).tally
        return Answers(t.advice, t.followed + t.refused, t.followed, t.refused)

    def scene(self, world: World) -> Scene:
        return traffic_scene(traffic_view(cast(TrafficWorld, world)))

    def scenes(self, world: World, since: int) -> list[Scene]:
        """The rush too, which nobody decides in."""
        traffic = cast(TrafficWorld, world)
        return [traffic_scene(traffic_view(traffic, at)) for at in (*moments(traffic, since), traffic.now)]

    def text(self, world: World) -> str:
        return traffic_text(traffic_view(cast(TrafficWorld, world)))

    def meanings(self) -> Mapping[str, Mapping[str, Meaning | Term]]:
        return MEANINGS

    def baselines(self) -> dict[str, Callable[[Training], Candidate]]:
        ceiling: dict[str, Callable[[Training], Candidate]] = {"informed": lambda training: informed(self.supply)}
        return {**self._made(BASELINES), **ceiling}

    def rungs(self) -> dict[str, Callable[[Training], Policy]]:
        return {"ladder_own": lambda training: TrafficOracle(selfish=True)}

    def exploits(self) -> dict[str, Callable[[Training], Policy]]:
        return self._made(EXPLOITS)

    def _made(self, makes: dict[str, Make]) -> dict[str, Callable[[Training], Policy]]:
        def maker(make: Make) -> Callable[[Training], Policy]:
            return lambda training: make(self.supply, self.params)

        return {name: maker(make) for name, make in makes.items()}
