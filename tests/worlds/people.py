"""Small worlds of persons for the tests: one that follows a script, and one whose best advice is known."""

import functools
from dataclasses import dataclass

import numpy as np

from lam_env.core.contracts import Prediction, Training
from lam_env.core.events import Vocabulary
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.tuning import TrainSettings
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario, start_tick
from lam_env.envs.scene import Rectangle, Scene, Text
from lam_env.envs.vector import LamVectorEnv
from lam_env.logs.decision_points import decision_points, from_observation
from lam_env.sim.persons import PersonalWorld

CAR, BUS, WALK = 1, 2, 3
RAIN, EXTERNAL, OWN = 0, 1, 4  # readings: the rain and what others would save are everybody's
VOCABULARY = Vocabulary(
    ("none", "car", "bus", "walk"),
    ("plans",),
    ("rain", *(f"external.{a}" for a in ("car", "bus", "walk")), *(f"own.{a}" for a in ("car", "bus", "walk"))),
    ("accept", "refuse", "same"),
)
A, N_READINGS = len(VOCABULARY), len(VOCABULARY.readings)
WEIGHTS = {"own": 0.1, "external": 0.1, "nag": -0.1}


class Scripted(PersonalWorld):
    """`script`: (time, method, arguments) of what happens."""

    def __init__(self, script=(), *, people=3, start=0, end=1000, record=True, watch=True):
        self.rows, self.said = ObservationRows(1, VOCABULARY), []
        super().__init__(
            Streams(0), self.rows.row(0), VOCABULARY, people, OWN, start=start, end=end,
            reward_weights=WEIGHTS, utility_weights={"help": 1.0}, record=record,
        )  # fmt: skip
        for own in self.persons:
            own.mask[:] = np.ones(A, np.int8)
        if watch:
            self.begin_to_watch()
        for time, method, *arguments in script:
            self.call_at(time, self.happen, (method, arguments))

    def happen(self, what):
        method, arguments = what
        getattr(self, method)(*arguments)

    def decide(self, action):
        if action:
            self.said.append((self.now, self.person, action, self.agent_acts))

    def points(self, actions=()):
        """What each decision point shows up to the end, as observations."""
        shown, actions = [], iter(actions)
        while not self.step(next(actions, 0)):
            shown.append(self.row.observe())
        return shown


def by_person(shown, vocabulary=VOCABULARY):
    """Observations of one world in a row -> the decision points of each person."""
    stacked = {name: np.stack([o[name] for o in shown]) for name in shown[0]}
    points = from_observation(stacked, vocabulary)
    return {int(person): points.select(points.user == person) for person in np.unique(points.user)}


HOUR = 3600
KEEPS = 0.9  # how often a person does what they are used to
WILLING, BY_OWN = -0.5, 1.5  # logit of acceptance, and how it rises with a tenth of the person's own saving


def habit(person):
    return CAR if person % 2 == 0 else BUS


def habits(person):
    """What the person does next if nobody says anything."""
    p = np.array([0.0, 1 - KEEPS, 1 - KEEPS, 0.0])
    p[habit(person)] = KEEPS
    return p


def acceptance(own):
    return 1 / (1 + np.exp(-(WILLING + BY_OWN * own / 10)))


def known_values(observation, nag=-WEIGHTS["nag"]):
    """(N, A) what each advice is worth in the mean; 0 for none."""
    p = np.stack([habits(person) for person in observation["epoch"][:, 2]])[:, 1:]
    context = observation["context"]
    external, own = context[:, EXTERNAL:OWN], context[:, OWN:]
    worth = WEIGHTS["own"] * own + WEIGHTS["external"] * external
    value = np.where(observation["action_mask"][:, 1:] > 0, acceptance(own) * (1 - p) * worth - nag, -np.inf)
    return np.concatenate([np.zeros((len(p), 1)), value], 1)


class Best:
    """The best advice, with all that can be known about the answers."""

    def __init__(self, nag=-WEIGHTS["nag"]):
        self.nag = nag

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return known_values(observation, self.nag).argmax(1), state


@dataclass(frozen=True)
class TripsParams:
    days: float = 1.0
    people: int = 3
    nag: float = 0.1
    burn_in: int = 3  # [h]


class TripsWorld(PersonalWorld):
    """Most hours each person plans a trip, is asked about it and goes some minutes later, while others plan theirs.

    Advice to do what they would do anyway changes nothing; any other is taken with a known probability and brings its
    worth, once they have gone.
    """

    def __init__(self, trips, streams, row, day, record, reveal):
        start, people, p = start_tick(day), trips.params.people, trips.params
        super().__init__(
            streams, row, VOCABULARY, people, OWN, start=(start - p.burn_in * HOUR) * self.second,
            end=(start + int(p.days * 86_400)) * self.second, record=record,
            reward_weights=trips.reward_weights, utility_weights=trips.utility_weights,
        )  # fmt: skip
        purposes = ("plans", "when", "goes", "bus", "walk", "choice", "answer")
        self.draws = [{name: streams(i, name) for name in purposes} for i in range(people)]
        self.weather, self.advice, self.watched = streams("weather", "hour"), [None] * people, False
        self.call_at(self.start, self.hour)
        self.call_at(start * self.second, self.watch)
        self.reveal = self.show if "latent" in reveal else None
        while not self.watched:
            self.run_until_decision()

    def watch(self, _):
        self.begin_to_watch()
        self.watched = True

    def show(self, world):
        h = self.now // self.second // HOUR
        self.row.latent[:] = self.person, self.draws[self.person]["choice"].uniform(h)

    def hour(self, _):
        h = self.now // self.second // HOUR
        for c, v in enumerate((self.weather.uniform(3 * h) < 0.3, 0, *self.weather.block(3 * h + 1, 2) * 6)):
            self.reading(c, float(v))
        for i, draws in enumerate(self.draws):
            if draws["plans"].uniform(h) < 0.8:
                at = h * HOUR + int(1500 * draws["when"].uniform(h))
                self.call_at(at * self.second, self.plan, i)
        self.call_at(self.now + HOUR * self.second, self.hour)

    def plan(self, i):
        h, draws = self.now // self.second // HOUR, self.draws[i]
        for c, a in enumerate((CAR, BUS, WALK)):
            usual = a == habit(i)
            drawn = 30 * draws["bus" if a != WALK else "walk"].uniform(h) - 10
            self.reading(OWN + c, 0.0 if usual else drawn, i)
            self.persons[i].mask[a] = int(a != WALK or not self.row.context[RAIN])
        self.persons[i].mask[0] = 1
        wait = 1 + int((HOUR - 1501) * draws["goes"].uniform(h))
        self.call_at(self.now + wait * self.second, self.go, i)
        self.ask(i, 0)

    def decide(self, action):
        if action:
            self.advice[self.person] = action, self.agent_acts, list(self.row.context)
            self.earn_from(self.person, "nag")

    def go(self, i):
        h, draws, said = self.now // self.second // HOUR, self.draws[i], self.advice[i]
        does = habit(i) if draws["choice"].uniform(h) < KEEPS else CAR + BUS - habit(i)
        if said is not None:
            action, answers, context = said
            own, external = context[OWN + action - 1], context[EXTERNAL + action - 1]
            if action == does:
                self.feedback_event(i, 2, action, answers, 0.0, None)
            elif draws["answer"].uniform(h) < acceptance(own):
                does = action
                self.feedback_event(i, 0, action, answers, 1.0, True)
                self.earn_from(i, "own", own)
                self.earn_from(i, "external", external)
                self.utility_totals["help"] += own + external
            else:
                self.feedback_event(i, 1, action, answers, -1.0, False)
            self.user_event(i, does, answers)
        else:
            self.user_event(i, does)
        self.advice[i] = None


class FineTripsWorld(TripsWorld):
    """The same with ten ticks a second."""

    second = 10


class Trips(Scenario):
    id = "trips"
    interaction, personal = "advise", True
    Params, World = TripsParams, TripsWorld
    utility_weights = {"help": 1.0}  # noqa: RUF012
    vocabulary, latent_names = VOCABULARY, ("person", "choice")
    constant_ok = ("epoch.followup", "since.none", "since.plans", "context.external.car", "action_mask.*")

    def __init__(self, **settings):
        super().__init__(**settings)
        self.reward_weights = {**WEIGHTS, "nag": -self.params.nag}

    @property
    def n_users(self):
        return self.params.people

    def scene(self, world):
        items = Rectangle(0, 20, 80, 20, fill="road"), Text(2, 12, f"{world.person} plans", fill="text")
        return Scene(80, 40, items, roles={"road": ("8d95a1", "3a4353")})

    def make_world(self, streams, row, *, day=0, record=False, reveal=()):
        return self.World(self, streams, row, day, record, reveal)


class Tuned(Trips):
    """A scenario that says how PPO is tuned in it."""

    defaults = {"train.gamma": 0.5, "train.envs": 8, "ppo_scratch@gamma": 0.25}  # noqa: RUF012


class FineTrips(Trips):
    World = FineTripsWorld


@dataclass
class Seen:
    count: np.ndarray  # (n,) decision points of each stream


class Knowing:
    """The predictor that knows the habits, and how many decision points each stream has had."""

    vocabulary, n_hidden = VOCABULARY, 1

    def start(self, n):
        return Seen(np.zeros(n, int))

    def reset(self, state, rows):
        return Seen(np.where(rows, 0, state.count))

    def step(self, state, points, active):
        count = state.count + active
        p = np.stack([habits(person) for person in points.user]).astype(np.float32)
        return Prediction(p, None, count[:, None].astype(np.float32)), Seen(count)


def training_of_trips(seed=0, **settings):
    scenario = Trips(**{"days": 4.0, **settings})
    points = log_of_trips()

    def make_env(n, **options):
        return LamVectorEnv(n, scenario, **options)

    paid = scenario.reward_weights
    return Training(
        VOCABULARY,
        "advise",
        points,
        points,
        make_env,
        paid,
        prior=Knowing(),
        tuning=TrainSettings(steps=1000),
        seed=seed,
    )


@functools.cache
def log_of_trips():
    return decision_points(simulate_log(Trips(), [0, 1], 4)[0])
