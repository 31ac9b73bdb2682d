"""Every public log that is at hand, read as it is published by the words of docs/how_to/log_formats.md."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from documents import ROOT
from outside import FOLDER, needs

from lam_env.config.cli import parse
from lam_env.core.errors import UserError
from lam_env.core.events import USER
from lam_env.experiment.logs.file import read
from lam_env.experiment.settings import PredictSettings
from lam_env.logs.coverage import ASTRAY, far_times

HOME = FOLDER / "data/smart_home"
KASTEREN = HOME / "kasteren"
CASES = FOLDER / "cases/logs"
CLOCK = "zone=Europe/Berlin"
MESSAGES = "format=csv sep=space columns=user:Source,action:Destination,time:Timestamp sort=yes"
MESSAGES += " zone=America/Los_Angeles"
RATINGS = "format=csv columns=user:Source,action:Target,value:Rating,time:Time sort=yes zone=UTC"
SHOP, STUDENTS = FOLDER / "data/ecommerce", FOLDER / "data/qa/assist2009"
STATEMENTS = (
    'format=csv sep=semicolon "columns=user:account_id,action:{type} {operation} {k_symbol},time:date,value:amount"'
)
STATEMENTS += " time_format=%y%m%d"
WINDOWS = "format=csv columns=user:window,order:position,action:device_control split=sessions"


class Public(NamedTuple):
    """rows: events and what was left out; streams and actions of its log."""

    path: Path
    words: str
    rows: int
    streams: int
    actions: int
    test: Path | None = None


LOGS = (
    Public(HOME / "uci_adl_ordonez/OrdonezA_ADLs.txt", "format=uci_adl", 248, 1, 9),
    Public(HOME / "uci_adl_ordonez/OrdonezA_Sensors.txt", "format=uci_adl", 409, 1, 12),
    Public(HOME / "uci_adl_ordonez/OrdonezB_ADLs.txt", "format=uci_adl", 493, 1, 10),
    Public(HOME / "uci_adl_ordonez/OrdonezB_Sensors.txt", "format=uci_adl", 2_334, 1, 12),
    Public(KASTEREN / "houseA_kasterenActData.txt", "format=kasteren", 245, 1, 7),
    Public(KASTEREN / "houseA_kasterenSenseData.txt", "format=kasteren", 1_319, 1, 14),
    Public(KASTEREN / "houseB.activities", "format=kasteren", 112, 1, 8),
    Public(KASTEREN / "houseB.sensors.gz", "format=kasteren", 19_075, 1, 23),
    Public(KASTEREN / "houseC.activities", "format=kasteren", 234, 1, 8),
    Public(KASTEREN / "houseC.sensors.gz", "format=kasteren", 22_700, 1, 21),
    Public(HOME / "mit_placelab/subject1", "format=mit_placelab", 295, 1, 22),
    Public(HOME / "mit_placelab/subject1", "format=mit_placelab_devices", 2_772, 1, 72),
    Public(HOME / "casas_al_smarthome/data.gz", "format=casas_text", 1_578 + 62_910, 1, 29),
    Public(HOME / "casas_hh_activity", "format=casas_xes home=hh102", 736 + 100, 1, 16),
    Public(HOME / "casas_hh_activity", "format=casas_xes home=hh104", 2_842 + 244, 1, 17),
    Public(HOME / "smartthings/fr/train.csv.gz", WINDOWS, 39_800, 3_980, 62, HOME / "smartthings/fr/test.csv.gz"),
    Public(SHOP / "yoochoose_100k/train_full.tsv.gz", "format=clicks", 70_278, 17_794, 2_933),
    Public(SHOP / "amazon_games/Video.txt.gz", "format=purchases", 287_107, 31_013, 23_715),
    Public(FOLDER / "data/traffic/geolife-visits/geolife_*.csv.gz", "format=stays", 16_622, 45, 1_182),
    Public(FOLDER / "data/social/collegemsg/CollegeMsg.txt.gz", MESSAGES, 59_835, 1_350, 1_862),
    Public(FOLDER / "data/finance/bitcoin_alpha/ratings.csv.gz", RATINGS, 24_186, 3_286, 3_754),
    Public(FOLDER / "data/finance/berka_1993/trans.csv.gz", STATEMENTS, 49_101, 1_229, 14),
    Public(STUDENTS / "train.csv.gz", "format=answers", 325_637, 4_151, 219, STUDENTS / "test.csv.gz"),
    Public(CASES / "activitywatch.json", f"format=activitywatch {CLOCK}", 2, 1, 2),
    Public(CASES / "casas_raw.txt", "format=casas_text", 6, 1, 1),  # one activity is a log
    Public(CASES / "clickstream.tsv", "format=clicks", 3, 2, 2),
    Public(CASES / "ha_history_export.csv", f"format=home_assistant {CLOCK}", 6, 1, 2),
    Public(CASES / "half_durations.csv", f"format=csv {CLOCK}", 2, 1, 1),
    Public(CASES / "home-assistant_v2.db", f"format=home_assistant {CLOCK}", 3, 1, 1),
    Public(CASES / "kasteren_b.activities", "format=kasteren", 2, 1, 2),
    Public(CASES / "ordonez.txt", "format=uci_adl", 2, 1, 2),
    Public(CASES / "semicolon.csv", f'format=csv "sep=;" {CLOCK}', 2, 1, 2),
    Public(CASES / "two_people_activities.csv", f"format=csv {CLOCK}", 12, 2, 2),
    Public(CASES / "unsorted_by_user.csv", f"format=csv sort=yes split=per_user {CLOCK}", 4, 2, 2),
    Public(CASES / "us_dates.csv", f'format=csv "time_format=%m/%d/%Y %I:%M:%S %p" {CLOCK}', 2, 1, 2),
)  # fmt: skip


def settings(log: Public) -> PredictSettings:
    test = [f"test={log.test}"] if log.test else []
    return parse(PredictSettings, [f"logs={log.path}", *shlex.split(log.words), *test], "lam predict")


def here(path: Path) -> Path:
    """What has to be there."""
    return path.parent if "*" in path.name else path


@pytest.mark.parametrize(
    "public", [pytest.param(log, marks=needs(here(log.path)), id=f"{log.path.name} {log.words[7:25]}") for log in LOGS]
)
def test_it_gets_in_whole(public: Public) -> None:
    log, left_out = read(settings(public))
    assert int((log.kind == USER).sum()) + sum(left_out.values()) == public.rows
    assert (len(log.worlds), len(log.vocabulary.actions) - 1) == (public.streams, public.actions)


@pytest.mark.parametrize(
    "public", [pytest.param(log, marks=needs(log.path)) for log in LOGS if log.words in (MESSAGES, RATINGS)]
)
def test_what_one_person_did_now_and_then_is_believed_too(public: Public) -> None:
    """Of many, some rows come months after all others."""
    log, left_out = read(settings(public))
    assert not any(why.startswith(ASTRAY) for why in left_out)
    ends = np.searchsorted(log.world, log.worlds[1:])
    assert not any(far_times(time).any() for time in np.split(log.time, ends))


@needs(CASES)
def test_sensors_alone_are_refused_in_one_line() -> None:
    with pytest.raises(UserError, match=r"sensors_only.csv: no user events; check that this is the right file and"):
        read(settings(Public(CASES / "sensors_only.csv", f"format=csv {CLOCK}", 0, 0, 0)))


@pytest.mark.parametrize("words", sorted({log.words for log in LOGS if CASES not in log.path.parents}))
def test_the_page_gives_the_words(words: str) -> None:
    alone = words if " " in words else words.removeprefix("format=")  # a format by itself is a row of the table
    assert f"`{alone}`" in (ROOT / "docs/how_to/log_formats.md").read_text(encoding="utf-8")
