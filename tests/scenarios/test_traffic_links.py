"""Link models: service is exact, nobody overtakes, and changes of capacity count to the millisecond."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads.links import BPRLink, Link, PointQueue, SpatialQueue
from lam_env.scenarios.traffic.units import HOUR

from lam_env.core.errors import UserError

times = st.lists(st.integers(0, 30_000), min_size=1, max_size=40).map(sorted)


def exits(link, entries):
    return [link.enter(time, vehicle) for vehicle, time in enumerate(entries)]


def travel_time(link, time):
    """[ms] of a vehicle that would enter now."""
    return link.exits([time])[0] - time


# -- point queue ------------------------------------------------------------------------------------------------------


def test_an_empty_link_takes_the_free_time_and_a_full_one_serves_at_capacity():
    link = PointQueue(10_000, 3600)
    assert exits(link, [0, 0, 0, 500, 60_000]) == [10_000, 11_000, 12_000, 13_000, 70_000]


@given(times, st.integers(1, 50_000), st.integers(0, 5000))
def test_the_point_queue_follows_its_formula_exactly(entries, capacity, free_time):
    """In fractions: only times of events are rounded, service never."""
    free, expected = -math.inf, []
    for time in entries:
        exit = max(Fraction(time + free_time), free)
        free = exit + Fraction(HOUR, capacity)
        expected.append(exit)
    found = exits(PointQueue(free_time, capacity), entries)
    assert all(abs(f - e) <= Fraction(1, 2) + Fraction(1, 10**6) for f, e in zip(found, expected, strict=True))
    assert found == sorted(found)


def test_rounding_does_not_add_up():
    link = PointQueue(0, 7000)  # 514.29 ms each
    last = exits(link, [0] * 70_001)[-1]
    assert last == 10 * HOUR


def test_a_point_queue_tells_the_travel_time_of_who_would_enter_now():
    link = PointQueue(10_000, 3600)
    for time in (0, 0, 300, 20_000):
        assert travel_time(link, time) == travel_time(link, time)
        before = travel_time(link, time)
        assert link.enter(time, object()) == time + before


def test_an_infinite_capacity_never_queues():
    assert exits(PointQueue(700, math.inf), [0] * 50) == [700] * 50


# -- changes of capacity ----------------------------------------------------------------------------------------------


def test_a_drop_of_capacity_slows_service_and_counts_what_was_half_done():
    link = PointQueue(0, 3600)
    link.restrict(1500, 4500, 0.5)
    # half of the second service is done by 1500, the rest takes twice as long
    assert exits(link, [0] * 6) == [0, 1000, 2500, 4500, 5500, 6500]


def test_a_closed_link_lets_nobody_out_until_it_opens():
    link = PointQueue(100, 3600)
    link.restrict(2000, 9000, 0.0)
    # 100 ms of the second one's service were over when it closed
    assert exits(link, [0, 1800, 1950, 1960, 8950, 20_000]) == [100, 1900, 9900, 10_900, 11_900, 20_100]
    idle = PointQueue(100, 3600)
    idle.restrict(2000, 9000, 0.0)
    assert exits(idle, [1899, 1901]) == [1999, 9999]
    late = PointQueue(100, 3600)
    late.restrict(2000, 9000, 0.0)
    assert exits(late, [5000, 5000]) == [9000, 10_000]


@given(
    times,
    st.lists(st.tuples(st.integers(1, 9000), st.integers(1, 9000), st.sampled_from([0, 0.25, 0.5, 1])), max_size=4),
)
def test_service_is_capacity_that_adds_up_to_one_vehicle(entries, shocks):
    """Against the integral of capacity, summed up millisecond by millisecond."""
    link, at = PointQueue(0, 3600 * 4), 0
    rate = [4 / 1000] * 200_000  # vehicles/ms
    for gap, length, share in shocks:
        link.restrict(at + gap, at + gap + length, share)
        rate[at + gap : at + gap + length] = [share * 4 / 1000] * length
        at += gap + length
    found = exits(link, entries)
    for a, b in zip(found, found[1:], strict=False):
        assert sum(rate[a:b]) >= 1 - 0.006  # rounding to a millisecond at either end
    assert all(rate[t] > 0 or rate[t - 1] > 0 for t in found)
    assert all(t >= entry for t, entry in zip(found, entries, strict=True))


def test_a_share_of_one_changes_nothing():
    entries = [0, 10, 10, 4000, 4000, 4100]
    link = PointQueue(50, 5000)
    link.restrict(20, 4050, 1.0)
    assert exits(link, entries) == exits(PointQueue(50, 5000), entries)


def test_past_changes_are_forgotten_and_travel_time_knows_them_while_they_last():
    link = PointQueue(0, 3600)
    link.restrict(0, 5000, 0.0)
    assert travel_time(link, 1000) == 4000
    exits(link, [10_000])
    link.restrict(20_000, 30_000, 0.5)
    assert link.changes == [(20_000, 30_000, 0.5)]


# -- BPR --------------------------------------------------------------------------------------------------------------


def test_the_bpr_time_of_a_given_flow():
    assert BPRLink(60_000, 1000).time_at(1500) == pytest.approx(60_000 * (1 + 0.15 * 1.5**4))
    assert BPRLink(60_000, 1000, b=1, power=1).time_at(1000, share=0.5) == 180_000


def test_bpr_follows_the_flow_of_the_last_interval():
    link = BPRLink(60_000, 400, interval=900_000)
    exits(link, range(0, 900_000, 4500))  # 200 in a quarter of an hour: 800 per hour
    assert travel_time(link, 899_999) == pytest.approx(60_000 * (1 + 0.15 * 2**4))
    assert travel_time(link, 1_349_999) == pytest.approx(60_000 * (1 + 0.15))  # half of them are longer ago
    assert travel_time(link, 1_800_000) == 60_000  # nobody came


def test_on_a_bpr_link_those_who_come_together_hinder_one_another():
    link = BPRLink(60_000, 4, b=1, power=1, interval=900_000)
    assert exits(link, [0] * 4) == [60_000, 120_000, 180_000, 240_000]  # 4, 8, 12 vehicles an hour


def test_bpr_lets_nobody_overtake_when_the_flow_falls():
    link = BPRLink(60_000, 10, interval=900_000)
    exits(link, range(0, 900_000, 45_000))
    slow = link.enter(1_799_999, "slow")
    assert slow > 1_800_000 + 60_000
    assert link.enter(2_700_001, "quick") >= slow


def test_bpr_with_less_capacity_is_slower_and_a_closed_one_waits():
    link = BPRLink(60_000, 1, interval=HOUR)  # whoever came within the hour is once the capacity
    assert link.enter(0, "a") == 60_000
    link.restrict(100_000, 101_000, 0.5)
    link.restrict(500_000, 900_000, 0.0)
    assert link.enter(100_000, "b") == 100_000 + 60_000 * (1 + 0.15 * 2**4)
    assert link.enter(500_000, "c") == 900_000 + 60_000 * (1 + 0.15 * 2**4)
    assert link.enter(1_104_000, "d") == 1_104_000 + 60_000 * (1 + 0.15 * 3**4)
    link.restrict(1_900_000, 5_000_000, 0.0)
    assert link.enter(1_894_000, "e") == 5_000_000  # nobody comes out of a closed one


@given(times, st.integers(1, 100), st.integers(1, 2000))
def test_bpr_vehicles_leave_in_order(entries, capacity, interval):
    link = BPRLink(1000, capacity, interval=interval)
    found = exits(link, entries)
    assert found == sorted(found)
    assert all(exit - entry >= 1000 for exit, entry in zip(found, entries, strict=True))


# -- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PointQueue(-1, 10), "free_time must be at least 0 ms"),
        (lambda: PointQueue(math.nan, 10), "free_time"),
        (lambda: PointQueue(math.inf, 10), "free_time"),
        (lambda: PointQueue(1, 0), "capacity must be above 0 vehicles/h, not 0; close a link with restrict"),
        (lambda: BPRLink(1, math.nan), "capacity"),
        (lambda: SpatialQueue(1, 10, 0), "storage must be at least 1"),
        (lambda: BPRLink(1, 10, power=-1), "b and power"),
        (lambda: BPRLink(1, 10, interval=0), "interval"),
        (lambda: PointQueue(1, 10).restrict(5, 5, 0.5), "must start before it ends"),
        (lambda: PointQueue(1, 10).restrict(5, math.inf, 0), "must start before it ends"),
        (lambda: PointQueue(1, 10).restrict(5, 6, -0.1), "share of capacity must be 0 to 1, not -0.1"),
    ],
)
def test_bad_parameters_are_told_in_one_line(make, message):
    with pytest.raises(UserError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_change_of_capacity_cannot_come_too_late_or_twice():
    link = PointQueue(1000, 3600)
    link.enter(0, "a")
    with pytest.raises(UserError, match="change capacity before it enters"):
        link.restrict(500, 2000, 0.5)
    link.restrict(1000, 2000, 0.5)
    with pytest.raises(UserError, match="overlap between 1999 and 3000"):
        link.restrict(1999, 3000, 0.5)
    link.restrict(2000, 3000, 0.5)


def test_faults_of_whoever_moves_vehicles_do_not_pass():
    link = SpatialQueue(0, 10, 1)
    link.enter(0, "a")
    with pytest.raises(RuntimeError, match="full link"):
        link.enter(1, "b")
    queue = PointQueue(0, 10)
    exits(queue, [0, 0])
    with pytest.raises(RuntimeError, match="left before one that had entered earlier"):
        queue.leave(1)
    with pytest.raises(NotImplementedError):
        Link(1, 1).enter(0, "a")
