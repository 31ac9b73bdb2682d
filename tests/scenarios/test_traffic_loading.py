"""Network loading: nobody is lost, nobody overtakes, and what is full spills back."""

import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads.links import BPRLink, PointQueue, SpatialQueue
from lam_env.scenarios.traffic.roads.loading import Loading

from lam_env.core.errors import UserError
from lam_env.sim.schedule import Schedule

times = st.lists(st.integers(0, 30_000), min_size=1, max_size=40).map(sorted)


def run(trips, links=None):
    """Load (departure, route) on SimPy, looking at every event: (arrival by traveller, order of leaving by link)."""
    env = Schedule(0)
    links = links or list(dict.fromkeys(link for _, route in trips for link in route))
    loading, ends = Loading(env, links), {}
    orders = {link: ([], []) for link in links}

    def watch(link):
        enter, leave = link.enter, link.leave

        def entering(time, trip):
            orders[link][0].append(trip.index)
            return enter(time, trip)

        def leaving(trip):
            orders[link][1].append(trip.index)
            leave(trip)

        link.enter, link.leave = entering, leaving

    for link in links:
        watch(link)
    for traveller, (time, route) in enumerate(trips):
        loading.depart(time, traveller, route, lambda trip: ends.__setitem__(trip.index, trip.end))
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


def test_who_is_due_when_their_link_closes_stays():
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
    env, link, ends = Schedule(0), PointQueue(100, 3600), []
    loading = Loading(env, [link])

    def back(trip):
        ends.append(trip.end - trip.start)
        if trip.index:
            loading.depart(trip.end, trip.index - 1, [link], back)

    loading.depart(0, 3, [link], back)
    env.run()
    assert ends == [100, 1000, 1000, 1000]


def test_a_departure_needs_a_route_and_a_time_from_now_on():
    env, link = Schedule(50), PointQueue(0, 10)
    loading = Loading(env, [link])
    with pytest.raises(UserError, match="at least one link"):
        loading.depart(60, 0, [], print)
    with pytest.raises(ValueError, match="departure at 49 is before now, 50"):
        loading.depart(49, 0, [link], print)


@pytest.mark.parametrize("kind", ["point", "spatial", "bpr", "mixed"])
@given(times, st.integers(0, 30_000))
def test_trips_under_way_go_on_in_a_copy(kind, departures, now):
    env, links = Schedule(0), corridor(kind)
    loading = Loading(env, links)
    trips = [loading.depart(time, i, links, print_nothing) for i, time in enumerate(departures)]
    env.run(until=now + 1)
    other, its_trips = copy.deepcopy((loading, trips))
    for one in (other, loading):
        one.env.run()
    assert [trip.end for trip in its_trips] == [trip.end for trip in trips]


def print_nothing(trip):
    """Nobody is told of arrivals."""
