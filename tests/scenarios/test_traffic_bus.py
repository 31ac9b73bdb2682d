"""A bus line: whom it takes when, waits of theory, and seats."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads.bus import BusLine
from lam_env.scenarios.traffic.units import DAY

from lam_env.core.errors import UserError
from lam_env.core.rng import Streams

MINUTE = 60_000
SEVEN, NINE = 7 * 60 * MINUTE, 9 * 60 * MINUTE
TABLE = list(range(SEVEN, NINE + 1, 12 * MINUTE))

arrivals = st.lists(st.integers(0, 2 * DAY), min_size=1, max_size=60).map(sorted)


def simulated_wait(headways, n=20_000):
    """Mean wait of passengers who come at random while buses leave after these headways [ms]."""
    departures = np.rint(np.cumsum(headways)).astype(int).tolist()
    line = BusLine(departures, MINUTE)
    times = np.sort(np.floor(Streams(1)("stop", "arrivals").block(0, n) * departures[-1]).astype(int))
    return float(np.mean([line.board(time).wait for time in times.tolist()]))


def test_a_passenger_takes_the_next_bus_of_today_or_tomorrow():
    line = BusLine([1000, 5000], 700)
    rides = [line.board(t) for t in (0, 1000, 1001, 5001)]
    assert [r.departure for r in rides] == [1000, 1000, 5000, DAY + 1000]
    assert [r.wait for r in rides] == [1000, 0, 3999, DAY - 4001]
    assert all(r.arrival == r.departure + 700 for r in rides)


def test_the_mean_wait_is_half_the_headway_of_a_regular_line():
    headways = [12 * MINUTE] * 100
    assert simulated_wait(headways) == pytest.approx(6 * MINUTE, rel=0.02)


@pytest.mark.parametrize("cv", [0.3, 1.0])
def test_irregular_headways_lengthen_the_wait(cv):
    """mean headway * (1 + cv ** 2) / 2: more passengers come in the long gaps (Welding 1957; Osuna and Newell 1972)."""
    variance = math.log1p(cv * cv)  # of the logarithm
    h = np.random.default_rng(2).lognormal(math.log(12 * MINUTE) - variance / 2, math.sqrt(variance), 90)
    theory = h.mean() * (1 + (h.std() / h.mean()) ** 2) / 2
    assert simulated_wait(h) == pytest.approx(theory, rel=0.03)
    assert theory > 1.03 * h.mean() / 2


def test_who_comes_first_sits_and_who_stands_feels_it():
    line = BusLine(TABLE, 30 * MINUTE, seats=2, standing=2.0)
    rides = [line.board(SEVEN + 1 + i) for i in range(4)]
    assert [r.place for r in rides] == [0, 1, 2, 3]
    assert [r.perceived / MINUTE for r in rides] == [30, 30, 60, 60]
    assert line.board(SEVEN + 13 * MINUTE).perceived == 30 * MINUTE  # a new bus has its seats free


@given(arrivals, st.lists(st.integers(0, DAY - 1), min_size=1, max_size=5, unique=True).map(sorted))
def test_all_take_the_next_bus_and_nobody_overtakes(times, departures):
    line = BusLine(departures, 500)
    rides = [line.board(time) for time in times]
    buses = [d + day * DAY for day in range(4) for d in departures]
    assert [r.departure for r in rides] == [min(bus for bus in buses if bus >= time) for time in times]
    assert all(r.departure == time + r.wait for r, time in zip(rides, times, strict=True))
    by_bus = {}
    for ride in rides:
        by_bus.setdefault(ride.departure, []).append(ride.place)
    assert all(places == list(range(len(places))) for places in by_bus.values())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BusLine([], 10), "departures must rise"),
        (lambda: BusLine([5, 5], 10), "departures must rise"),
        (lambda: BusLine([5, DAY], 10), "departures must rise"),
        (lambda: BusLine([5], -1), "ride_time must be at least 0 ms"),
        (lambda: BusLine([5], 1, seats=-1), "seats at least 0, not -1"),
        (lambda: BusLine([5], 1, standing=0.9), "standing must multiply the time by at least 1"),
    ],
)
def test_bad_parameters_are_told_in_one_line(make, message):
    with pytest.raises(UserError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_passengers_come_in_order_of_time():
    line = BusLine(TABLE, 10)
    line.board(500)
    with pytest.raises(ValueError, match="came at 499, before the last one"):
        line.board(499)


@given(st.lists(st.integers(0, DAY - 1), min_size=1, max_size=60), st.integers(0, 5))
def test_all_passengers_of_a_day_at_once_get_the_rides_of_one_after_the_other(times, seats):
    one, all_at_once = (BusLine([0, 7, 1000, DAY // 2], 90, seats=seats) for _ in range(2))
    times = sorted(times)
    for day in (0, DAY):
        rides = [one.board(day + t) for t in times]
        departure, wait, perceived = all_at_once.board_all(day + np.array(times))
        assert departure.tolist() == [ride.departure for ride in rides]
        assert wait.tolist() == [ride.wait for ride in rides]
        if not day:
            assert perceived.tolist() == [ride.perceived for ride in rides]
    assert one.board(2 * DAY) == all_at_once.board(2 * DAY)
