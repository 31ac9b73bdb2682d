"""Does a simulated person live like the real one? A simulated log against its source, line by line.

Ranges are what real homes show: CASAS hh102, hh104 and al, Ordonez A and B, Kasteren A, MIT PlaceLab 1 (activities 10
to 53 a day; device events with Fano 3 to 57; gaps with CV 1.5 to 2.0 and 4 to 6). A gate that cannot be measured with
the logs at hand is neither passed nor failed.
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lam_env.core.catalogue import APART, GATE
from lam_env.core.events import ActionLog, LogError
from lam_env.core.units import DAY, HOUR
from lam_env.logs import statistics as st

FREQUENT = 20  # cases from which a label's distribution is judged
ANCHORED, DRIVEN = 1.2, 2.5  # [h] circular sd of the start: below, by the clock; above, by a need
CV_RANGE = 0.25  # around the source's: hh104 itself, 1.48, lies outside the 1.5 to 2.0 of most homes
ENOUGH = 30  # simulated days on which a person should be judged
EVENING = (16, 21)  # [h] in which the busiest three hours of lighting must begin


@dataclass(frozen=True)
class Gate:
    """One line of the report. `passed` None: it is reported and not judged, or it cannot be measured here, and `note`
    says why."""

    name: str
    metric_id: str
    source: tuple[float, ...]
    simulated: tuple[float, ...]
    accept: str
    passed: bool | None
    note: str = ""

    @property
    def apart(self) -> bool:
        """Is it counted apart from the sum of the gates?"""
        return bool(APART.name(self.metric_id))

    @property
    def verdict(self) -> str:
        """For people: yes, NO, reported, or not measured."""
        if self.passed is None:
            return "reported" if self.apart and self.simulated else "not measured"
        return "yes" if self.passed else "NO"


def gates(
    source: ActionLog,
    simulated: ActionLog,
    devices: ActionLog | None = None,
    residents: int = 1,
    tstr: Mapping[str, float] | None = None,
) -> list[Gate]:
    """The twelve gates, in the order of the report.

    source, simulated: activity logs (`intervals`). devices: the commands that the simulated residents gave, all
    `residents` of a home in one world. tstr: top-1 accuracies on the source's test days of a predictor trained on the
    simulation ("tstr"), of one trained on the source ("real") and of the time table ("time_table").
    """
    for what, log in (("source", source), ("simulated", simulated)):
        if not log.intervals:
            raise LogError(f"fidelity: the {what} log has no durations; give an activity log (intervals)")
        if len({*log.user_actions().token.tolist()} - {0}) < 2:
            raise LogError(f"fidelity: the {what} log holds fewer than two activities; give a longer one")
    if residents < 1:
        raise LogError(f"fidelity: residents={residents}; a home has at least one")
    first, second = st.statistics(source), st.statistics(simulated)
    a, b = first.numbers, second.numbers
    commands = None if devices is None or not len(devices.user_actions()) else devices
    limit = int(min(a["events"], b["events"]))
    info_a, info_b = (_at_size(log, limit) for log in (source, simulated))
    still = [f"same_after_{m}" for m in st.TICKS]
    return [
        _counts(a, b),
        _device_counts(commands),
        _lights(commands, residents),
        _gaps(a["gap_cv"], b["gap_cv"], commands),
        _durations(first, second),
        _profile(first, second),
        _within("entropy: order 0, given hour, given last", "entropy", info_a[:3], info_b[:3], 0.3, " bit"),
        _within("same label after 5, 10, 15 min", "persistence", [a[k] for k in still], [b[k] for k in still], 0.05),
        _between("wake-up sd [h]", "wake_up", a["wake_up_sd"], b["wake_up_sd"], 0.4, 1.2),
        _start_spread(first, second),
        _between("predictability", "predictability", info_a[4], info_b[4], 0.55, 0.85),
        _transfer(tstr),
    ]


def counted(report: Sequence[Gate]) -> tuple[int, int]:
    """How many gates are passed, of how many that could be measured; those apart are in neither."""
    judged = [gate for gate in report if gate.passed is not None and not gate.apart]
    return sum(bool(gate.passed) for gate in judged), len(judged)


def fidelity_table(report: Sequence[Gate]) -> str:
    """The report as a Markdown table, and one of what is counted apart."""
    parts = [[g for g in report if g.apart == apart] for apart in (False, True)]
    return "\n\nCounted apart from these gates:\n\n".join(_table(part) for part in parts if part)


def _table(report: Sequence[Gate]) -> str:
    rows = [
        f"| {g.name} | {_numbers(g.source)} | {_numbers(g.simulated)} | {g.accept} | {g.verdict} | {g.note} |"
        for g in report
    ]
    head = ["| statistic | source | simulated | accept | passed | note |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _numbers(values: tuple[float, ...]) -> str:
    return " / ".join(f"{v:.3g}" for v in values) or "-"


def _gate(name: str, key: str, a: Sequence[float], b: Sequence[float], accept: str, ok: bool, note: str = "") -> Gate:
    """A gate that is unmeasured where one of its numbers is missing; `note` says why, or more."""
    gone = not b or any(math.isnan(v) for v in (*a, *b))
    if gone and not note:
        note = "the log is too short or lacks what this needs"
    return Gate(name, GATE.metric(key).id, tuple(a), tuple(b), accept, None if gone else bool(ok), note)


def _between(name: str, key: str, a: float, b: float, low: float, high: float) -> Gate:
    own, other = (() if math.isnan(x) else (x,) for x in (a, b))
    return _gate(name, key, own, other, f"{low} to {high}", low <= b <= high)


def _within(name: str, key: str, a: Sequence[float], b: Sequence[float], tolerance: float, unit: str = "") -> Gate:
    ok = all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))
    return _gate(name, key, a, b, f"each within {tolerance}{unit}", ok)


def _at_size(log: ActionLog, n: int) -> tuple[float, ...]:
    parts = st.streams(log)
    return st.at_size(np.concatenate([p.label for p in parts]), st.hours(parts), n)


def _counts(a: Mapping[str, float], b: Mapping[str, float]) -> Gate:
    own, other = ((x["per_day_mean"], x["fano"]) for x in (a, b))
    ok = abs(other[0] - own[0]) <= 0.2 * own[0] and 0.6 <= other[1] <= 1.5
    few = f"only {b['days']} days: simulate 30 or more" if b["days"] < ENOUGH else ""
    name, accept = "activities per day: mean, Fano", "mean within 20 %, Fano 0.6 to 1.5"
    return _gate(name, "activities_per_day", own, other, accept, ok, few)


NO_DEVICES = "no log of commands given"


def _device_counts(devices: ActionLog | None) -> Gate:
    gate = partial(_gate, "device events per day: mean, Fano", "device_events_per_day", ())
    if devices is None:
        return gate((), "Fano > 3", False, NO_DEVICES)
    counts = st.day_counts(st.streams(devices))
    mean = float(counts.mean()) if counts.size else math.nan
    value = st.fano(counts)
    return gate((mean, value), "Fano > 3", value > 3)


def _lights(devices: ActionLog | None, residents: int) -> Gate:
    gate = partial(_gate, "light switches per resident and day, share 18 to 21 h", "light_switches", ())
    accept = "4 to 15, busiest three hours begin between 16 and 21 h"
    if devices is None:
        return gate((), accept, False, NO_DEVICES)
    on = [
        i
        for i, action in enumerate(devices.vocabulary.actions)
        if any(fnmatch.fnmatch(action.lower(), pattern) for pattern in ("*light*.on*", "*light*.dim*", "*lamp*.on*"))
    ]
    if not on:
        return gate((), accept, False, "no light among the commands")
    hour, counted, days = np.zeros(24), 0, 0
    for p in st.streams(devices):
        days += len(p.days.whole)  # a day without a light counts
        lit = np.isin(p.label, on)
        counted += int((lit & np.isin(p.start // DAY, p.days.whole)).sum())
        hour += np.bincount(p.start[lit] % DAY // HOUR, minlength=24)
    rate = counted / days / residents if days else math.nan
    three = hour + np.roll(hour, -1) + np.roll(hour, -2)
    peak = int(three.argmax())
    share = float(three[18] / hour.sum()) if hour.any() else 0.0
    ok = 4 <= rate <= 15 and EVENING[0] <= peak <= EVENING[1]
    return gate((rate, share), accept, ok, f"busiest three hours begin at {peak} h")


def _gaps(a: float, b: float, devices: ActionLog | None) -> Gate:
    name, accept = "gaps between starts, CV: activities, devices", f"within {CV_RANGE} of the source, 4 to 6"
    ok = abs(b - a) <= CV_RANGE
    if devices is None:
        return _gate(name, "gap_cv", (a,), (b,), accept, ok, f"activities only: {NO_DEVICES}")
    cv = st.gap_cv(st.streams(devices))
    return _gate(name, "gap_cv", (a,), (b, cv), accept, ok and 4 <= cv <= 6)


def _durations(a: st.Statistics, b: st.Statistics) -> Gate:
    distance, few = dict[str, float](), list[str]()
    ratio = b.numbers["days"] / a.numbers["days"]
    for name, own in a.durations.items():
        other = b.durations.get(name, np.zeros(0))
        if len(own) < FREQUENT:
            continue
        if not len(other) and len(own) * ratio >= 5:
            distance[name] = 1.0  # a habit that is never simulated
        elif len(other) >= FREQUENT:
            distance[name] = st.kolmogorov_smirnov(own, other)
        else:
            few.append(name)
    worst_first = sorted(distance.items(), key=lambda x: -x[1])
    # two samples of 30 cases from one distribution lie about 0.2 apart: the count tells noise from misfit
    notes = [f"{n} {d:.2f} ({len(b.durations.get(n, ()))} cases)" for n, d in worst_first if d >= 0.2]
    if few:
        notes.append(f"too few simulated cases: {', '.join(few)}")
    worst = [d for _, d in worst_first[:1]]
    accept = f"each label with {FREQUENT} cases in both < 0.2; none missing"
    ok = bool(worst) and worst[0] < 0.2
    return _gate("durations, largest KS distance", "durations", (), worst, accept, ok, "; ".join(notes))


def _profile(a: st.Statistics, b: st.Statistics) -> Gate:
    """Plug-in JS of samples of n and m over 24 hours is too large by 23 / (8 ln 2) (1/n + 1/m) bit on average; the
    simulated one is brought to the size of the source's halves, with which it is compared.
    """
    per = 23 / (8 * math.log(2))
    n, m = a.numbers["events"], b.numbers["events"]
    own = a.numbers["profile_odd_even"]
    distance = st.jensen_shannon(a.hour_profile, b.hour_profile) + per * (4 / n - (1 / n + 1 / m))
    note = "source: odd against even days; simulated: at the same number of events"
    name, accept = "hour profile, JS [bit]", "< 2 x the source's"
    return _gate(name, "hour_profile", (own,), (distance,), accept, distance < 2 * own, note)


def _start_spread(a: st.Statistics, b: st.Statistics) -> Gate:
    """Classes are the source's own: what is done by the clock must stay so, what a need drives must stay spread."""
    other = b.durations
    frequent = [n for n, d in a.durations.items() if len(d) >= FREQUENT and len(other.get(n, ())) >= FREQUENT]
    anchored = [n for n in frequent if a.start_sd[n] < ANCHORED]
    driven = [n for n in frequent if a.start_sd[n] > DRIVEN]

    def extremes(sd: Mapping[str, float]) -> list[float]:
        most = [max(sd[n] for n in anchored)] if anchored else []
        return most + ([min(sd[n] for n in driven)] if driven else [])

    wrong = [n for n in anchored if b.start_sd[n] >= ANCHORED] + [n for n in driven if b.start_sd[n] <= DRIVEN]
    notes = [f"{n} {b.start_sd[n]:.1f}" for n in wrong]
    if not anchored:
        notes.append("the source has no anchored label: judged on need-driven ones only")
    name, accept = "circular sd of starts [h]: largest anchored, smallest need-driven", f"< {ANCHORED}, > {DRIVEN}"
    return _gate(name, "start_spread", extremes(a.start_sd), extremes(b.start_sd), accept, not wrong, "; ".join(notes))


def _transfer(tstr: Mapping[str, float] | None) -> Gate:
    name, accept = "trained on simulated, tested on real, top-1", "above the time table, within 0.10 of trained on real"
    if tstr is None:
        return _gate(name, "tstr", (), (), accept, False, "no predictor was trained")
    if missing := {"tstr", "real", "time_table"} - set(tstr):
        raise LogError(f"fidelity: tstr lacks {', '.join(sorted(missing))}; give top-1 of all three")
    ok = tstr["tstr"] > tstr["time_table"] and tstr["real"] - tstr["tstr"] <= 0.1
    return _gate(name, "tstr", (tstr["real"], tstr["time_table"]), (tstr["tstr"],), accept, ok)
