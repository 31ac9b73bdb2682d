"""Behaviour tables from an activity log: who lived like this?

Going to bed and getting up become anchors, and so does the first act of a day of labels that begin by the clock, unless
it follows one that does (but for home, which is left by the clock). Labels that come back at regular intervals become
needs; what always follows is led; all else is chosen with weights by hour and by the act before (`choice_weights.py`).
Lengths and pauses are quantiles.
"""

from __future__ import annotations

import math

import numpy as np

from lam_env.core.behaviour_tables import Anchor, BehaviourTables, Need
from lam_env.core.events import ActionLog
from lam_env.core.units import DAY, HOUR
from lam_env.logs import statistics as st
from lam_env.logs.choice_weights import FEWEST, NIGHT, choice_weights
from lam_env.logs.nights import Acts, acts_of, nights_of, within
from lam_env.logs.places import home_of, of_places

ANCHORED = 1.2  # [h] circular sd of the start below which a label is anchored in the clock
REGULAR = 0.6  # coefficient of variation of the time between two acts below which a need is seen
LED_BY = 0.4  # share of a forerunner (and twice its usual one) from which a label is part of a sequence, no need
# independent lengths and pauses make day counts too loose (Fano about 2 on hh104, 1.1 in the log): they take turns, and
# pauses give way where a day is ahead of the usual or behind, by so much for each sd of a Poisson process
EVENNESS, STEADY = 0.95, 0.25
BROKEN = 3  # sleeps that end within nights, from which on the person does not sleep through
ALWAYS = 0.95  # share of one label among those that follow another, from which on it always does
OFTEN = 0.5  # share of days on which an anchored or needed act is done at least
QUANTILES = 101
FASTEST, SLOWEST = 1 / 3, 3.0  # pace of an hour


def calibrate(log: ActionLog, world: int | None = None) -> BehaviourTables:
    """The tables of the person in a log of intervals; `world` where it holds several."""
    acts = acts_of(log, world)
    names, sleep, days = acts.names, acts.sleep, acts.days.whole
    home = home_of(log if world is None else log.select(log.world == world)) if of_places(log) else ""
    k = len(names)
    bed, wake = nights_of(acts) if sleep >= 0 else (np.zeros(0, np.int64),) * 2
    asleep = within(acts.start, bed, wake)
    anchors = _bed_and_wake(names[sleep], bed, wake) if len(bed) else []
    planned = np.isin(acts.start, bed)
    own: list[Anchor] = []
    needs: list[Need] = []
    for i in range(k):
        if i != sleep:
            more, rows = _anchors(acts, i, days, wake, home)
            own += more
            planned[rows] = True
            if not more and (need := _need(acts, i, names[i], asleep, bed, wake)) is not None:
                needs.append(need)
                planned |= acts.label == i
    cut_off = (acts.label == sleep) & ~asleep & ~np.isin(acts.start // DAY, days)  # of nights that cannot be told
    free = ~planned & ~cut_off
    context = np.where(asleep, NIGHT, acts.start % DAY // HOUR)
    hourly, night, follow, again, sequel = choice_weights(acts, context, free, k, sleep)
    pauses = np.r_[np.where(acts.joined, acts.start[1:] - acts.end[:-1], 0), 0] / 60  # an absence is no pause
    length = (acts.end - acts.start) / 60
    pace = _pace(acts, length, pauses, asleep)
    slow = np.where(asleep, 1.0, pace[acts.start % DAY // HOUR])
    pauses = pauses / slow
    idle, still = pauses > 0, within(acts.end, bed, wake)
    lengths = {names[i]: _quantiles(length[acts.label == i]) for i in range(k)}
    naps: tuple[float, ...] = ()
    broken = False
    if len(bed):
        by_day = (acts.label == sleep) & ~asleep & ~cut_off
        naps = _quantiles(length[by_day]) if by_day.any() else lengths[names[sleep]]
        rows = (acts.label == sleep) & asleep
        cut = np.isin(acts.end[rows], wake)
        broken = (~cut).sum() >= BROKEN
        lengths[names[sleep]] = _uncut(length[rows], cut) if broken else _quantiles(length[rows])
    return BehaviourTables(
        activities=names,
        anchors=(*anchors, *own),
        needs=tuple(needs),
        durations=lengths,
        hourly=hourly,
        follow=follow,
        sequel=sequel,
        pauses=_quantiles(pauses[idle & ~still]),
        pause=float(idle[:-1][acts.joined].mean()),
        sleep=names[sleep] if sleep >= 0 else "sleep",
        away=tuple(names[i] for i in _over_night(acts, bed, wake)),
        night=night if broken else np.zeros(0),
        naps=naps,
        night_pauses=_quantiles(pauses[still]) if broken else (),
        unseen=(names[sleep],) if acts.unseen else (),
        home=home,
        holds=(names[sleep],) if acts.holds else (),
        pace=pace,
        pauses_after=_pauses_after(pauses, acts, ~still, names),
        again=again,
        brevity=_brevity(*(x[acts.joined] for x in (length[1:], acts.label[1:], pauses[:-1], still[:-1]))),
        usual=_usual(acts, bed, wake),
        steady=STEADY / math.sqrt(len(acts.start) / len(acts.days.number)),
        leads=_leads(acts),
        drift=_drift(pauses, acts, still),
        evenness=EVENNESS,
    )


def _over_night(acts: Acts, bed: np.ndarray, wake: np.ndarray) -> list[int]:
    """The labels of acts that have lasted from before the usual bedtime until after the usual hour of getting up."""
    if not len(bed):
        return []
    to_bed, to_wake = ((np.median(t - wake // DAY * DAY)) for t in (bed, wake))
    day = (acts.start - to_bed) // DAY + 1  # of the next night
    whole = acts.end >= day * DAY + to_wake
    return np.unique(acts.label[whole & (acts.label != acts.sleep)]).tolist()


def _quantiles(minutes: np.ndarray) -> tuple[float, ...]:
    if not len(minutes):
        return (0.0, 0.0)
    quantiles = np.quantile(minutes, np.linspace(0, 1, QUANTILES))
    return tuple(np.maximum.accumulate(quantiles).tolist())  # interpolation may round down


def _uncut(minutes: np.ndarray, cut: np.ndarray) -> tuple[float, ...]:
    """Quantiles of lengths of which some were `cut` short, by the clock that ends the night (Kaplan and Meier 1958)."""
    order = np.lexsort((cut, minutes))
    minutes, cut = minutes[order], cut[order]
    at_risk = len(minutes) - np.arange(len(minutes))
    gone = 1 - np.cumprod(np.where(cut, 1.0, 1 - 1 / at_risk))
    p = np.linspace(0, 1, QUANTILES)
    return tuple(np.maximum.accumulate(np.interp(p, gone[~cut], minutes[~cut], right=minutes[-1])).tolist())


def _pauses_after(
    pauses: np.ndarray, acts: Acts, awake: np.ndarray, names: tuple[str, ...]
) -> dict[str, tuple[float, ...]]:
    """Quantiles of the pauses [min] after each activity that is frequent enough. `awake` (n,) bool: by day."""
    counts = np.append(acts.joined, False) & awake
    rows = [counts & (acts.label == i) for i in range(len(names))]
    return {name: _quantiles(pauses[mine]) for name, mine in zip(names, rows, strict=True) if mine.sum() >= FEWEST}


def _clock(seconds: np.ndarray) -> tuple[float, float]:
    """Circular mean [h] and sd [h] of times."""
    angle = np.angle(np.exp(2j * np.pi * seconds / DAY).mean())
    return float(angle / (2 * np.pi) * 24 % 24), st.circular_sd(seconds)


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Do the times of day of two samples differ by more than chance?"""
    if min(len(a), len(b)) < FEWEST / 2:
        return False
    (x, sx), (y, sy) = _clock(a), _clock(b)
    return abs((x - y + 12) % 24 - 12) > 2.5 * math.sqrt(sx**2 / len(a) + sy**2 / len(b))


def _bed_and_wake(name: str, bed: np.ndarray, wake: np.ndarray) -> list[Anchor]:
    anchors = []
    weekend = wake // DAY % 7 >= 5
    split = _differ(wake[weekend], wake[~weekend]) or _differ(bed[weekend], bed[~weekend])
    for days, rows in (("weekday", ~weekend), ("weekend", weekend)) if split else (("all", weekend | True),):
        hour, sd = _clock(wake[rows])
        anchors.append(Anchor(name, hour, sd, days=days, ends=True))
        hour, sd = _clock(bed[rows])
        anchors.append(Anchor(name, hour if hour >= 12 else hour + 24, sd, days=days))
    return anchors


def _anchors(acts: Acts, label: int, days: np.ndarray, wake: np.ndarray, home: str) -> tuple[list[Anchor], np.ndarray]:
    """Of a label that is begun by the clock, and which acts are so: the first of each day."""
    rows = np.flatnonzero(acts.label == label)
    none = list[Anchor](), rows[:0]
    # drawn from seven to 23 o'clock, 7 in 1,000 sets of five times lie so close, and 2 in 100,000 of ten: by five cases
    # one log in seven, of twenty labels, would have an anchor that is none
    if len(rows) < FEWEST or st.circular_sd(acts.start[rows]) >= ANCHORED:
        return none
    opposite = (_clock(acts.start[rows])[0] + 12) % 24 * HOUR  # where the days of this label begin
    rows = rows[np.unique((acts.start[rows] - opposite) // DAY, return_index=True)[1]]
    before = _forerunner(acts, rows)
    if before >= 0 and acts.names[before] != home and st.circular_sd(acts.start[acts.label == before]) < ANCHORED:
        return none  # that one is begun by the clock, this one follows
    start, anchors = acts.start[rows], list[Anchor]()
    for kind, mine, of in (
        ("weekday", start // DAY % 7 < 5, (days % 7 < 5).sum()),
        ("weekend", start // DAY % 7 >= 5, (days % 7 >= 5).sum()),
    ):
        if mine.sum() < FEWEST / 2:
            continue
        hour, sd = _clock(start[mine])
        per_day = mine.sum() / max(of, 1)
        if per_day < OFTEN:
            return none
        since = start[mine] - wake[np.searchsorted(wake, start[mine], side="right") - 1] if len(wake) else start[mine]
        since = since[(since >= 0) & (since < DAY / 2)] / HOUR
        morning = bool(len(since) >= 0.9 * mine.sum() and since.std() < sd)
        hour, sd = (float(since.mean()), float(since.std())) if morning else (hour, sd)
        skip = float(max(0.0, 1 - per_day))
        anchors.append(Anchor(acts.names[label], hour, sd, skip=skip, days=kind, from_wake=morning))
    return anchors, rows


def _forerunner(acts: Acts, rows: np.ndarray) -> int:
    """The label that comes before these acts far more often than before others; -1: there is none."""
    led = np.bincount(acts.label[rows[rows > 0] - 1], minlength=len(acts.names)) / max(len(rows), 1)
    usual = np.bincount(acts.label, minlength=len(led)) / len(acts.label)
    most = int((led / np.maximum(LED_BY, 2 * usual)).argmax())
    return most if led[most] > max(LED_BY, 2 * usual[most]) else -1


def _need(acts: Acts, label: int, name: str, asleep: np.ndarray, bed: np.ndarray, wake: np.ndarray) -> Need | None:
    """A need: comes at intervals [h awake] more regular than chance, whatever was done before."""
    rows = np.flatnonzero((acts.label == label) & ~asleep)
    rows = rows[rows > 0]
    if len(rows) < max(FEWEST, len(bed)):
        return None
    if _forerunner(acts, rows) >= 0:
        return None
    slept = np.concatenate([[0], np.cumsum(wake - bed)])[np.searchsorted(bed, acts.start[rows], side="right")]
    absences = np.cumsum(np.r_[False, ~acts.joined])[rows]
    gaps = np.diff(acts.start[rows] - slept)[np.diff(absences) == 0] / HOUR
    if len(gaps) < 2:
        return None
    if gaps.std() > REGULAR * gaps.mean():
        return None
    return Need(name, float(gaps.mean()), float((gaps.mean() / gaps.std()) ** 2))


def _ranks(value: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Ranks in (0, 1) of values (n,) within their groups."""
    out = np.zeros(len(value))
    for g in np.unique(group):
        rows = np.flatnonzero(group == g)
        out[rows[np.argsort(value[rows], kind="stable")]] = (np.arange(len(rows)) + 0.5) / len(rows)
    return out


def _brevity(length: np.ndarray, label: np.ndarray, pause: np.ndarray, night: np.ndarray) -> float:
    """How much shorter acts are after longer pauses: less the rank correlation (hh104 -.49)."""
    a, b = _ranks(length, label), _ranks(pause, night)
    return float(max(0.0, -np.corrcoef(a, b)[0, 1]))


def _leads(acts: Acts) -> dict[str, str]:
    """What comes next after acts that nearly always have the same one after them; sleep has its own clock."""
    k = len(acts.names)
    pairs = np.zeros((k, k))
    np.add.at(pairs, (acts.label[:-1][acts.joined], acts.label[1:][acts.joined]), 1)
    follower, of = pairs.argmax(1), pairs.sum(1)
    always = (of >= FEWEST) & (pairs.max(1) >= ALWAYS * of) & (follower != np.arange(k)) & (follower != acts.sleep)
    rows = np.flatnonzero(
        always & ~always[follower] & (np.arange(k) != acts.sleep)
    )  # two that lead each other never end
    return {acts.names[i]: acts.names[int(follower[i])] for i in rows}


def _usual(acts: Acts, bed: np.ndarray, wake: np.ndarray) -> np.ndarray:
    """Acts from getting up until the middle of each hour (24,), on average of the days that are up then."""
    sums = np.zeros((2, 24))
    for up, down in zip(wake[:-1], bed[1:], strict=True):
        if down - up < DAY:
            at = np.arange(up // HOUR + 1, down // HOUR) * HOUR + HOUR // 2
            done = np.searchsorted(acts.start, at) - np.searchsorted(acts.start, up)
            hour = at % DAY // HOUR
            sums += [np.bincount(hour, done, minlength=24), np.bincount(hour, minlength=24)]
    return sums[0] / np.maximum(sums[1], 1) if len(bed) else np.zeros(0)


def _drift(pauses: np.ndarray, acts: Acts, night: np.ndarray) -> float:
    """The step round the circle of quantiles at which neighbours correlate as the ranks of the pauses of days do: of
    uniform u and u + d mod 1 the correlation is 1 - 6 d (1 - d)."""
    rank = _ranks(pauses, acts.label + np.where(night, len(acts.names), 0))
    rows = np.flatnonzero(acts.joined[:-1] & acts.joined[1:] & ~night[:-2] & ~night[1:-1])
    r = float(np.corrcoef(rank[rows], rank[rows + 1])[0, 1])
    return 0.5 - math.sqrt(max(0.0, 0.25 - (1 - r) / 6))


def _pace(acts: Acts, length: np.ndarray, pauses: np.ndarray, asleep: np.ndarray) -> np.ndarray:
    """How much longer a pause takes at an hour of day (24,), everything else equal; pauses make good for acts that are
    longer or shorter than elsewhere."""
    usual = [np.zeros(len(length)) for _ in range(2)]
    took = [length.copy(), pauses.copy()]
    for label in np.unique(acts.label):
        rows = acts.label == label
        for x, mean in zip(took, usual, strict=True):
            x[rows] = np.minimum(x[rows], np.quantile(x[rows], 0.95))  # a few very long ones would rule an hour
            mean[rows] = x[rows].mean()
    hour = (acts.start % DAY // HOUR)[~asleep]
    prior = FEWEST * usual[1].mean()
    sums = [np.bincount(hour, x[~asleep], minlength=24) for x in (took[1] + took[0] - usual[0], usual[1])]
    taken, expected = (0.7 * x + 0.15 * (np.roll(x, 1) + np.roll(x, -1)) for x in sums)
    return np.clip((taken + prior) / (expected + prior), FASTEST, SLOWEST)
