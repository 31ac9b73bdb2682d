"""Stays by arrival and departure, and by days and minutes, as GeoLife's visits are published."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interval_logs import told, write
from outside import VISITS, needs

from lam_env.core.events import LogError
from lam_env.logs.formats.stays import load
from lam_env.logs.places import of_places

TIMES = "user,place,arrival,departure,latitude"
STAYS = (
    "anna,home,2026-01-05T00:10,2026-01-05T07:00,51.1",
    "ben,home,2026-01-05T00:20,2026-01-05T07:30,51.2",
    "anna,work,2026-01-05T08:00,2026-01-05T17:00,51.3",
)
TOLD = [
    ("2026-01-05 00:10:00", "anna home", 24_600),
    ("2026-01-05 00:20:00", "ben home", 25_800),
    ("2026-01-05 08:00:00", "anna work", 32_400),
]
DAYS = "id,user_id,location_id,duration,start_day,end_day,start_min,end_min,weekday"
VISIT = ("0,1,2,64.0,0,0,183,248,3", "1,1,3,309.0,0,2,272,582,3", "2,2,2,60,1,1,0,60,0")


def test_stays_by_arrival_and_departure_are_activities_of_each_user(tmp_path):
    log, left_out = load(write(tmp_path, "stays.csv", TIMES, *STAYS), zone="Europe/Berlin")
    assert told(log) == TOLD
    assert (log.protocol.split, log.intervals, left_out) == ("each", True, {})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.permutations(STAYS), st.sampled_from((",", ";", "\t")))
def test_rows_and_signs_do_not_matter(tmp_path, rows, sign):
    lines = [line.replace(",", sign) for line in (TIMES, *rows)]
    assert told(load(write(tmp_path, "stays.csv", *lines), zone="Europe/Berlin")[0]) == TOLD


def test_days_count_from_each_users_first_and_weekdays_say_which_they_are(tmp_path):
    log, left_out = load(write(tmp_path, "visits.csv", DAYS, *VISIT))
    day = 86_400
    assert log.time.tolist() == [3 * day + 183 * 60, 3 * day + 272 * 60, 7 * day]  # from the Monday before
    assert log.value.tolist() == [64 * 60, 309 * 60, 3600]  # end_day of the second is wrong, and not read
    assert log.meta["start"] == ""
    assert left_out == {}


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Shanghai", 8), ("America/New_York", 7 * 24 - 5), ("UTC", 0)])
def test_a_zone_says_that_days_and_minutes_are_of_utc(tmp_path, zone, hours):
    path = write(tmp_path, "visits.csv", DAYS, *VISIT)
    (there, _), (utc, _) = load(path, zone=zone), load(path)
    assert (there.time - utc.time == 3600 * hours).all()
    assert there.end == tuple(end + 3600 * hours for end in utc.end)
    with pytest.raises(LogError, match=r"visits\.csv: unknown time zone 'Mars/Base'; write one as zone="):
        load(path, zone="Mars/Base")


def test_one_of_several_users_is_one_stream_of_the_places_they_know(tmp_path):
    log, left_out = load(write(tmp_path, "visits.csv", DAYS, *VISIT), user="2")
    assert (len(log), log.protocol.split, log.meta["users"], left_out) == (
        (1, "days", ["2"], {"event(s) of another user": 2})
    )
    assert log.vocabulary.actions == ("none", "2")
    assert of_places(log)


def test_without_weekdays_day_0_is_a_monday(tmp_path):
    lines = [",".join(line.split(",")[:-1]) for line in (DAYS, *VISIT)]
    assert load(write(tmp_path, "visits.csv", *lines))[0].time[0] == 183 * 60


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "f.csv, line 1: stays have columns user, place, arrival and departure, or user_id, .*; there are none"),
        (("user,place,arrival",), "line 1: stays have .*; there are user, place, arrival"),
        ((TIMES, STAYS[0]), "f.csv, line 2: time .* has no offset from UTC; settings: zone="),
        ((DAYS, VISIT[0].replace("64.0", "long")), "f.csv, line 2: duration 'long min' is not a finite number"),
        ((DAYS, VISIT[0].replace("64.0", "-64")), "f.csv, line 2: a duration of -3840 s"),
        ((DAYS, VISIT[0].replace("183", "1483")), "f.csv, line 2: minute '1483'; it must be a number from 0 to 1,439"),
        ((DAYS, "1,2"), "f.csv, line 2: 2 cells but 9 columns"),
    ],
)
def test_a_fault_is_one_line(tmp_path, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load(write(tmp_path, "f.csv", *lines))
    assert "\n" not in str(caught.value)


@needs(VISITS)
@pytest.mark.parametrize(
    ("part", "stays", "places"), [("train", 8_425, 1_181), ("valid", 4_034, 404), ("test", 4_163, 360)]
)
def test_the_published_visits(part, stays, places):
    log, left_out = load(str(VISITS / f"geolife_{part}.csv.gz"))
    assert (len(log), len(log.worlds), len(log.vocabulary.actions) - 1) == (stays, 45, places)
    assert left_out == {}
    assert (log.value.min(), log.value.max() <= 2879 * 60) == (1800, True)
