"""Every reader of something from outside, and a small good input of each."""

from __future__ import annotations

import contextlib
import csv
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

import numpy as np
from lam_env.agents.development import store as choice_models
from lam_env.scenarios.game.rules.compiled import calibrated
from lam_env.scenarios.traffic.roads.tntp import read_network, read_nodes, read_trips

from lam_env.config.cli import parse
from lam_env.core.events import ActionLog
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation import results
from lam_env.evaluation.off_policy.decision_table import DecisionTable
from lam_env.evaluation.report.reader import read_run
from lam_env.experiment import inputs, models, policies
from lam_env.experiment.logs.decisions import ForeignTable
from lam_env.experiment.report_page import left_out, write_report
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.score_store import ScoreStore
from lam_env.experiment.settings import RunSettings
from lam_env.logs.coverage import said
from lam_env.logs.formats import casas_xes, dnd_sheets, mobile_plays, slay_the_spire, spire_cards, table
from lam_env.suites import suite
from lam_env.suites.settings import BenchmarkSettings

Count = Callable[[bytes, Any], tuple[int, int]]  # content, what was read -> rows there, rows kept or counted


class Reader(NamedTuple):
    """`files`: name of a file that may be changed -> how (`mutations.KINDS`); `read`: of the folder that holds them and
    the one that was changed; `count`: of an importer."""

    files: Mapping[str, str]
    read: Callable[[Path, Path], object]
    count: Count | None = None


def _rows_of_table(delimiter: str = ",") -> Callable[[bytes], int]:
    def rows(content: bytes) -> int:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")  # each of them ends a line
        return sum(1 for _ in csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)) - 1

    return rows


def _lines(content: bytes) -> int:
    return content.count(b"\n") + (not content.endswith(b"\n"))


def _count(rows: Callable[[bytes], int], kept: Callable[[Any], int], weight: int = 1, only: str = "") -> Count:
    """`only`: reasons that are about whole rows begin so."""

    def count(content: bytes, found: Any) -> tuple[int, int]:
        read, left = found
        told = sum(n for why, n in left.items() if why.startswith(only) or why == "empty line(s)")
        return rows(content), weight * kept(read) + told

    return count


def _events(content: bytes) -> int:
    parser, tags = expat.ParserCreate(), list[str]()
    parser.StartElementHandler = lambda tag, attributes: tags.append(tag.rpartition(":")[2])
    parser.Parse(content, True)
    return tags.count("event")


def _plays(log: ActionLog) -> int:
    return sum(log.vocabulary.actions[t].startswith("PLAY_") for t in log.token.tolist())


def _imported(load: Any, zone: Callable[[Path], str | None] = lambda path: None) -> Callable[[Path, Path], object]:
    """What is read can be told, written, and read again."""

    def read(root: Path, path: Path) -> object:
        log, left = load(str(path), zone=zone(path))
        "\n".join(said(log, left)).encode()
        shutil.rmtree(root / "imported", ignore_errors=True)
        log.fill(root / "imported")
        again = ActionLog.load(root / "imported")
        assert again.vocabulary == log.vocabulary
        assert all(np.array_equal(again.columns[k], v, equal_nan=True) for k, v in log.columns.items())
        return log, left

    return read


def _decisions(path: Path) -> object:
    found = DecisionTable.load(str(path), "context:age+device,action:offer,propensity:p,reward:clicked,user:who")
    source = ForeignTable(found)
    source.judge("random", source.policy("random"), False, 2, 3)
    return found, found.left_out


def _parsed(settings: Any, base: Any = None) -> Callable[[Path, Path], object]:
    def read(root: Path, path: Path) -> object:
        words = path.read_bytes().decode("utf-8", "surrogateescape").splitlines()
        words = words if path.suffix == ".line" else [f"config={path}"]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):  # --help
            return parse(settings, words, "run", base)
        return None

    return read


def _run(root: Path, path: Path) -> object:
    folder = RunFolder.open(str(root / "run"))
    folder.seconds()
    ScoreStore(folder, {}).read()
    policies.world_of(folder)
    read_run(folder.path)
    return folder


def _page(root: Path, path: Path) -> object:
    write_report(root / "run", root / "page.html")
    return left_out(root / "run")


def _habits(root: Path, path: Path) -> object:
    scenario = policies.scenario_of(RunFolder(root / "calibrated"))
    LamVectorEnv(1, scenario).reset(seed=[1])  # somebody has lived by them for a while
    return scenario


_JSON = dict.fromkeys
_ONE = "run/report/"
READERS: dict[str, Reader] = {
    "csv": Reader(
        {"a.csv": "text", "timed.csv": "text", "a.csv.gz": "text"},
        _imported(table.FORMATS["csv"], lambda path: None if path.name == "timed.csv" else "Europe/Berlin"),
        _count(_rows_of_table(), len),
    ),
    "jsonl": Reader(
        {"a.jsonl": "jsonl", "a.jsonl.gz": "jsonl"},
        _imported(table.FORMATS["jsonl"], lambda path: "Europe/Berlin"),
        _count(_lines, len),
    ),
    "casas_xes": Reader({"a.xes": "text", "a.xes.gz": "text"}, _imported(casas_xes.load), _count(_events, len, 2)),
    "mobile_plays": Reader(
        {"plays.csv": "text", "plays.csv.gz": "text"},
        _imported(mobile_plays.load),
        _count(_rows_of_table(), _plays),
    ),
    "slay_the_spire": Reader(
        {"runs.jsonl": "jsonl", "runs.jsonl.gz": "jsonl"},
        _imported(slay_the_spire.load_fine),
        _count(_lines, lambda log: len(log.worlds), only="run(s)"),
    ),
    "spire_cards": Reader({"runs.jsonl": "jsonl"}, lambda root, path: spire_cards.card_choices(path)),
    "dnd_sheets": Reader(
        {"sheets.tsv": "text", "sheets.tsv.gz": "text"},
        lambda root, path: dnd_sheets.class_choices(path),
        _count(_rows_of_table("\t"), len),
    ),
    "dnd_second_class": Reader(
        {"sheets.tsv": "text"},
        lambda root, path: dnd_sheets.second_class_choices(path),
        _count(_rows_of_table("\t"), len),
    ),
    "decisions": Reader(
        {"offers.csv": "text"},
        lambda root, path: _decisions(path),
        _count(_rows_of_table(), lambda found: len(found.action), only="decision(s)"),
    ),
    "settings": Reader({"run.yaml": "text", "nested.yaml": "text"}, _parsed(RunSettings, inputs.usual)),
    "command_line": Reader({"run.line": "text"}, _parsed(RunSettings, inputs.usual)),
    "benchmark_line": Reader({"benchmark.line": "text"}, _parsed(BenchmarkSettings)),
    "suite": Reader({"suite.yaml": "text", "speed.yaml": "text"}, lambda root, path: suite.load(str(path))),
    "results": Reader({"run/results.csv": "text"}, lambda root, path: results.read(path)),
    "play_tables": Reader({"play.json": "json"}, lambda root, path: calibrated(str(path))),
    "behaviour_tables": Reader({"calibrated/tables.json": "json"}, _habits),
    "run": Reader(
        {"run/config.json": "json", "run/results.csv": "text", "run/curve-ppo_prior-0.csv": "text"}
        | _JSON((f"run/cells/sim-{name}-0.json" for name in ("none", "ppo_prior")), "json"),
        _run,
    ),
    "report": Reader(
        {"run/config.json": "json", f"{_ONE}about.json": "json", "run/curve-ppo_prior-0.csv": "text"}
        | _JSON((f"{_ONE}{name}.json" for name in ("judged-none-0", "judged-ppo_prior-0", "replay-0")), "json"),
        _page,
    ),
    "log": Reader(
        {"log/log.json": "json", "log/manifest.json": "json", "log/events.parquet": "binary"},
        lambda root, path: ActionLog.load(root / "log"),
    ),
    "predictor": Reader(
        {"run/model/prior/config.json": "json", "run/model/prior/manifest.json": "json"}
        | {"run/model/prior/model.safetensors": "binary"},
        lambda root, path: models.load_predictor(root / "run/model/prior"),
    ),
    "policy": Reader(
        {"run/model/policy/policy.json": "json", "run/model/policy/manifest.json": "json"}
        | {"run/model/policy/policy.safetensors": "binary"},
        lambda root, path: models.load_policy(
            root / "run/model/policy", models.load_predictor(root / "run/model/prior")
        ),
    ),
    "choice_model": Reader(
        {"choices/config.json": "json", "choices/manifest.json": "json", "choices/model.safetensors": "binary"},
        lambda root, path: choice_models.load(root / "choices"),
    ),
    "roads": Reader(
        {"Test_net.tntp": "text", "Test_trips.tntp": "text", "Test_node.tntp": "text", "Test_net.tntp.gz": "text"},
        lambda root, path: _roads(root, path),
    ),
}


def _roads(root: Path, path: Path) -> object:
    network = read_network(path if "_net" in path.name else root / "Test_net.tntp")
    return read_trips(root / "Test_trips.tntp", network), read_nodes(root / "Test_node.tntp", network)
