"""The game as the kit sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, cast

from lam_env.config.convert import short
from lam_env.core.contracts import Candidate, Policy, Training
from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.envs.scenario import Answers, Scenario
from lam_env.envs.scene import Scene
from lam_env.envs.spaces import Meaning, Term
from lam_env.sim.world import World

from . import hidden
from .baselines import BASELINES, LADDER, informed
from .exploits import EXPLOITS
from .params import REWARD_WEIGHTS, UTILITY_WEIGHTS, GameParams
from .picture.scene import game_scene
from .picture.view import game_view
from .rules.compiled import Compiled
from .rules.rules import RULES, Rules, RulesError
from .words import FIGURES, MEANINGS
from .world.world import GameWorld


class Game(Scenario):
    """Players who live in sessions; the agent advises what to play, which skill line to raise, and when to stop."""

    id = "game"
    interaction = "advise"
    personal = True
    Params = GameParams
    reward_weights = REWARD_WEIGHTS
    utility_weights = UTILITY_WEIGHTS
    # a world is one player, and most stay for a session or two
    defaults: ClassVar[dict[str, Any]] = {
        "eval.worlds": 400,
        "log.worlds": 1500,
        "log.days": 30,
        "train.steps": 600_000,
        # lives of few decisions and much luck: many at a time. Chosen on validation players, as what follows
        "train.envs": 64,
        "train.batch": 2048,
        "train.gamma": 0.97,
        "train.trial": 400,
        # advice is worth little and too much of it does lasting harm, so what is tried must stay near to what is best:
        # at the usual temperature most of it is random, everybody is annoyed, and silence is what is learned
        "train.temperature": 0.01,
        # the plug-in that PPO starts from is near the best that can be heard of, and returns are too noisy for large
        # steps: at 3e-4, or if the mean of 400 lives alone decided what is better, the start was lost
        "train.learning_rate": 3e-5,
        "train.certain": 1.0,
        "ppo_scratch@learning_rate": 1e-3,
        "ppo_scratch@certain": 0.0,
    }
    key_figures: ClassVar[dict[str, str]] = {
        "d1": "D1",
        "d7": "D7",
        "d30": "D30",
        "plays_per_day": "plays a day",
        "session_median": "plays a session",
        "flow_share": "time in flow",
        "advice": "advice a play",
        "annoyed_per_hour": "annoyed an hour",
        "annoyed_per_100": "of 100 advices",
        "level_7": "level at day 7",
        "late_minutes": "after bedtime [min/day]",
    }
    figures = FIGURES
    ladder: ClassVar[dict[str, str]] = {
        "prior": "plugin",
        "true chances": "ladder_chances",
        "+ answers to advice": "ladder_answers",
        "+ moods, this play alone": "ladder_now",
        "oracle, difficulty alone": "ladder_difficulty",
        "oracle, activities and builds": "ladder_activities",
        "oracle": "oracle",
    }
    constant_ok = (
        "epoch.user",  # a world is one player
        "epoch.followup",  # no second advice at an instant
        # a few lives are short: not all is open, tried or told in each of them
        *("context.annoyed", "context.open.*", "context.win.*", "context.fresh.*", "context.points.*"),
        *("context.quality.*", "context.late.*"),
        *("action_mask.*", "since.*"),
    )

    def __init__(self, *, rules: Rules = RULES, **settings: object):
        super().__init__(**settings)
        if not isinstance(rules, Rules):
            raise RulesError(
                "rules must be Rules of lam_env.scenarios.game.rules.rules, such as "
                f"changed(RULES, quests=...), not {short(rules)}"
            )
        self.game = Compiled(rules, self.params)
        self.vocabulary = self.game.words.vocabulary
        self.latent_names = hidden.latent_names(self.game)

    @property
    def n_users(self) -> int:
        return 1

    def person(self, user: int) -> str:
        return "the player"

    def make_world(
        self, streams: Streams, row: ObservationRow, *, day: int = 0, record: bool = False, reveal: Sequence[str] = ()
    ) -> World:
        show = hidden.revealing(reveal) if reveal else None
        return GameWorld(self.game, streams, row, day=day, record=record, reveal=show)

    def kpis(self, world: World) -> dict[str, float]:
        return cast(GameWorld, world).tally.figures(int(self.params.days))

    def answers(self, world: World) -> Answers:
        t = cast(GameWorld, world).tally
        return Answers(t.offers, t.offers, t.followed, t.offers - t.followed)

    def scene(self, world: World) -> Scene:
        return game_scene(game_view(cast(GameWorld, world)))

    def meanings(self) -> Mapping[str, Mapping[str, Meaning | Term]]:
        return MEANINGS

    def baselines(self) -> dict[str, Callable[[Training], Candidate]]:
        ceiling: dict[str, Callable[[Training], Candidate]] = {"informed": lambda training: informed(self.game)}
        return {**{name: partial(make, self.game) for name, make in BASELINES.items()}, **ceiling}

    def rungs(self) -> dict[str, Callable[[Training], Policy]]:
        return {name: partial(make, self.game) for name, make in LADDER.items()}

    def exploits(self) -> dict[str, Callable[[Training], Policy]]:
        return {name: partial(make, self.game) for name, make in EXPLOITS.items()}
