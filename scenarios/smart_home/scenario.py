"""The smart home as the kit sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar, cast

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.contracts import Candidate, Policy, Training
from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.core.units import DAY
from lam_env.envs.scenario import Answers, Scenario, WorldFile, start_tick
from lam_env.envs.scene import Scene
from lam_env.envs.spaces import Meaning, Term
from lam_env.sim.world import World

from . import hidden
from .baselines import HomeOracle, MotionRule, Timer
from .devices import build_home
from .exploits import EXPLOITS
from .params import REWARD_WEIGHTS, UTILITY_WEIGHTS, HomeParams
from .people.dislikes import dislikes_of
from .people.personas import PersonaTraits, persona
from .picture.of_world import NAMES, home_view
from .picture.scene import home_scene
from .proposal import proposed
from .words import FIGURES, meanings
from .world import HomeWorld

# Whoever begins with any action is switched off for good in the first days, and has nothing more to learn from. What an
# act comes to is known soon, and what else a home costs is noise: a short horizon and many homes at a time.
FROM_SCRATCH = {
    "start": "silent",
    "entropy": 0.01,
    "gamma": 0.9,
    "gae_lambda": 0.9,
    "envs": 64,
    "batch": 2048,
    "epochs": 8,
}


class SmartHome(Scenario):
    """People in a home with devices; the agent does for them what they were about to do."""

    id = "smart_home"
    interaction = "anticipate"
    Params = HomeParams
    reward_weights = REWARD_WEIGHTS
    utility_weights = UTILITY_WEIGHTS
    defaults: ClassVar[dict[str, object]] = {
        f"{agent}@{key}": value for agent in ("ppo_scratch", "maskable_ppo") for key, value in FROM_SCRATCH.items()
    }
    ladder: ClassVar[dict[str, str]] = {
        "prior": "plugin",
        "+ activity": "ladder_activity",
        "+ plan within patience": "ladder_plan",
        "oracle": "oracle",
    }
    key_figures: ClassVar[dict[str, str]] = {
        "manual_actions": "touches a day",
        "automation_share": "done for them",
        "overrides": "overrides a day",
        "rejections": "rejections a day",
        "dark_minutes": "dark [min/day]",
        "cost": "cost [EUR/day]",
        "trust": "trust at the end",
    }
    figures = FIGURES
    constant_ok = ("epoch.user",)  # one stream, the home's, whoever acts in it

    def __init__(self, *, tables: Sequence[BehaviourTables] = (), **settings: object):
        """`tables`: habits of calibrated residents, who then live here, in turn, in place of drawn personas."""
        super().__init__(**settings)
        self._made_with = self._made_with | {"devices": self.params.devices}  # made anew without the file
        self.tables = tuple(tables)
        self.home = build_home(self.params.rooms, self.params.devices)
        self.vocabulary = self.home.vocabulary
        self.synonyms = self.home.synonyms if self.params.devices else None
        self.latent_names = hidden.latent_names(self.home, self.params.residents)
        self.dislikes = dislikes_of(
            self.params.rooms, self.params.households, self.params.dislikes, self.params.devices
        )

    @property
    def n_users(self) -> int:
        return int(self.params.residents)

    def person(self, user: int) -> str:
        return NAMES[user]

    def people(self, streams: Streams) -> list[tuple[str, BehaviourTables, PersonaTraits]]:
        """(persona's name, behaviour tables, traits) of a household's residents."""
        personas, choice = self.params.personas, streams("home", "personas")
        residents = []
        for i in range(self.params.residents):
            name = personas[int(choice.uniform(i) * len(personas))]
            tables, traits = persona(name, streams(f"resident{i}", "persona"))
            own = self.tables[i % len(self.tables)] if self.tables else tables
            residents.append((name, own, traits))
        return residents

    def make_world(
        self, streams: Streams, row: ObservationRow, *, day: int = 0, record: bool = False, reveal: Sequence[str] = ()
    ) -> World:
        return HomeWorld(
            self.params,
            streams,
            row,
            self.people(streams),
            start=start_tick(day),
            record=record,
            reveal=hidden.revealing(reveal) if reveal else None,
        )

    def scene(self, world: World) -> Scene:
        return home_scene(home_view(cast(HomeWorld, world)))

    def meanings(self) -> Mapping[str, Mapping[str, Meaning | Term]]:
        return meanings(self.home)

    def baselines(self) -> dict[str, Callable[[Training], Candidate]]:
        return {"timer": Timer, "motion": lambda training: MotionRule(self.home), "oracle": HomeOracle}

    def rungs(self) -> dict[str, Callable[[Training], Policy]]:
        return {"ladder_plan": lambda training: HomeOracle(training, blind=True)}

    @classmethod
    def proposal(cls, names: Sequence[str]) -> WorldFile:
        """A file for `world.devices`."""
        return proposed(names)

    def exploits(self) -> dict[str, Callable[[Training], Policy]]:
        return {name: partial(make, self.home) for name, make in EXPLOITS.items()}

    def kpis(self, world: World) -> dict[str, float]:
        """Per person and day where it says so; everything else over the episode."""
        home = cast(HomeWorld, world)
        days = (home.now - home.start) / DAY
        person_days = days * len(home.residents)
        counts, terms = home.counts, home.utility_totals
        return {
            "manual_actions": counts["manual"] / person_days,
            "automation_share": counts["assists"] / max(1, counts["assists"] + counts["manual"]),
            "overrides": counts["overrides"] / person_days,
            "rejections": counts["rejections"] / person_days,
            "false_activations": counts["nuisances"] / person_days,
            "night_disturbances": counts["woken"] / days,
            "dark_minutes": terms["dark"] / person_days,
            "cold_degree_hours": home.cold_hours / person_days,
            "unlocked_minutes": terms["unlocked"] / days,
            "kwh": home.kwh / days,
            "cost": terms["energy"] / days,
            "peak_kw": home.peak,
            "light_switches": counts["light_on"] / person_days,
            "trust": sum(r.trust for r in home.residents) / len(home.residents),
            "switch_offs": float(home.switch_offs),
            "agent_acts": home.agent_acts / person_days,
        }

    def answers(self, world: World) -> Answers:
        home = cast(HomeWorld, world)
        assists, overrides, rejections = (home.counts[k] for k in ("assists", "overrides", "rejections"))
        return Answers(home.agent_acts, assists + overrides + rejections, assists, overrides)
