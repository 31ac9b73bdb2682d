import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from outside import FIGURES, HOMES, needs

from lam_env.core.catalogue import GATES, metric
from lam_env.core.events import SENSOR, USER, ActionLog, Event, LogError, Protocol, Vocabulary
from lam_env.logs import statistics as st
from lam_env.logs.fidelity import fidelity_table, gates

TARGETS = FIGURES / "smart_home/fidelity_targets.json"
HOUR, DAY = 3600, 86_400
NAMES = ("none", "breakfast", "sleep", "toilet", "tv", "work")
COMMANDS = Vocabulary(("none", "kitchen_light.on", "lamp.dim", "light.off", "tv.on"))


def activities(rows, names=NAMES, **more) -> ActionLog:
    """rows: (start [h], label, length [h]) or with a user."""
    events = [
        Event(round(r[0] * HOUR), r[3] if len(r) > 3 else 0, USER, names.index(r[1]), round(r[2] * HOUR))
        for r in sorted(rows)
    ]
    return ActionLog.from_events(events, Vocabulary(names), intervals=True, **more)


def person(days: int = 40, seed: int = 0, poisson: bool = False, gap: float = 0.7, world: int = 0) -> ActionLog:
    """Breakfast by the clock, everything else when it comes; or a memoryless toy."""
    chance = np.random.default_rng(seed)
    rows = []
    for d in range(days):
        wake = 24 * d + 7.5 + 0.7 * chance.standard_normal()
        if poisson:
            n = chance.poisson(20)
            rows += [(t, NAMES[1 + chance.integers(5)], 0.01) for t in 24 * d + np.sort(chance.uniform(0, 24, n))]
            continue
        rows += [(max(24 * d, wake - 6), "sleep", min(6, wake - 24 * d)), (wake + 0.2, "breakfast", 0.3)]
        t = wake + 0.7
        while t < 24 * d + 23.5:
            length = chance.lognormal(-1.5, 1)
            rows.append((t, NAMES[3 + chance.integers(3)], length))
            t += length + chance.gamma(0.4, gap / 0.4)
    return activities(rows, end=(days * DAY,))


def commands(times, action: int = 1, **more) -> ActionLog:
    return ActionLog.from_events([Event(int(t), 0, USER, action) for t in sorted(times)], COMMANDS, **more)


def by_id(report):
    return {g.metric_id.removeprefix("fidelity."): g for g in report}


# --- statistics with known answers


@needs(HOMES, TARGETS)
@pytest.mark.parametrize("home", ["hh104", "hh102"])
def test_the_published_statistics_of_real_homes_are_reproduced(home):
    from lam_env.logs.formats.casas_xes import load

    target = json.loads(TARGETS.read_text())[home]
    s = st.statistics(load(str(HOMES), home=home)[0])
    exact = {
        "events": target["events"],
        "days": target["days"],
        "labels": target["labels"],
        "per_day_mean": target["per_day_mean"],
        "per_day_sd": target["per_day_sd"],
        "fano": target["fano_per_day"],
        "gap_cv": target["inter_event_min"]["cv"],
        "burstiness": target["inter_event_min"]["burstiness"],
        "entropy": target["entropy_bits"]["order0"],
        "entropy_given_hour": target["entropy_bits"]["given_hour"],
        "entropy_given_last": target["entropy_bits"]["given_last"],
        "lempel_ziv": target["predictability"]["lz_entropy_bits"],
        "predictability": target["predictability"]["fano_top1_limit"],
        "nonzero_transitions": target["nonzero_transitions"],
        "profile_odd_even": target["js_bits"]["odd_vs_even_days_profile"],
        "profile_weekend": target["js_bits"]["weekday_vs_weekend_profile"],
        "mix_odd_even": target["js_bits"]["odd_vs_even_days_mix"],
        **{f"same_after_{m}": target["ticks"][str(m)]["persistence"] for m in (5, 10, 15)},
    }
    for name, value in exact.items():
        digits = len(str(value).partition(".")[2])
        assert s.numbers[name] == pytest.approx(value, abs=0.51 * 10**-digits + (1e-4 if "same" in name else 0)), name
    assert s.numbers["wake_up_mean"] == pytest.approx(target["routine"]["last_morning_sleep_end_mean_h"], abs=0.02)
    assert s.numbers["wake_up_sd"] == pytest.approx(target["routine"]["sd_h"], abs=0.01)
    share = s.hour_profile / s.numbers["events"]
    assert share == pytest.approx(target["hourly_share"], abs=1e-4)
    for label, own in target["per_label"].items():
        assert len(s.durations[label]) == own["count"]
        assert np.median(s.durations[label]) == pytest.approx(own["dur_median_min"], abs=0.006)
        assert s.start_sd[label] == pytest.approx(own["start_circ_sd_h"], abs=0.0101)


@needs(HOMES, TARGETS)
def test_a_real_home_passes_against_itself_and_another_home_does_not():
    from lam_env.logs.formats.casas_xes import load

    home, other = (load(str(HOMES), home=h)[0] for h in ("hh104", "hh102"))
    own = by_id(gates(home, home))
    unmeasured = {"device_events_per_day", "light_switches", "tstr"}
    assert {k for k, g in own.items() if g.passed is None} == unmeasured
    assert all(g.passed for k, g in own.items() if k not in unmeasured)
    assert "no anchored label" in own["start_spread"].note
    strange = by_id(gates(home, other))
    failed = {k for k, g in strange.items() if g.passed is False}
    assert failed == {"activities_per_day", "gap_cv", "durations", "hour_profile"}


def test_entropy_and_divergence():
    assert st.entropy(np.array([1, 1, 1, 1])) == 2
    assert st.entropy(np.array([5, 0])) == 0
    assert st.jensen_shannon(np.array([1, 0]), np.array([0, 3])) == 1
    assert st.jensen_shannon(np.array([1, 2]), np.array([2, 4])) == 0
    assert math.isnan(st.jensen_shannon(np.array([0, 0]), np.array([2, 4])))


def test_conditional_entropies_see_what_determines_the_label():
    label = np.tile([1, 2], 200)
    order0, given_hour, given_last = st.entropies(label, np.zeros(400, int))
    assert order0 == pytest.approx(1)
    assert given_hour == pytest.approx(1)
    assert given_last == pytest.approx(0, abs=1e-12)
    assert st.entropies(label, label)[1] == pytest.approx(0, abs=1e-12)


def test_lempel_ziv_and_fano():
    chance = np.random.default_rng(0)
    assert st.lempel_ziv(np.ones(500, int)) < 0.1
    assert st.lempel_ziv(chance.integers(1, 5, 3000)) == pytest.approx(2, abs=0.15)
    # a b a b: the shortest new words from the second place on have 1, 3 (cut at the end) and 2 letters
    assert st.lempel_ziv(np.array([1, 2, 1, 2])) == pytest.approx(2 * 3 / 6)
    assert st.predictability(0.0, 5) == pytest.approx(1, abs=1e-6)
    assert st.predictability(2.0, 4) == pytest.approx(0.25, abs=1e-3)
    p = 0.7
    bits = -p * math.log2(p) - 0.3 * math.log2(0.3) + 0.3 * math.log2(9)
    assert st.predictability(bits, 10) == pytest.approx(p, abs=1e-6)


@given(some.lists(some.integers(1, 3), min_size=3, max_size=40))
def test_lempel_ziv_equals_its_definition(labels):
    n, total = len(labels), 0
    for i in range(1, n):
        words = {tuple(labels[a:b]) for a in range(i) for b in range(a + 1, i + 1)}
        k = 1
        while i + k <= n and tuple(labels[i : i + k]) in words:
            k += 1
        total += k
    assert st.lempel_ziv(np.array(labels)) == pytest.approx(math.log2(n) * (n - 1) / total)


def test_circular_spread_does_not_break_at_midnight():
    around = np.array([23.5, 0.5, 23.5, 0.5]) * HOUR
    assert st.circular_sd(around) == pytest.approx(0.5, abs=0.01)
    assert st.circular_sd(np.arange(24) * HOUR) > 8


@given(some.lists(some.floats(0, 100), min_size=1, max_size=30), some.lists(some.floats(0, 100), min_size=1))
def test_kolmogorov_smirnov_is_a_distance(a, b):
    a, b = np.array(a), np.array(b)
    d = st.kolmogorov_smirnov(a, b)
    assert 0 <= d <= 1
    assert d == st.kolmogorov_smirnov(b, a)
    assert st.kolmogorov_smirnov(a, a) == 0
    assert st.kolmogorov_smirnov(a, a + 101) == 1


def test_day_counts_leave_out_the_days_that_may_be_cut_and_keep_empty_ones_of_simulated_worlds():
    log = activities([(20, "tv", 1), (30, "tv", 1), (31, "work", 1), (80, "tv", 1), (100, "tv", 1)])
    assert st.day_counts(st.streams(log)).tolist() == [2, 1]
    watched = dataclasses.replace(log, protocol=Protocol("worlds"))
    assert st.day_counts(st.streams(watched)).tolist() == [2, 0, 1]


def test_two_people_and_two_worlds_are_streams_of_their_own():
    log = activities([(1, "tv", 3), (2, "work", 1, 1), (3, "tv", 1, 1)])
    assert [p.label.tolist() for p in st.streams(log)] == [[4], [5, 4]]
    home = commands([10, 20])
    assert len(st.streams(home)) == 1


def test_only_what_a_person_does_counts():
    vocabulary = Vocabulary(("none", "a", "b"), ("motion",))
    log = ActionLog.from_events([Event(0, 0, USER, 1), Event(5, 0, SENSOR, 0), Event(9, 0, USER, 0)], vocabulary)
    assert st.statistics(log).numbers["events"] == 1


def test_persistence_by_hand():
    # sampled at 2.5, 7.5, ... min: tv tv none none tv
    log = activities([(0, "tv", 10 / 60), (20 / 60, "tv", 5 / 60)])
    assert st.persistence(st.streams(log), 5) == pytest.approx(2 / 4)


def test_wake_up_is_the_end_of_the_last_morning_sleep():
    nights = [(24 * d + 1, "sleep", 5) for d in range(5)]
    again = [(24 * d + 7, "sleep", 1 + 0.5 * (d % 2)) for d in range(5)]
    naps = [(24 * d + 14, "sleep", 1) for d in range(5)]
    s = st.statistics(activities(nights + again + naps))
    # the whole days are 1, 2 and 3: 8.5, 8, 8.5
    assert s.numbers["wake_up_mean"] == pytest.approx(25 / 3)
    assert s.numbers["wake_up_sd"] == pytest.approx(np.std([8.5, 8, 8.5]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [[], [(1, "tv", 1)], [(1, "tv", 1), (2, "work", 0)]])
def test_short_logs_give_nan_and_no_warning(rows):
    s = st.statistics(activities(rows))
    assert s.numbers["events"] == len(rows)
    assert math.isnan(s.numbers["per_day_mean"])
    assert math.isnan(s.numbers["wake_up_sd"])


def test_ticks_do_not_matter():
    log = person(10)
    fine = {**log.columns, "time": log.time * 1000, "value": log.value * 1000}
    s, t = (st.statistics(x) for x in (log, ActionLog(fine, log.vocabulary, 1000, intervals=True)))
    assert t.numbers["gap_cv"] == s.numbers["gap_cv"]
    assert t.numbers["same_after_5"] == s.numbers["same_after_5"]
    assert t.durations["tv"] == pytest.approx(s.durations["tv"])


# --- gates


def test_there_are_twelve_gates_and_a_like_person_passes_those_that_can_be_measured():
    report = gates(person(60, 1), person(60, 2))
    assert sorted(g.metric_id for g in report) == sorted(f"fidelity.{name}" for name in GATES)
    assert all(metric(g.metric_id).range == (0, 1) for g in report)
    found = by_id(report)
    unmeasured = {"device_events_per_day", "light_switches", "tstr"}
    assert {k for k, g in found.items() if g.passed is None} == unmeasured
    assert all(g.passed for k, g in found.items() if k not in unmeasured), fidelity_table(report)


def test_a_memoryless_toy_is_found_out():
    found = by_id(gates(person(60, 1), person(60, 2, poisson=True)))
    assert found["gap_cv"].simulated[0] == pytest.approx(1, abs=0.1)
    failed = {k for k, g in found.items() if g.passed is False}
    assert {"gap_cv", "durations", "hour_profile", "entropy", "persistence", "start_spread"} <= failed


def test_a_clockwork_person_is_too_predictable_and_too_regular():
    rows = [
        (24 * d + h, name, 0.5) for d in range(40) for h, name in [(1, "sleep"), (6, "sleep"), (8, "tv"), (9, "work")]
    ]
    found = by_id(gates(person(60), activities(rows)))
    assert found["predictability"].passed is False
    assert found["predictability"].simulated[0] > 0.85
    assert found["wake_up"].passed is False
    assert found["wake_up"].simulated == (0,)
    assert found["activities_per_day"].simulated == (4, 0)
    assert found["activities_per_day"].passed is False


def test_anchored_labels_are_the_sources_own():
    source = person(60)
    late = activities(
        [
            (e.time / HOUR + (e.token == 1) * 6 * math.sin(i), NAMES[e.token], e.value / HOUR)
            for i, e in enumerate(source.events())
        ]
    )
    gate = by_id(gates(source, late))["start_spread"]
    assert gate.source[0] < 1.2 < gate.simulated[0]
    assert gate.passed is False
    assert "breakfast" in gate.note


def test_a_frequent_activity_that_is_never_simulated_fails():
    source = person(60)
    without = source.select(source.token != NAMES.index("breakfast"))
    gate = by_id(gates(source, without))["durations"]
    assert gate.passed is False
    assert gate.simulated == (1.0,)
    assert "breakfast 1.00 (0 cases)" in gate.note


def test_labels_are_compared_by_name_whatever_their_number():
    source = person(40)
    names = ("none", *reversed(NAMES[1:]))
    columns = {**source.columns, "token": np.array([names.index(NAMES[t]) for t in source.token], np.int16)}
    twin = ActionLog(columns, Vocabulary(names), intervals=True)
    assert all(g.passed is not False for g in gates(source, twin))


def test_entropies_are_compared_at_equal_numbers_of_events():
    whole = person(200, 3)
    part = whole.select(whole.time < 20 * DAY)
    gate = by_id(gates(whole, part))["entropy"]
    assert gate.passed
    # at their own sizes the short log looks more predictable than it is
    full, short = st.statistics(whole), st.statistics(part)
    gap = abs(full.numbers["entropy_given_hour"] - short.numbers["entropy_given_hour"])
    assert abs(gate.source[1] - gate.simulated[1]) < gap


def test_few_days_are_pointed_out():
    assert "simulate 30 or more" in by_id(gates(person(40), person(10)))["activities_per_day"].note


def bursts(days: int, hours, seed: int = 0) -> list[float]:
    """Clusters of commands a few seconds apart, a random number of them a day."""
    chance = np.random.default_rng(seed)
    times = []
    for d in range(days):
        for _ in range(chance.integers(1, 5)):
            start = DAY * d + chance.choice(hours) * HOUR + chance.uniform(0, HOUR)
            times += (start + np.cumsum(chance.exponential(20, chance.integers(1, 15)))).tolist()
    return times


def test_commands_are_judged_by_bursts_and_lights_by_the_evening():
    source = person(40)
    evening = by_id(gates(source, source, commands(bursts(60, [18, 19, 20])), residents=2))
    assert evening["device_events_per_day"].passed
    assert evening["device_events_per_day"].simulated[1] > 3
    assert evening["light_switches"].passed
    alone = by_id(gates(source, source, commands(bursts(60, [18, 19, 20]))))
    assert alone["light_switches"].simulated[0] == pytest.approx(2 * evening["light_switches"].simulated[0])
    assert alone["light_switches"].passed is False  # too many for one
    morning = by_id(gates(source, source, commands(bursts(60, [5, 6])), residents=2))
    assert morning["light_switches"].passed is False
    assert "begin at" in morning["light_switches"].note
    steady = by_id(gates(source, source, commands(np.arange(0, 60 * DAY, 2 * HOUR))))
    assert steady["device_events_per_day"].passed is False
    assert steady["gap_cv"].passed is False
    assert steady["gap_cv"].simulated[1] == 0


def test_switching_off_and_other_devices_are_no_light_switches():
    source, times = person(40), bursts(60, [18, 19])
    off = [Event(int(t), 0, USER, 3 + i % 2) for i, t in enumerate(sorted(times))]
    found = by_id(gates(source, source, ActionLog.from_events(off, COMMANDS)))["light_switches"]
    assert found.simulated[0] == 0
    assert found.passed is False
    no_light = ActionLog.from_events([Event(0, 0, USER, 1)], Vocabulary(("none", "tv.on")))
    assert by_id(gates(source, source, no_light))["light_switches"].passed is None


@pytest.mark.parametrize(
    ("tstr", "real", "time_table", "passed"),
    [(0.40, 0.47, 0.25, True), (0.36, 0.47, 0.25, False), (0.24, 0.30, 0.25, False), (0.50, 0.47, 0.25, True)],
)
def test_training_on_simulated_days(tstr, real, time_table, passed):
    log = person(40)
    given_in = {"tstr": tstr, "real": real, "time_table": time_table}
    assert by_id(gates(log, log, tstr=given_in))["tstr"].passed is passed


def test_what_cannot_be_compared_is_refused():
    log = person(10)
    with pytest.raises(LogError, match="tstr lacks real, time_table"):
        gates(log, log, tstr={"tstr": 0.4})
    with pytest.raises(LogError, match="the simulated log has no durations"):
        gates(log, commands([1, 2]))
    with pytest.raises(LogError, match="the source log holds fewer than two activities"):
        gates(activities([(1, "tv", 1), (2, "tv", 1)]), log)
    with pytest.raises(LogError, match="residents=0"):
        gates(log, log, residents=0)


def test_a_log_of_a_day_is_judged_where_it_can_be():
    day = activities([(1, "sleep", 6), (8, "tv", 1), (9, "work", 2), (12, "tv", 1)])
    found = by_id(gates(person(40), day))
    assert found["activities_per_day"].passed is None
    assert found["wake_up"].passed is None
    assert found["persistence"].passed is not None


def test_the_table_has_a_line_a_gate():
    report = gates(person(40), person(40, 1))
    lines = fidelity_table(report).splitlines()
    assert len(lines) == 14
    assert "not measured" in lines[3]
    assert {line.count("|") for line in lines} == {7}
