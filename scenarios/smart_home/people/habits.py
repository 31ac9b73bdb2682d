"""Six ways to live, as data: clock anchors, needs, and how much each filler appeals at each part of the day.

Hours, durations and rates are set by hand to the ranges seen in annotated homes (CASAS hh102 and hh104, Ordonez,
van Kasteren): 18 to 53 acts a day, wake-up sd .46 to 1.15 h, meals sd .3 to .85 h.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lam_env.core.behaviour_tables import Anchor, Need

ACTIVITIES = (
    *("sleep", "toilet", "groom", "shower", "dress", "breakfast", "lunch", "dinner", "snack", "drink"),
    *("tv", "relax", "read", "music", "work", "clean", "laundry", "out", "phone", "guests"),
)

# median [min] and sd of the logarithm; for sleep that of a nap
LENGTHS = {
    **{"sleep": (40, 0.5), "toilet": (3, 0.5), "groom": (5, 0.6), "shower": (9, 0.35), "dress": (4, 0.5)},
    **{"breakfast": (14, 0.45), "lunch": (22, 0.45), "dinner": (30, 0.4), "snack": (6, 0.6), "drink": (3, 0.7)},
    **{"tv": (45, 0.8), "relax": (22, 0.9), "read": (30, 0.7), "music": (26, 0.6), "work": (40, 0.7)},
    **{"clean": (14, 0.8), "laundry": (8, 0.6), "out": (40, 0.7), "phone": (9, 0.9), "guests": (120, 0.4)},
}

NEEDS = (
    Need("toilet", 3.2, 4.0, 0.25, True),
    Need("drink", 3.4, 3.0, 0.0, True),
    Need("snack", 6.5, 2.5),
    Need("groom", 9.0, 3.0),
)

# hours of day that the columns of `fillers` stand for: night, morning, midday, afternoon, evening, late
PARTS = (0,) * 6 + (1,) * 5 + (2,) * 3 + (3,) * 4 + (4,) * 4 + (5,) * 2

# act -> next filler -> factor on its weight
FOLLOW = {
    "breakfast": {"clean": 10.0, "read": 4.0, "work": 2.0},
    "lunch": {"clean": 10.0, "relax": 4.0},
    "dinner": {"clean": 12.0, "tv": 4.0},
    "clean": {"laundry": 8.0, "tv": 2.0},
    "laundry": {"clean": 6.0},
    "out": {"relax": 8.0, "phone": 2.0},
    "work": {"phone": 5.0, "relax": 2.0},
    "phone": {"work": 5.0, "tv": 2.0},
    "tv": {"phone": 2.5, "work": 0.2, "clean": 0.4, "music": 0.2},
    "relax": {"tv": 2.5, "music": 3.0, "clean": 0.4},
    "music": {"relax": 5.0, "tv": 0.3},
    "read": {"sleep": 4.0, "relax": 2.0, "tv": 0.4},
    "sleep": {"read": 2.0, "tv": 2.0},
    "shower": {"dress": 10.0},
    "groom": {"dress": 3.0},
    "guests": {"clean": 8.0},
}

# probability of going back to a filler after one other act
AGAIN = {"tv": 0.45, "work": 0.45, "read": 0.25, "relax": 0.2, "music": 0.25, "clean": 0.3}

MORNING = (
    Anchor("toilet", 0.03, 0.03, skip=0.1, from_wake=True),
    Anchor("shower", 0.2, 0.12, skip=0.25, from_wake=True),
    Anchor("dress", 0.45, 0.15, skip=0.12, from_wake=True),
    Anchor("breakfast", 0.7, 0.2, skip=0.08, from_wake=True),
)


def working_day(hours: float, sd: float) -> tuple[float, ...]:
    """Duration quantiles [min] of a time away: near normal, cut at two sd."""
    return tuple(60 * (hours + sd * z) for z in (-2, -1, -0.5, 0, 0.5, 1, 2))


@dataclass(frozen=True)
class Habits:
    """One way to live; ValueError where a filler is unknown or has no weight for a part of the day."""

    anchors: tuple[Anchor, ...]  # acts by the clock
    fillers: dict[str, tuple[float, ...]]  # activity -> weights >= 0 in the six parts of the day (see PARTS)
    traits: dict[str, float]  # means of PersonaTraits
    lengths: dict[str, tuple[float, float]] = field(default_factory=dict)  # in place of LENGTHS
    needs: tuple[Need, ...] = ()  # in place of NEEDS
    weekend_shift: float = 0.0  # [h] by which anchors are later at the weekend
    weekend_pace: float = 1.0  # fillers take longer at the weekend where working days leave few hours
    mood: float = 0.05  # sd of the log of a day's factor on the length of fillers
    taste: float = 0.6  # how much the choice of fillers differs from day to day, 0..1
    rotation: int = 1  # [weeks] after which the anchors' weeks repeat

    def __post_init__(self) -> None:
        for activity, weights in self.fillers.items():
            if activity not in ACTIVITIES or len(weights) != 6 or min(weights) < 0:
                raise ValueError(f"habits: filler {activity!r} {weights}: name one of ACTIVITIES, six weights >= 0")


def _sleep(wake: float, sd: float, bed: float, bed_sd: float, **more: str | int) -> tuple[Anchor, Anchor]:
    return Anchor("sleep", wake, sd, ends=True, **more), Anchor("sleep", bed, bed_sd, **more)  # type: ignore[arg-type]


HABITS = {
    "early_commuter": Habits(
        anchors=(
            *_sleep(6.1, 0.35, 22.4, 0.5, days="weekday"),
            *_sleep(7.5, 0.6, 23.1, 0.7, days="weekend"),
            *MORNING,
            Anchor("out", 7.5, 0.2, skip=0.02, days="weekday", minutes=working_day(9.2, 0.4)),
            Anchor("dinner", 18.6, 0.5, skip=0.08),
            Anchor("lunch", 12.8, 0.5, skip=0.15, days="weekend"),
            Anchor("out", 19.9, 0.5, skip=0.88, days="weekday", minutes=working_day(1.3, 0.25)),
            Anchor("out", 10.3, 0.6, skip=0.12, days="weekend", minutes=working_day(2.2, 0.5)),
            Anchor("out", 15.0, 0.8, skip=0.25, days="weekend", minutes=working_day(2.4, 0.5)),
            Anchor("laundry", 9.6, 0.9, skip=0.55, days="weekend"),
            Anchor("guests", 19.5, 0.7, skip=0.85, days="weekend"),
        ),
        fillers={
            "tv": (1, 0.6, 1, 2, 7, 4), "relax": (1, 2, 2, 2.5, 2.5, 2),
            "read": (0, 0.5, 0.5, 1, 1.2, 2.5), "music": (0, 1, 1, 1, 0.8, 0.2),
            "work": (0, 0.2, 0.3, 0.4, 0.8, 0.3), "clean": (0, 1.5, 2, 2, 1.2, 0.2),
            "laundry": (0, 0.2, 0.4, 0.4, 0.4, 0), "phone": (0, 0.4, 0.8, 1.2, 1.5, 0.8),
            "out": (0, 0.1, 0.3, 0.4, 0.1, 0), "sleep": (0, 0, 0, 0.3, 0, 0),
        },
        weekend_pace=2.6,
        traits={"regularity": 0.8, "tolerance": 0.5, "comfort_setpoint": 20.5, "thrift": 0.6,
                "tidiness": 0.7, "talkativeness": 0.05},
        lengths={"breakfast": (10, 0.4), "shower": (7, 0.35)},
        needs=(Need("toilet", 2.8, 4.0, 0.25, True), Need("drink", 2.4, 3.0, 0.0, True)),
    ),
    "shift_worker": Habits(
        rotation=2,
        anchors=(
            *_sleep(5.9, 0.3, 21.8, 0.6, days="weekday", week=0),
            *_sleep(7.7, 0.5, 24.2, 0.5, days="weekday", week=1),
            *_sleep(7.6, 0.7, 23.8, 0.8, days="weekend"),
            *MORNING,
            Anchor("out", 6.8, 0.12, skip=0.02, days="weekday", week=0, minutes=working_day(8.8, 0.2)),
            Anchor("out", 13.5, 0.12, skip=0.02, days="weekday", week=1, minutes=working_day(8.8, 0.2)),
            Anchor("lunch", 16.2, 0.4, skip=0.25, days="weekday", week=0),
            Anchor("lunch", 12.3, 0.4, skip=0.15, days="weekday", week=1),
            Anchor("lunch", 13.3, 0.6, skip=0.2, days="weekend"),
            Anchor("dinner", 18.6, 0.6, skip=0.1, days="weekday", week=0),
            Anchor("dinner", 22.9, 0.4, skip=0.2, days="weekday", week=1),
            Anchor("dinner", 19.4, 0.7, skip=0.15, days="weekend"),
            Anchor("out", 10.6, 0.8, skip=0.15, days="weekend", minutes=working_day(2.4, 0.5)),
            Anchor("out", 20.3, 0.7, skip=0.4, days="weekend", minutes=working_day(2.4, 0.4)),
        ),
        fillers={
            "tv": (3, 1.5, 1.5, 3, 5, 5), "relax": (2, 2, 2, 2.5, 2, 2),
            "read": (0.3, 0.3, 0.3, 0.4, 0.4, 0.6), "music": (0.3, 1, 1, 1.2, 1, 0.4),
            "work": (0, 0.3, 0.3, 0.3, 0.3, 0.1), "clean": (0.1, 1.4, 1.4, 1.4, 0.8, 0.4),
            "laundry": (0, 0.6, 0.5, 0.5, 0.3, 0.1), "phone": (0.3, 0.8, 1, 1.4, 1.4, 1),
            "out": (0, 0.4, 0.4, 0.5, 0.2, 0), "sleep": (0, 0, 0, 0.8, 0, 0),
        },
        weekend_pace=2.2,
        traits={"regularity": 1.1, "tolerance": 0.45, "comfort_setpoint": 20.0, "thrift": 0.5,
                "tidiness": 0.45, "talkativeness": 0.04},
        needs=(Need("toilet", 2.6, 4.0, 0.25, True), Need("drink", 2.4, 3.0, 0.0, True), Need("snack", 4.5, 2.5)),
    ),
    "home_worker": Habits(
        anchors=(
            *_sleep(7.3, 0.45, 23.3, 0.6, days="weekday"),
            *_sleep(8.5, 0.8, 24.0, 0.8, days="weekend"),
            *MORNING,
            Anchor("work", 8.9, 0.35, skip=0.05, days="weekday", minutes=working_day(1.6, 0.5)),
            Anchor("work", 13.7, 0.4, skip=0.08, days="weekday", minutes=working_day(1.7, 0.5)),
            Anchor("lunch", 12.6, 0.4, skip=0.08),
            Anchor("dinner", 19.2, 0.5, skip=0.08),
            Anchor("out", 17.4, 0.6, skip=0.4, days="weekday"),
            Anchor("out", 10.8, 0.9, skip=0.3, days="weekend", minutes=working_day(2.0, 0.6)),
            Anchor("out", 15.4, 1.0, skip=0.4, days="weekend", minutes=working_day(2.0, 0.8)),
            Anchor("guests", 19.9, 0.6, skip=0.8, days="weekend"),
        ),
        fillers={
            "tv": (1, 0.2, 0.3, 0.4, 6, 4), "relax": (1, 0.8, 1, 1, 2, 2),
            "read": (0.5, 0.4, 0.5, 0.5, 1.5, 3), "music": (0, 0.8, 0.8, 0.8, 1, 0.2),
            "work": (0, 6, 4, 6, 0.6, 0.4), "clean": (0, 0.8, 0.8, 0.8, 1.2, 0.2),
            "laundry": (0, 0.5, 0.4, 0.4, 0.3, 0), "phone": (0, 1.6, 1.2, 1.6, 1, 0.3),
            "out": (0, 0.2, 0.3, 0.3, 0.1, 0), "sleep": (0, 0, 0, 0.05, 0, 0),
        },
        traits={"regularity": 0.9, "tolerance": 0.6, "comfort_setpoint": 21.5, "thrift": 0.5,
                "tidiness": 0.6, "talkativeness": 0.08},
        needs=(Need("toilet", 3.2, 4.0, 0.25, True), Need("drink", 2.6, 3.0, 0.0, True)),
    ),
    "retired": Habits(
        anchors=(
            *_sleep(7.0, 0.75, 22.3, 0.7),
            *MORNING,
            Anchor("lunch", 12.3, 0.3, skip=0.04),
            Anchor("dinner", 18.2, 0.35, skip=0.05),
            Anchor("out", 10.2, 0.6, skip=0.3, days="weekday"),
            Anchor("out", 15.6, 0.8, skip=0.55),
            Anchor("guests", 15.2, 0.6, skip=0.75, days="weekend"),
        ),
        fillers={
            "tv": (1, 0.8, 1.2, 2, 8, 4), "relax": (1, 1.8, 2, 2.2, 1.8, 1.5),
            "read": (0.5, 2, 1.2, 1.8, 1, 2.5), "music": (0.1, 0.8, 0.5, 1, 0.6, 0.2),
            "work": (0, 0.6, 0.4, 0.6, 0.2, 0), "clean": (0, 2.2, 1.4, 1.4, 0.6, 0),
            "laundry": (0, 0.7, 0.4, 0.4, 0.1, 0), "phone": (0, 0.8, 0.6, 0.9, 0.9, 0.1),
            "out": (0, 0.3, 0.3, 0.4, 0.05, 0), "sleep": (0, 0, 0, 1.6, 0.1, 0),
        },
        traits={"regularity": 0.8, "tolerance": 0.35, "comfort_setpoint": 22.0, "thrift": 0.7,
                "tidiness": 0.8, "talkativeness": 0.06},
        lengths={"breakfast": (22, 0.35), "tv": (55, 0.7), "dress": (6, 0.5)},
        needs=(Need("toilet", 2.6, 4.0, 0.45, True), Need("drink", 3.0, 3.0, 0.0, True)),
        weekend_shift=0.25,
    ),
    "family": Habits(
        anchors=(
            *_sleep(6.4, 0.35, 22.8, 0.6, days="weekday"),
            *_sleep(7.7, 0.6, 23.5, 0.8, days="weekend"),
            *MORNING,
            Anchor("out", 7.9, 0.15, skip=0.05, days="weekday", minutes=working_day(5.4, 0.5)),
            Anchor("out", 16.3, 0.4, skip=0.4, days="weekday", minutes=working_day(0.9, 0.3)),
            Anchor("laundry", 17.4, 1.0, skip=0.4),
            Anchor("lunch", 12.7, 0.4, skip=0.1, days="weekend"),
            Anchor("dinner", 18.5, 0.4, skip=0.04),
            Anchor("clean", 19.4, 0.4, skip=0.2),
            Anchor("out", 10.4, 0.8, skip=0.25, days="weekend", minutes=working_day(2.2, 0.7)),
            Anchor("guests", 15.2, 0.9, skip=0.6, days="weekend"),
        ),
        fillers={
            "tv": (1, 0.6, 0.6, 1.5, 4, 4), "relax": (1, 0.8, 1, 1, 1.6, 1.8),
            "read": (0.2, 0.4, 0.4, 0.6, 1.2, 2), "music": (0, 1, 0.8, 1.2, 0.8, 0.1),
            "work": (0, 0.3, 0.6, 1.2, 1, 0.6), "clean": (0, 2.4, 2.4, 2.4, 1.8, 0.6),
            "laundry": (0, 1, 1, 1, 0.8, 0.2), "phone": (0, 0.8, 0.8, 1, 1.2, 0.5),
            "out": (0, 0.3, 0.4, 0.6, 0.1, 0), "sleep": (0, 0, 0, 0.2, 0, 0),
        },
        weekend_pace=1.25,
        traits={"regularity": 0.9, "tolerance": 0.55, "comfort_setpoint": 21.0, "thrift": 0.55,
                "tidiness": 0.6, "talkativeness": 0.05},
        lengths={"breakfast": (16, 0.35), "tv": (35, 0.7), "clean": (16, 0.8)},
        needs=(Need("toilet", 2.9, 4.0, 0.25, True), Need("drink", 2.6, 3.0, 0.0, True)),
    ),
    "student": Habits(
        anchors=(
            *_sleep(8.4, 0.75, 24.6, 0.9, days="weekday"),
            *_sleep(10.0, 1.0, 25.7, 1.1, days="weekend"),
            *MORNING,
            Anchor("out", 10.2, 0.4, skip=0.12, days="weekday", minutes=working_day(4.2, 0.8)),
            Anchor("lunch", 13.2, 0.7, skip=0.4),
            Anchor("dinner", 19.8, 0.8, skip=0.15),
            Anchor("out", 21.0, 0.8, skip=0.75, minutes=working_day(2.0, 0.5)),
            Anchor("out", 14.5, 1.2, skip=0.4, days="weekend", minutes=working_day(1.8, 0.6)),
            Anchor("guests", 20.3, 0.8, skip=0.75, days="weekend"),
        ),
        fillers={
            "tv": (3, 0.8, 1, 1.5, 3, 4), "relax": (2, 1.2, 1.4, 1.4, 1.6, 2),
            "read": (0.8, 1, 1, 1.4, 1, 1.2), "music": (1.2, 1.6, 1.4, 1.8, 1.8, 1.6),
            "work": (1, 2, 2.5, 4, 2.5, 1.5), "clean": (0.1, 0.6, 0.7, 0.8, 0.6, 0.1),
            "laundry": (0, 0.2, 0.3, 0.3, 0.2, 0), "phone": (1, 1.2, 1.4, 1.8, 2, 2),
            "out": (0, 0.3, 0.5, 0.6, 0.3, 0), "sleep": (0, 0, 0, 0.6, 0.1, 0),
        },
        traits={"regularity": 1.3, "tolerance": 0.7, "comfort_setpoint": 20.5, "thrift": 0.35,
                "tidiness": 0.35, "talkativeness": 0.07},
        lengths={"breakfast": (9, 0.5), "tv": (40, 0.9), "phone": (12, 0.9)},
        needs=(Need("toilet", 3.0, 4.0, 0.2, True), Need("drink", 2.6, 3.0, 0.0, True), Need("snack", 4.5, 2.5)),
        mood=0.08,
        taste=0.8,
        weekend_pace=1.1,
    ),
}  # fmt: skip

PERSONAS = tuple(HABITS)
