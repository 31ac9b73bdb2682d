"""Wall-clock times become seconds since a Monday 00:00, local time, that never go backwards."""

import datetime
import math
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.serving.clock import Clock, is_finite

from lam_env.core.errors import UserError

HOUR, DAY = 3600, 86_400
BERLIN = ZoneInfo("Europe/Berlin")


def tell(clock, time):
    seconds = clock.read(time)
    clock.move(time, seconds)
    return seconds


def refused(says, clock, time):
    now = clock.now
    with pytest.raises(UserError, match=says) as caught:
        clock.read(time)
    assert "\n" not in str(caught.value)
    assert clock.now == now


@pytest.mark.parametrize(
    ("time", "seconds"), [(0, 0), (7, 7), (7.9, 7), (np.int64(5), 5), (np.float32(5.5), 5), (Fraction(9, 2), 4)]
)
def test_numbers_are_cut_to_whole_seconds(time, seconds):
    found = Clock().read(time)
    assert (found, type(found)) == (seconds, int)


@pytest.mark.parametrize(
    "time", [-1, math.nan, math.inf, "8:00", True, None, 1_722_500_000, 10**400, [3]], ids=lambda t: str(t)[:12]
)
def test_what_is_no_time_is_refused(time):
    refused("time: ", Clock(), time)


def test_reading_alone_changes_nothing():
    clock = Clock()
    clock.read(500)
    assert tell(clock, datetime.datetime(2024, 5, 6)) == 0


@pytest.mark.parametrize("zone", [None, ZoneInfo("UTC"), BERLIN], ids=str)
def test_datetimes_count_from_the_monday_of_the_first(zone):
    clock = Clock(zone)
    assert tell(clock, datetime.datetime(2024, 5, 9, 7, 30, 5, 999_999, zone)) == 3 * DAY + 7 * HOUR + 30 * 60 + 5
    assert tell(clock, datetime.datetime(2024, 5, 13, tzinfo=zone)) == 7 * DAY
    refused("1 s before the last event", clock, datetime.datetime(2024, 5, 12, 23, 59, 59, tzinfo=zone))


def test_a_stream_keeps_to_one_kind_of_time():
    clock = Clock()
    tell(clock, 5)
    refused("this stream's times are seconds, not naive datetimes", clock, datetime.datetime(2024, 5, 9))
    clock = Clock()
    tell(clock, datetime.datetime(2024, 5, 9))
    refused("naive", clock, datetime.datetime(2024, 5, 9, tzinfo=datetime.UTC))


def test_a_datetime_with_a_zone_is_turned_into_the_homes_local_time_or_refused():
    utc = datetime.datetime(2024, 3, 31, 0, 30, tzinfo=datetime.UTC)  # Sunday 01:30 in Berlin, before summer time
    hours = [utc + datetime.timedelta(hours=h) for h in (0, 1, 24)]
    clock = Clock(BERLIN)
    assert [tell(clock, t) - 6 * DAY for t in hours] == [5400, 3 * HOUR + 1800, DAY + 2 * HOUR + 1800]
    refused(r'home.s is not known; give the zone, load\(run, zone="Europe/Berlin"\)', Clock(), utc)
    refused("no time of the home's clock", clock, datetime.datetime.max.replace(tzinfo=ZoneInfo("America/New_York")))


@pytest.mark.parametrize("aware", [True, False])
def test_the_hour_that_summer_time_repeats_takes_no_time(aware):
    clock, first = Clock(BERLIN), datetime.datetime(2024, 10, 27, 0, 50, tzinfo=datetime.UTC)
    times = [(first + datetime.timedelta(minutes=m)).astimezone(BERLIN) for m in (0, 20, 60, 90)]
    if not aware:
        times = [t.replace(tzinfo=None) for t in times]
    assert [t.hour * 100 + t.minute for t in times] == [250, 210, 250, 320]
    sunday = [tell(clock, t) - 6 * DAY for t in times]
    assert sunday == [2 * HOUR + 50 * 60] * 3 + [3 * HOUR + 20 * 60]
    refused("before the last event", clock, times[0] - datetime.timedelta(hours=1))


def test_the_hour_that_summer_time_skips_passes_at_once():
    clock, first = Clock(BERLIN), datetime.datetime(2024, 3, 31, 0, 59, tzinfo=datetime.UTC)
    before = tell(clock, first.astimezone(BERLIN))
    assert tell(clock, (first + datetime.timedelta(minutes=2)).astimezone(BERLIN)) - before == HOUR + 120


@given(st.lists(st.integers(0, 3 * 365 * DAY), min_size=2, max_size=8))
def test_instants_in_order_never_go_backwards(instants):
    clock, start = Clock(BERLIN), datetime.datetime(2023, 1, 1, tzinfo=datetime.UTC)
    seen = [tell(clock, (start + datetime.timedelta(seconds=s)).astimezone(BERLIN)) for s in sorted(instants)]
    assert seen == sorted(seen)
    last = (start + datetime.timedelta(seconds=max(instants))).astimezone(BERLIN)
    if not last.fold:
        assert seen[-1] % DAY in (last.hour * HOUR + last.minute * 60 + last.second, seen[-2] % DAY)
        assert seen[-1] // DAY % 7 == last.weekday()


def test_finite():
    assert is_finite(3)
    assert is_finite(np.float32(2))
    for value in (math.nan, math.inf, "3", None, 10**400, 1j):
        assert not is_finite(value)
