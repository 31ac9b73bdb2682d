"""Local time on columns: each event's own offset, hours that occur never or twice, and what is no time."""

import datetime
import zoneinfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import LogError
from lam_env.logs.local_time import EPOCH, SECOND, SKIPPED, TWICE, check_no_dates, local_times, read_times


def where(i: int) -> str:
    return f"f, line {i + 2}"


def walls(cells, zone=None, **options):
    local = local_times(read_times(cells, where), zone, where, **options)
    return [(EPOCH + datetime.timedelta(microseconds=t)).strftime("%d %H:%M") for t in local.wall.tolist()], local


@pytest.mark.parametrize("numbers", [[], [2026010507] * 3, [2026010507, 1_767_592_800]])
def test_one_moment_alone_and_a_number_that_is_no_date_tell_of_seconds(numbers):
    check_no_dates(np.array(numbers, np.int64), where)


@pytest.mark.parametrize("numbers", [[2026010507, 2026010519], [2601050730, 2601050731]])
def test_numbers_that_are_all_dates_are_refused(numbers):
    with pytest.raises(LogError, match=f"f, line 2: times like {numbers[0]} are dates without separators"):
        check_no_dates(np.array(numbers), where)


CHANGE = 1_743_296_400  # 2025-03-30T01:00Z, when Berlin's offset changed; others change then, by half an hour, or never
ZONES = ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
MOMENTS = st.one_of(st.integers(1_700_000_000, 1_800_000_000), st.integers(CHANGE - 90_000, CHANGE + 90_000))


@given(st.lists(MOMENTS, min_size=1), st.sampled_from(ZONES))
def test_every_moment_has_the_offset_that_held_then(moments, zone):
    local = local_times(read_times([f"{t}.5" for t in moments], where), zone, where)
    place = zoneinfo.ZoneInfo(zone)
    expected = [datetime.datetime.fromtimestamp(t + 0.5, place).replace(tzinfo=None) for t in moments]
    assert [EPOCH + datetime.timedelta(microseconds=t) for t in local.wall.tolist()] == expected
    assert local.moment.tolist() == [t * SECOND + SECOND // 2 for t in moments]


def test_a_local_time_that_the_clock_skips_is_the_moment_of_the_change_and_counted():
    cells = [f"2026-03-29T{t}" for t in ("01:59:00", "02:00:00", "02:30:59", "03:00:00", "03:01:00")]
    found, local = walls(cells, "Europe/Berlin")
    assert found == ["29 01:59", "29 03:00", "29 03:00", "29 03:00", "29 03:01"]
    assert local.said == {SKIPPED: 2}
    assert (np.diff(local.moment) // SECOND).tolist() == [60, 0, 0, 60]
    assert walls(["2025-10-05T02:10:00"], "Australia/Lord_Howe")[0] == ["05 02:30"]  # half an hour
    assert walls(["2011-12-30T12:00:00"], "Pacific/Apia")[0] == ["31 00:00"]  # a whole day


def test_of_a_local_time_that_occurs_twice_the_order_tells_which_and_it_is_counted():
    _, local = walls(["2026-10-25T02:30:00", "2026-10-25T02:10:00", "2026-10-25T02:20:00"], "Europe/Berlin")
    assert (np.diff(local.moment) // SECOND).tolist() == [40 * 60, 10 * 60]
    assert local.said == {TWICE: 3}


def test_offsets_are_the_homes_own_without_a_zone():
    found, local = walls(["2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"])
    assert found == ["29 01:59", "29 03:00"]
    assert local.zone == "+01:00 and +02:00"
    assert np.diff(local.moment).tolist() == [60 * SECOND]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2026-01-05T07:00:00+00:00", "2026-01-06T07:00:00Z"], r"line 3: .* is in UTC.*zone=Europe.*zone=UTC"),
        (["2026-01-05T07:00:00+01:00", "2026-01-05T07:00:00Z"], "line 3: .* is in UTC"),
        (["2026-01-05T07:00:00+01:00", "2026-01-05T07:00:00"], "line 3: .* has no offset"),
        (["2026-01-05T07:00:00+01:00", "2026-01-05T07:00:00-05:00"], "line .: its offset from UTC differs"),
        (["2026-01-05T07:00+01:00", "2026-01-05T09:00+02:00", "2026-01-06T07:00+01:00"], "line 4: .* to and fro"),
        (["2026-01-05T07:00:00+00:00", "2026-01-06T07:00:00+00:00"], "line 2: .* is in UTC.*zone=UTC"),
        (["1767596400"], "line 2: .* is in UTC"),
    ],
)
def test_without_a_zone_the_rows_must_say_one_clock(cells, message):
    with pytest.raises(LogError, match=message) as caught:
        walls(cells)
    assert "zone=" in str(caught.value)
    assert "\n" not in str(caught.value)
    walls(cells, "Europe/Berlin")


@pytest.mark.parametrize(
    "cells",
    [
        *(["202601050700"], ["20260105"], ["46027.3"], ["1767596400000000"], ["0"], ["-1767596400"], ["nan"], ["1e30"]),
        *(["2026-01-05"], ["1969-12-31T23:00:00"], ["2126-01-05T07:00:00"], [True], ["07:00"]),
        ["2026-01-05T07:00:00+01:00" + " " * 40 + "x"],
    ],
)
def test_a_number_of_another_unit_and_a_text_that_is_no_time_are_refused(cells):
    with pytest.raises(LogError, match=r"^f, line 2: .*; (write|correct)"):
        walls(cells, "Europe/Berlin")


def test_an_unknown_zone():
    with pytest.raises(LogError, match="zone: unknown time zone 'Mars/Base'"):
        walls(["2026-01-05T07:00:00"], "Mars/Base")
