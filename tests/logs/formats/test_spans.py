"""What all readers of intervals have in common: clocks, homes, gzip, and files that are damaged or not there."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interval_logs import told, write

from lam_env.core import registry
from lam_env.core.events import LogError

UCI = ("Start time\tEnd time\tActivity", "2012-03-24 23:00:00\t2012-03-25 07:00:00\tSleep")
UCI += ("2012-03-25 07:00:00\t2012-03-25 07:10:00\tEat",)
HOUSE_A = ("1: 'Sleep'", "2: 'Eat'", "Start time\tEnd time\tID", "24-Mar-2012 23:00:00\t25-Mar-2012 07:00:00\t1")
HOUSE_A += ("25-Mar-2012 07:00:00\t25-Mar-2012 07:10:00\t2",)
MIT = ("Sleep,3/24/2012,23:0:0,7:0:0", "", "", "", "", "Eat,3/25/2012,7:0:0,7:10:0", "5", "Cup", "7:1:0", "7:2:0")
MARKS = ("2012-03-24 23:00:00 M1 ON Sleep begin", "2012-03-25 07:00:00 M1 ON Sleep end Eat begin")
MARKS += ("2012-03-25 07:10:00 M2 ON Eat end",)
FILES = {
    "uci": ("uci_adl", "a.txt", UCI),
    "house_a": ("kasteren", "a.txt", HOUSE_A),
    "house_b": ("kasteren", "b.activities", ("1332630000\t28800\t1", "1332658800\t600\t2")),
    "mit": ("mit_placelab", "activities_data.csv", MIT),
    "casas": ("casas_text", "data", MARKS),
}


@pytest.fixture(params=FILES)
def sample(request, tmp_path):
    """How it is loaded, and where it is."""
    name, file, lines = FILES[request.param]
    write(tmp_path, "b.activity_names", "1\tSleep", "2\tEat")
    return registry.IMPORTERS.get(name), Path(write(tmp_path, file, *lines))


@pytest.mark.parametrize(("zone", "night"), [(None, 8), ("Europe/Madrid", 7), ("America/New_York", 8)])
def test_a_zone_tells_how_long_the_night_of_summer_time_is_and_moves_no_clock(sample, zone, night):
    load, path = sample
    log, _ = load(str(path), zone=zone)
    assert told(log) == [("2012-03-24 23:00:00", "Sleep", night * 3600), ("2012-03-25 07:00:00", "Eat", 600)]
    assert log.meta["zone"] == (zone or "as the file says")


def test_gzip_is_told_by_content(sample):
    load, path = sample
    before = told(load(str(path))[0])
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert told(load(str(path))[0]) == before


def test_what_it_cannot_honour_is_refused(sample):
    load, path = sample
    with pytest.raises(LogError, match="unknown time zone 'Mars/Base'"):
        load(str(path), zone="Mars/Base")
    path.unlink()
    with pytest.raises(LogError, match="no such file; give the path of a"):
        load(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_raises_nothing_but_a_log_error_of_one_line(sample, data):
    load, path = sample
    whole = path.read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.sampled_from(b"0129 \t\n,:-'=\"x\xff"))
    path.write_bytes(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    try:
        found = load(str(path), zone=data.draw(st.sampled_from([None, "Europe/Madrid"])))[0]
    except LogError as error:
        found = str(error)
    finally:
        path.write_bytes(whole)
    assert "\n" not in found if isinstance(found, str) else len(found) > 0
