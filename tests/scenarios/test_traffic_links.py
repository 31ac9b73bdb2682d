"""Link models and network loading: nobody is lost, nobody overtakes, service is exact, and what is full spills back."""

import math
from fractions import Fraction

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.links import HOUR, BPRLink, Link, PointQueue, SpatialQueue
from lam_env.scenarios.traffic.loading import Loading

from lam_env.errors import UserError

times = st.lists(st.integers(0, 30_000), min_size=1, max_size=40).map(sorted)


def exits(link, entries):
    return [link.enter(time, vehicle) for vehicle, time in enumerate(entries)]


def run(trips, links=None):
    """Load (departure, route) on SimPy, looking at every event: (arrival by traveller, order of leaving by link)."""
    env = simpy.Environment()
    links = links or list(dict.fromkeys(link for _, route in trips for link in route))
    loading, ends = Loading(env, links), {}
    orders = {link: ([], []) for link in links}

    def watch(link):
        enter, leave = link.enter, link.leave

        def entering(time, trip):
            orders[link][0].append(trip.value)
            return enter(time, trip)

        def leaving(trip):
            orders[link][1].append(trip.value)
            leave(trip)

        link.enter, link.leave = entering, leaving

    for link in links:
        watch(link)
    for traveller, (time, route) in enumerate(trips):
        loading.depart(time, traveller, route, lambda trip: ends.__setitem__(trip.value, trip.end))
    while env.peek() < math.inf:
        env.step()
        for link in links:
            assert link.entered == link.left + len(link.inside)
            assert len(link.inside) <= link.storage
        waiting = sum(trip.position < 0 for link in links for trip in link.waiting)  # where they set out
        assert loading.departed == loading.arrived + sum(len(link.inside) for link in links) + waiting
    for entered, left in orders.values():
        assert left == entered[: len(left)]
    return ends, loading


# -- point queue --------------------------------------------------------------------------------------------------------


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
        assert link.travel_time(time) == link.travel_time(time)
        before = link.travel_time(time)
        assert link.enter(time, object()) == time + before


def test_an_infinite_capacity_never_queues():
    assert exits(PointQueue(700, math.inf), [0] * 50) == [700] * 50


# -- changes of capacity ------------------------------------------------------------------------------------------------


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
    assert link.travel_time(1000) == 4000
    exits(link, [10_000])
    link.restrict(20_000, 30_000, 0.5)
    assert link.changes == [(20_000, 30_000, 0.5)]


# -- BPR ----------------------------------------------------------------------------------------------------------------


def test_the_bpr_time_of_a_given_flow():
    link = BPRLink(60_000, 1000, flow=1500)
    assert link.travel_time(0) == pytest.approx(60_000 * (1 + 0.15 * 1.5**4))
    assert BPRLink(60_000, 1000, b=1, power=1, flow=1000).enter(5, "a") == 120_005


def test_bpr_follows_the_flow_of_the_last_full_interval():
    link = BPRLink(60_000, 400, interval=900_000)
    exits(link, range(0, 900_000, 4500))  # 200 in a quarter of an hour: 800 per hour
    assert link.travel_time(899_999) == 60_000
    assert link.travel_time(900_000) == pytest.approx(60_000 * (1 + 0.15 * 2**4))
    assert link.travel_time(1_800_000) == 60_000  # nobody came
    exits(link, range(2_700_000, 3_600_000, 9000))
    assert link.travel_time(4_500_001) == 60_000  # two intervals later


def test_bpr_lets_nobody_overtake_when_the_flow_falls():
    link = BPRLink(60_000, 10, interval=900_000)
    exits(link, range(0, 900_000, 45_000))
    slow = link.enter(1_799_999, "slow")
    assert slow > 1_800_000 + 60_000
    assert link.enter(2_700_001, "quick") >= slow


def test_bpr_with_less_capacity_is_slower_and_a_closed_one_waits():
    link = BPRLink(60_000, 1000, flow=1000)
    link.restrict(0, 1000, 0.5)
    link.restrict(500_000, 900_000, 0.0)
    assert link.enter(0, "a") == round(60_000 * (1 + 0.15 * 2**4))
    assert link.enter(500_000, "b") == 900_000 + 69_000
    assert link.enter(1_000_000, "c") == 1_069_000
    link.restrict(1_100_000, 1_200_000, 0.0)
    assert link.enter(1_050_000, "d") == 1_200_000  # nobody comes out of a closed one


@given(times, st.integers(1, 100), st.integers(1, 2000))
def test_bpr_vehicles_leave_in_order(entries, capacity, interval):
    link = BPRLink(1000, capacity, interval=interval)
    found = exits(link, entries)
    assert found == sorted(found)
    assert all(exit - entry >= 1000 for exit, entry in zip(found, entries, strict=True))


# -- on a network -------------------------------------------------------------------------------------------------------


def corridor(kind, n=3):
    make = {
        "point": lambda i: PointQueue(500 + 300 * i, 5000 - 1000 * i),
        "spatial": lambda i: SpatialQueue(500 + 300 * i, 5000 - 1000 * i, 2 + i),
        "bpr": lambda i: BPRLink(500 + 300 * i, 50, interval=3000),
        "mixed": lambda i: [PointQueue(500, 5000), SpatialQueue(800, 3000, 2), BPRLink(600, 50, interval=3000)][i],
    }[kind]
    return [make(i) for i in range(n)]


@given(
    st.sampled_from(["point", "spatial", "bpr", "mixed"]),
    st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from(["abc", "bc", "ac", "c", "ab"])), max_size=40),
)
def test_vehicles_are_conserved_and_in_order_at_every_event(kind, wishes):
    links = dict(zip("abc", corridor(kind), strict=True))
    trips = [(time, [links[name] for name in route]) for time, route in wishes]
    ends, loading = run(trips, list(links.values()))
    assert loading.arrived == len(wishes)  # an acyclic network empties
    for traveller, (time, route) in enumerate(trips):
        assert ends[traveller] >= time + sum(math.floor(link.free_time) for link in route)


@given(
    st.lists(st.integers(0, 20_000), max_size=40),
    st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 4)), min_size=1, max_size=3),
)
def test_room_without_end_makes_the_spatial_queue_a_point_queue(departures, kinds):
    def route(make):
        return [make(free_time, 1000 + 777 * step) for free_time, step in kinds]

    points, spatials = route(PointQueue), route(lambda *a: SpatialQueue(*a, 10**9))
    assert run([(t, points) for t in departures])[0] == run([(t, spatials) for t in departures])[0]


@given(
    times,
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
    st.tuples(st.integers(0, 3), st.integers(0, 30_000), st.integers(1, 60_000)),
)
def test_spill_back_follows_the_recursion_of_a_line_of_queues(departures, links, closure):
    """Vehicle n leaves link i when served there, and when vehicle n - storage of link i + 1 has left that one."""
    shut, start, length = closure

    def line():
        route = [SpatialQueue(free_time, 3600 / headway, storage) for free_time, headway, storage in links]
        route[shut % len(links)].restrict(start, start + length, 0.0)  # a burst follows
        return route

    reference = line()
    gone = [[] for _ in links]  # times of leaving
    before = 0
    for n, time in enumerate(departures):
        room = gone[0][n - links[0][2]] if n >= links[0][2] else 0
        before = at = max(time, room, before)
        for i, link in enumerate(reference):
            at = at + link.free_time
            if n:
                at = max(at, link.served(gone[i][n - 1]))
            if i + 1 < len(links) and n >= links[i + 1][2]:
                at = max(at, gone[i + 1][n - links[i + 1][2]])
            at = link.opening(at)
            gone[i].append(at)
    route = line()
    assert run([(time, route) for time in departures])[0] == dict(enumerate(gone[-1]))


def test_a_queue_spills_back_and_holds_up_those_who_turn_off_before_it():
    def turning(storage):
        first, narrow, off = PointQueue(1000, 36_000), SpatialQueue(1000, 360, storage), PointQueue(1000, 36_000)
        trips = [(0, [first, narrow])] * 10 + [(100, [first, off])]
        return run(trips, [first, narrow, off])[0][10]

    assert turning(100) == 1000 + 10 * 100 + 1000
    assert turning(3) > 60_000  # behind the seventh who waits for a place


def test_who_was_held_up_is_still_served_no_faster_than_at_capacity():
    slow, shut = PointQueue(0, 900), SpatialQueue(0, 3600, 4)
    shut.restrict(0, 60_000, 0.0)
    ends, _ = run([(0, [slow, shut])] * 8)
    # four wait inside; those behind come after 4 s each, from when the first of them could go
    assert [t / 1000 for t in ends.values()] == [60, 61, 62, 63, 64, 65, 68, 72]


def test_who_comes_to_the_end_just_after_a_late_one_left_waits_for_capacity():
    slow, shut = PointQueue(6000, 900), SpatialQueue(0, 3600, 1)
    shut.restrict(0, 16_000, 0.0)
    ends, _ = run([(t, [slow, shut]) for t in (0, 0, 11_000)])
    assert [t / 1000 for t in ends.values()] == [16, 17, 20]  # the last is there at 17


def test_who_is_due_when_her_link_closes_stays():
    slow, shut = PointQueue(0, 900), SpatialQueue(0, 3600, 1)
    shut.restrict(0, 10_000, 0.0)
    slow.restrict(14_000, 50_000, 0.0)
    ends, _ = run([(0, [slow, shut])] * 3)
    assert [t / 1000 for t in ends.values()] == [10, 11, 50]


@pytest.mark.parametrize("closed_from", [5000, 24_000])
def test_nobody_leaves_a_link_that_closed_while_it_was_full_beyond(closed_from):
    first, narrow = PointQueue(0, 900), SpatialQueue(20_000, 3600, 1)
    first.restrict(closed_from, 50_000, 0.0)
    ends, _ = run([(0, [first, narrow])] * 3)
    # the second could go at 20 s: with the first closed at 5 s it stays; at 24 s the third is due and stays, and has to
    # wait for the second, which left at 20 s
    assert [t / 1000 for t in ends.values()] == ([20, 70, 90] if closed_from == 5000 else [20, 40, 70])


def test_a_full_circle_stands_still_and_is_seen():
    a, b = SpatialQueue(1000, 3600, 1), SpatialQueue(1000, 3600, 1)
    ends, loading = run([(0, [a, b, a]), (0, [b, a, b])], [a, b])
    assert ends == {}
    assert loading.departed == 2
    assert len(a.inside) == len(b.inside) == 1


def test_a_closure_on_the_way_delays_exactly_those_who_meet_it():
    route = [PointQueue(1000, math.inf), PointQueue(1000, math.inf)]
    route[1].restrict(5000, 50_000, 0.0)
    ends, _ = run([(0, route), (2999, route), (3000, route), (60_000, route)])
    assert list(ends.values()) == [2000, 4999, 50_000, 62_000]


@pytest.mark.parametrize("kind", ["point", "spatial", "bpr", "mixed"])
def test_the_same_departures_give_the_same_arrivals(kind):
    departures = [(37 * i) % 5000 for i in range(200)]

    def once():
        route = corridor(kind)
        return list(run([(t, route) for t in departures])[0].items())

    assert once() == once()


def test_who_departs_first_goes_first_at_one_instant():
    link = PointQueue(0, 3600)
    ends, _ = run([(0, [link])] * 5)
    assert ends == {i: 1000 * i for i in range(5)}


def test_a_trip_may_set_out_at_the_arrival_of_another():
    env, link, ends = simpy.Environment(), PointQueue(100, 3600), []
    loading = Loading(env, [link])

    def back(trip):
        ends.append(trip.end - trip.start)
        if trip.value:
            loading.depart(trip.end, trip.value - 1, [link], back)

    loading.depart(0, 3, [link], back)
    env.run()
    assert ends == [100, 1000, 1000, 1000]


# -- faults -------------------------------------------------------------------------------------------------------------


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
        (lambda: BPRLink(1, 10, flow=-2), "flow"),
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
    with pytest.raises(UserError, match="at least one link"):
        Loading(simpy.Environment(), []).depart(0, "a", [], print)
    with pytest.raises(NotImplementedError):
        Link(1, 1).enter(0, "a")
