"""Activities of CASAS raw text in its several spellings, and what is wrong with files that hold none."""

import pytest
from interval_logs import same_as_protocol, told, write
from outside import AL, needs

from lam_env.core.events import LogError
from lam_env.logs.formats.casas_text import BARE, EVENTS, JOINED, NO_BEGIN, NO_END, OTHERS, load

DAY = "2010-11-04"
MARKED = (
    f"{DAY} 00:03:50.209589 M003 ON Sleeping begin",
    f"{DAY} 00:15:08.984841 T002 21.5",
    f"{DAY}\t03:00:00.5\tM004\tOFF\tBed_to_Toilet begin",
    f"{DAY} 03:01:00.25 M004 ON Bed_to_Toilet end",
    f"{DAY} 05:40:51.303739 M003 OFF Sleeping end",
)
TOLD = [(f"{DAY} 00:03:50", "Sleeping", 20_221), (f"{DAY} 03:00:00", "Bed_to_Toilet", 60)]  # whole seconds


def at(clock: str, label: str) -> str:
    return f"{DAY} {clock}:00.1 Bedroom Bedroom ON {label}"


def test_activities_from_begin_to_end_may_be_open_at_the_same_time(tmp_path):
    log, left_out = load(write(tmp_path, "data", *MARKED, ""))
    assert [row[:2] for row in told(log)] == [row[:2] for row in TOLD]
    assert log.value.tolist() == pytest.approx([row[2] for row in TOLD])
    assert left_out == {EVENTS: 5, "empty line(s)": 1}


def test_other_spellings_of_the_same(tmp_path):
    commas = [line.replace(" ", ",").replace("\t", ",") for line in MARKED]
    quoted = [line.replace(",begin", '="begin"').replace(",end", '="end"') for line in commas]
    typed = [line.replace("Sleeping,", "Control4-Motion,Sleeping,") for line in commas]
    spaced = [line.replace("Bed_to_Toilet", "Bed to Toilet").replace("begin", "BEGIN") for line in MARKED]
    for lines in (commas, quoted, typed, spaced):
        assert [row[:2] for row in told(load(write(tmp_path, "data", *lines))[0])] == [row[:2] for row in TOLD]


def test_one_line_may_end_an_activity_and_begin_another(tmp_path):
    lines = (f'{DAY} 01:00:00 M1 ON Sleep="begin"', f'{DAY} 02:00:00 M1 OFF Sleep="end" Wake_Up="begin"')
    log, _ = load(write(tmp_path, "data", *lines, f'{DAY} 02:05:00 M1 ON Wake_Up="end"'))
    assert told(log) == [(f"{DAY} 01:00:00", "Sleep", 3600), (f"{DAY} 02:00:00", "Wake_Up", 300)]


def test_marks_without_their_partner_are_counted(tmp_path):
    lines = (
        "01:00 Read begin",
        "02:00 Read begin",
        "02:10 Read end",
        "02:20 Read end",
        "03:00 Eat begin",
        "03:05 Eat end",
    )
    lines += ("04:00 Cook begin", "04:10 Nap")
    log, left_out = load(write(tmp_path, "data", *(at(*line.split(" ", 1)) for line in lines)))
    assert told(log) == [(f"{DAY} 02:00:00", "Read", 600), (f"{DAY} 03:00:00", "Eat", 300)]
    assert left_out == {EVENTS: 8, NO_END: 2, NO_BEGIN: 1, BARE: 1}


def test_residents_do_the_same_at_the_same_time(tmp_path):
    lines = ("01:00 R1_Sleep begin", "02:00 R2_Sleep begin", "06:00 R1_Sleep end", "07:00 R2_Sleep end")
    lines += ("08:00 Breakfast begin", "08:30 Breakfast end", "09:00 R1 work begin", "10:00 R1 work end")
    log, _ = load(write(tmp_path, "data", *(at(*line.split(" ", 1)) for line in lines)))
    assert told(log) == [
        (f"{DAY} 01:00:00", "R1 Sleep", 18_000),
        (f"{DAY} 02:00:00", "R2 Sleep", 18_000),
        (f"{DAY} 08:00:00", "0 Breakfast", 1800),
        (f"{DAY} 09:00:00", "R1 work", 3600),
    ]


def test_a_label_on_every_line_makes_runs(tmp_path):
    lines = ["01:00 Sleep", "01:59 Sleep", "03:00 Sleep", "03:10 Toilet", "03:11 Other_Activity", "03:39 Toilet"]
    lines += ["04:09 Other_Activity", "04:10 Toilet", "04:20 Sleep", "04:25 Toilet"]
    log, left_out = load(write(tmp_path, "data", *(at(*line.split()) for line in lines)))
    assert told(log) == [
        (f"{DAY} 01:00:00", "Sleep", 3540),  # then silence for more than an hour
        (f"{DAY} 03:00:00", "Sleep", 0),
        (f"{DAY} 03:10:00", "Toilet", 1740),  # 29 min without a label, then 31 min
        (f"{DAY} 04:10:00", "Toilet", 0),
        (f"{DAY} 04:20:00", "Sleep", 0),
        (f"{DAY} 04:25:00", "Toilet", 0),
    ]
    assert left_out == {EVENTS: 10, OTHERS: 2, JOINED: 1}


def test_runs_of_residents_go_on_while_the_other_is_told(tmp_path):
    lines = ["01:00 R1_Sleep", "01:10 R2_Read", "01:20 R1_Sleep", "01:30 R2_Read"]
    log, _ = load(write(tmp_path, "data", *(at(*line.split()) for line in lines)))
    assert told(log) == [(f"{DAY} 01:00:00", "R1 Sleep", 1200), (f"{DAY} 01:10:00", "R2 Read", 1200)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "data: no label of an activity"),
        ((f"{DAY} 00:03:50.2 M003 ON", f"{DAY} 00:03:51.2 Hall Hall OFF"), "data: no label of an activity"),
        (
            ("2010-11-04T00:03:50,0,tea",),
            "data, line 1: '2010-11-04T00:03:50,0,tea' is not date, time, sensor and value",
        ),
        (("time,user,action,duration",), "line 1: 'time user' is not a date .* or is it another format"),
        ((*MARKED, f"{DAY} 06:00 M003"), f"data, line 6: '{DAY} 06:00 M003' is not date, time, sensor and value"),
        ((*MARKED, f"{DAY} 24:61 M003 ON"), f"line 6: '{DAY} 24:61' is not a date and a time of day"),
        ((*MARKED, f"{DAY} 06:00 M003 ON begin"), "line 6: begin of no activity; write its name before it"),
    ],
)
def test_a_fault_is_one_line(tmp_path, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load(write(tmp_path, "data", *lines))
    assert "\n" not in str(caught.value)


@needs(AL)
def test_the_published_home():
    log, left_out = load(str(AL))
    same_as_protocol(log, "al")
    assert left_out == {EVENTS: 61_578, OTHERS: 1131, JOINED: 201}
