"""Behaviour tables: what a simulated person does, as data. Calibration fills them, people read them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from lam_env.core.files.records import record_of
from lam_env.core.shared import Shared

_LONGEST, _HEAVIEST = 100_000, 1e99  # [min] of an act or a pause; of a weight
DAYS = ("all", "weekday", "weekend")
_ARRAYS = ("hourly", "follow", "sequel", "night", "again", "pace", "usual")


@dataclass(frozen=True)
class Anchor:
    """An act that happens by the clock: about `hour` [h, may exceed 24 for after midnight], sd [h].

    The night belongs to the day it leads into: going to bed on Friday is a matter of the weekend.
    """

    activity: str
    hour: float
    sd: float
    skip: float = 0.0  # probability that a day passes without it
    days: str = "all"
    ends: bool = False  # the clock ends the activity instead: waking up
    from_wake: bool = False  # `hour` counts from the day's wake-up
    minutes: tuple[float, ...] = ()  # own duration quantiles [min]: a working day is no errand
    week: int = -1  # only in this week of the rotation (-1: every week)


@dataclass(frozen=True)
class Need:
    """An act driven by a rising need: a gamma-distributed time [h awake] since the last one triggers it."""

    activity: str
    every: float  # mean time between two acts [h]
    shape: float = 2.0  # gamma shape: 1 memoryless, large regular
    asleep: float = 0.0  # how fast it rises in sleep, as a share of the waking rate; 0: it never wakes anybody
    interrupts: bool = False  # does it cut a filler short, or wait for the filler's end?


@dataclass(frozen=True)
class BehaviourTables(Shared):
    """One person's habits.

    activities: names (K). `durations`: per activity, quantiles [min] at equally spaced probabilities 0..1.
    `hourly` (24, K): weight of choosing a filler at an hour of day (rows need not sum to 1). `follow` (K, K):
    factor on the weight of the next filler given the last act (1 = no influence). `sequel` (K, K) or (0,): a weight
    of the next filler given the last act, added at any hour: it decides where hours say next to nothing of what may
    follow. `pauses`: quantiles [min] of the time between two acts in which nothing is done; `pause` is the probability
    that there is one. `pauses_after`: by
    activity those of the time after it, none of it among them, in place of both: whoever leaves is away.
    `night` (K,) or (0,): weights of what they do between going to bed and getting up (empty: they sleep until they
    wake or a need wakes them). `night_pauses`: quantiles [min] of what lies between two acts of that time, none of it
    among them. `naps`: quantiles [min] of sleep outside that time. `pace` (24,) or (0,): how much longer pauses are at
    an hour. `usual` (24,) or (0,): acts since getting up by the middle of an hour; by exp(`steady`) pauses grow for an
    act that a day is ahead of it, and shrink for one that it is behind.
    """

    activities: tuple[str, ...]
    anchors: tuple[Anchor, ...] = ()
    needs: tuple[Need, ...] = ()
    durations: dict[str, tuple[float, ...]] = field(default_factory=dict)
    hourly: np.ndarray = field(default_factory=lambda: np.zeros((24, 0)))
    follow: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    sequel: np.ndarray = field(default_factory=lambda: np.zeros(0))
    pauses: tuple[float, ...] = (0.0, 0.0)
    pause: float = 0.0
    weekend_shift: float = 0.0  # [h] added to anchors' hours on Saturday and Sunday
    sleep: str = "sleep"  # the activity of the night
    away: tuple[str, ...] = ()  # activities outside the home: long ones see to the needs
    night: np.ndarray = field(default_factory=lambda: np.zeros(0))
    naps: tuple[float, ...] = ()
    night_pauses: tuple[float, ...] = ()
    weekend_pace: float = 1.0  # factor on the length of fillers and pauses on Saturday and Sunday
    resume: float = 0.0  # probability that a filler cut short by a need is taken up again
    pace: np.ndarray = field(default_factory=lambda: np.zeros(0))
    again: np.ndarray = field(default_factory=lambda: np.zeros(0))
    evenness: float = 0.0  # how evenly long and short take turns within an activity, 0 (independent) to 1
    brevity: float = 0.0  # probability that an act is the shorter the longer the pause before it
    drift: float = 0.12  # step [quantile] from a pause to the next: small where long ones come together
    usual: np.ndarray = field(
        default_factory=lambda: np.zeros(0)
    )  # (24,) acts since getting up, in the middle of an hour
    steady: float = 0.0
    mood: float = 0.0  # sd of the log of a day's factor on the length of fillers; pauses shrink as they stretch
    taste: float = 0.0  # how much the choice of fillers differs from day to day, 0..1
    pauses_after: dict[str, tuple[float, ...]] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)  # what always comes next, whatever the clock and needs say
    rotation: int = 1  # [weeks] after which the anchors' weeks repeat (shift work)
    unseen: tuple[str, ...] = ()  # activities that are lived, but that a log of this person does not name
    home: str = ""  # of stays at places: the one at which they live; what is done there is not told
    holds: tuple[str, ...] = ()  # activities that a log writes as one when they go on after another: it holds that one

    def __post_init__(self) -> None:
        k = len(self.activities)
        if np.shape(self.hourly) != (24, k) or np.shape(self.follow) != (k, k):
            raise ValueError(f"behaviour tables: hourly must be (24, {k}) and follow ({k}, {k})")
        if np.shape(self.sequel) not in ((0,), (k, k)):
            raise ValueError(f"behaviour tables: sequel must be empty or ({k}, {k})")
        if any(np.shape(x) not in ((0,), (k,)) for x in (self.night, self.again)):
            raise ValueError(f"behaviour tables: night and again must be empty or ({k},)")
        if any(np.shape(x) not in ((0,), (24,)) for x in (self.pace, self.usual)):
            raise ValueError("behaviour tables: pace and usual must be empty or (24,)")
        self._check_numbers()
        planned = (*(a.activity for a in self.anchors), *(n.activity for n in self.needs))
        for name in (
            *planned,
            *self.away,
            *self.unseen,
            *self.holds,
            *self.pauses_after,
            *self.leads,
            *self.leads.values(),
            *([self.home] if self.home else []),
        ):
            if name not in self.activities:
                raise ValueError(f"behaviour tables: unknown activity {name!r}")
        for name in self.leads.keys() & set(self.leads.values()):
            raise ValueError(f"behaviour tables: {name!r} both leads and is led, which may never end")
        for anchor in self.anchors:
            if anchor.days not in DAYS:
                raise ValueError(f"behaviour tables: days of {anchor.activity!r} must be one of {', '.join(DAYS)}")
            if anchor.week >= self.rotation:
                raise ValueError(f"behaviour tables: week {anchor.week} of {anchor.activity!r} is not in the rotation")
        quantiles = {"pauses": self.pauses, "naps": self.naps, "night_pauses": self.night_pauses}
        quantiles |= {f"minutes of {a.activity!r}": a.minutes for a in self.anchors}
        quantiles = {name: q for name, q in quantiles.items() if q}
        quantiles |= {f"pauses_after {name!r}": q for name, q in self.pauses_after.items()}
        quantiles |= {f"durations of {name!r}": self.durations.get(name, ()) for name in self.activities}
        for name, q in quantiles.items():
            if len(q) < 2 or list(q) != sorted(q) or not 0 <= q[0] <= q[-1] <= _LONGEST:
                raise ValueError(f"behaviour tables: {name} must be rising quantiles [min] up to {_LONGEST:,}")

    def _check_numbers(self) -> None:
        chances = {name: getattr(self, name) for name in ("pause", "resume", "evenness", "brevity", "taste", "drift")}
        bounds = [(name, value, 0.0, 1.0) for name, value in chances.items()]
        bounds += [(name, x, 0.0, _HEAVIEST) for name in _ARRAYS for x in np.ravel(getattr(self, name)).tolist()]
        bounds += [
            ("steady", self.steady, 0, 10),
            ("weekend_pace", self.weekend_pace, 0.01, 100),
            ("mood", self.mood, 0, 10),
        ]
        bounds += [("weekend_shift", self.weekend_shift, -24, 24), ("rotation", self.rotation, 1, 1000)]
        for a in self.anchors:
            bounds += [
                ("hour", a.hour, -48, 72),
                ("sd", a.sd, 0, 48),
                ("skip", a.skip, 0, 1),
                ("week", a.week, -1, 999),
            ]
        for n in self.needs:
            bounds += [("every", n.every, 0.01, 10_000), ("shape", n.shape, 0.01, 1000), ("asleep", n.asleep, 0, 1)]
        for name, value, low, high in bounds:
            if not low <= value <= high:
                raise ValueError(f"behaviour tables: {name} of {value:g} does not lie between {low:g} and {high:g}")

    def to_json(self) -> dict[str, object]:
        return dataclasses.asdict(self) | {name: np.asarray(getattr(self, name)).tolist() for name in _ARRAYS}

    @classmethod
    def from_json(cls, data: object) -> BehaviourTables:
        """ValueError where they are none."""
        return record_of(cls, data)
