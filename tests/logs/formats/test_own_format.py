"""A format of one's own: of a module in the folder, or of a distribution that is installed beside the kit."""

import os
import subprocess
import sys

import pytest

from lam_env.core.errors import UserError
from lam_env.core.registry import IMPORTERS
from lam_env.experiment.logs.file import LogFile, read
from lam_env.logs.look.formats import read_somehow

MODULE = """
from lam_env import log_of_order


def load(path, *, home=None, zone=None):
    with open(path, encoding="utf-8") as file:
        return log_of_order([("me", file.read().split())], path)


FORMATS = {"diary": load, "notes": load}
"""
FUNCTIONS = """
from lam_env import LogError, log_of_order


def bare(path):
    return log_of_order([("me", ["tea", "bread"])], path)


def whole(path, *, home=None, zone=None):
    return bare(path)


def nothing(path):
    pass


def half(path):
    return bare(path)[0]


def crash(path):
    raise ValueError("oops")


def refuse(path):
    raise LogError("diary.txt, line 3: no time; write one")
"""
READ = """
from lam_env.core.registry import IMPORTERS
from lam_env.experiment.logs.file import LogFile, read

for name in {names}:
    log, left_out = read(LogFile(logs="diary.txt", format=name))
    print(name, name in IMPORTERS.names(), len(log), left_out)
"""


@pytest.fixture
def run(tmp_path):
    """Reads a diary of three words in each format, in a Python of its own, where `installed` is a folder of modules."""

    def run(*names, installed):
        (tmp_path / "diary.txt").write_text("tea bread tea")
        command = [sys.executable, "-c", READ.format(names=names)]
        found = os.environ | {"PYTHONPATH": str(installed)}
        done = subprocess.run(command, cwd=tmp_path, env=found, capture_output=True, text=True, check=False)
        return done.stdout.splitlines() or done.stderr.splitlines()[-1:]

    return run


def test_module_and_function(run, tmp_path):
    (tmp_path / "diary.py").write_text(MODULE)
    assert run("diary:load", installed=tmp_path) == ["diary:load False 3 {}"]
    assert "diary has no read" in run("diary:read", installed=tmp_path)[0]
    assert "cannot be imported" in run("diaries:load", installed=tmp_path)[0]


def test_an_entry_point_gives_it_a_name(run, tmp_path):
    about = tmp_path / "site" / "diary_format-1.0.dist-info"
    about.mkdir(parents=True)
    (about.parent / "diary_format.py").write_text(MODULE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: diary-format\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[lam_env.logs.formats]\ndiary = diary_format:load\n")
    assert run("diary", "diary_format:load", installed=about.parent) == [
        "diary True 3 {}",
        "diary_format:load False 3 {}",
    ]
    (about / "entry_points.txt").write_text("[lam_env.logs.formats]\ncsv = diary_format:load\n")
    assert "log format 'csv' is defined twice" in run("csv", installed=about.parent)[0]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("bare", {}, None),
        ("bare", {"zone": "UTC"}, "format=own_formats:bare takes no zone; of these settings it takes encoding"),
        ("whole", {"columns": "time:a"}, "takes no columns; of these settings it takes home, zone, encoding"),
        ("nothing", {}, "format=own_formats:nothing: it returned NoneType; return .log, what was left out"),
        ("half", {}, "format=own_formats:half: it returned ActionLog; return"),
        ("crash", {}, r"format=own_formats:crash: ValueError: oops .own_formats.py line \d+"),
        ("refuse", {}, "^diary.txt, line 3: no time; write one$"),
        ("missing", {}, "own_formats has no missing"),
    ],
)
def test_what_a_function_of_ones_own_may_do(tmp_path, monkeypatch, name, settings, message):
    (tmp_path / "own_formats.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    file = LogFile(logs="own_formats.py", format=f"own_formats:{name}", **settings)
    if message is None:
        assert len(read(file)[0]) == 2
        return
    with pytest.raises(UserError, match=message) as caught:
        read(file)
    assert "\n" not in str(caught.value)


HOMES = {"csv", "tsv", "jsonl", "parquet", "casas_xes"}


@pytest.mark.parametrize("name", sorted({*IMPORTERS.names()} - HOMES))
def test_a_format_without_homes_refuses_to_pick_one_in_one_line(name, tmp_path):
    path = tmp_path / "log"
    path.write_text("")
    said = f"format={name} takes no home; of these settings it takes [a-z, _]+$"
    with pytest.raises(UserError, match=said):
        read(LogFile(logs=str(path), format=name, home="h1"))
    with pytest.raises(UserError, match=said):  # as lam look does
        read_somehow(path, name, home="h1")
