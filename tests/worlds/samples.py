"""A small good input of each of the `readers`."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import spire
from lam_env.agents.development import store
from lam_env.agents.development.model import ChoiceModel
from lam_env.agents.development.network import ChoiceSettings
from lam_env.scenarios.smart_home.people.personas import persona

from lam_env.core.rng import Streams
from lam_env.logs.formats.dnd_sheets import ABILITIES, NEEDED
from lam_env.logs.play.sessions import INDICES
from lam_env.logs.play.tables import GapPart, PlayTables

KINDS = ("user", "user", "sensor", "user", "reading", "user", "agent", "feedback")
CLASSES = ("Bard", "Monk|Bard", "Bard|Monk")
NETWORK = """<NUMBER OF ZONES> 2\t
<NUMBER OF NODES> 3
<FIRST THRU NODE> 3
<NUMBER OF LINKS> 3
<ORIGINAL HEADER>~ \tInit node \tTerm node \tCapacity
<END OF METADATA>


~\tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\tb\tpower\tspeed\ttoll\tlink_type\t;
\t1\t3\t100\t2\t6\t0.15\t4\t30\t50\t1\t;
\t3\t2\t200.5\t1\t5\t1\t1\t30\t0\t1;
\t2\t1\t300\t1\t0\t0\t0\t30\t0\t1\t;
"""
TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 16.5
<END OF METADATA>

~ a comment: 3;
Origin \t1
    1 :      1.0;     2 :    10.5;
Origin 2
1:5;
"""
NODES = "Node\tX\tY\t;\n2\t1.5\t2\t;\n1\t0\t0\t;\n3\t-1\t0\t;\n"
SETTINGS = """scenario: smart_home
seed: [0, 1]
agents: [none, prior]
log:
  worlds: 3
  days: 2
train: {steps: 1_000, gamma: 0.9}
world: &w
  days: 1
  residents: 2
"""
NESTED = "scenario: game\nlog.worlds: 20\neval: {seeds: 2, worlds: 1}\nworld:\n  days: 10\ndevice: cpu\n"
SUITE = """about: of two runs
runs:
  - {name: one, scenario: smart_home, log: &l {worlds: 3, days: 2}, train: {steps: 256}}
  - scenario: traffic
    log: *l
    label: roads
    agents: [none, timer]
"""
SPEED = "measurements:\n  - {env: CartPole-v1, actions: random, copies: 4}\n  - {env: lam/Game-v2}\n"


def rows(n: int = 48) -> list[dict[str, object]]:
    """Of a log of one's own."""
    made = []
    for i in range(n):
        kind = KINDS[i % len(KINDS)]
        row = {"time": f"2024-03-{1 + i // 4:02d}T{6 + i % 4 * 4:02d}:{i:02d}:30", "user": f"p{i % 3 // 2}"}
        row |= {"action": f"{kind}_{i % 3}", "kind": kind, "value": 20 + i / 10 if kind == "reading" else ""}
        made.append(row)
    return made


def tables() -> PlayTables:
    """As the game's calibration writes them."""
    gaps = (GapPart("lognormal", 0.6, 5.0, 1.0), GapPart("normal", 0.4, 22.0, 1.5))
    pauses, arrivals, stretch = (10.0, 40.0, 300.0), (0.0, 100.0), ((1.0, 1.1), (24.0, 1.2))
    shift = (0.1,) * len(INDICES)
    ends, leaves, hours = (0.2, -0.4, 0.6), (0.3, -0.8, -0.3, 0.3), (1 / 24,) * 24
    return PlayTables(ends, leaves, gaps, pauses, hours, arrivals, 200.0, 30.0, {"n": (1.0,)}, shift, stretch)


def write_samples(root: Path, run: Path) -> None:
    """All of them, into `root`; `run`: a run folder with a policy."""
    texts = {"run.yaml": SETTINGS, "nested.yaml": NESTED, "suite.yaml": SUITE, "speed.yaml": SPEED}
    texts |= {"Test_net.tntp": NETWORK, "Test_trips.tntp": TRIPS, "Test_node.tntp": NODES}
    texts["run.line"] = "scenario=traffic\nworld.days=3\nlog.worlds=2\nagents=none,prior\nseed=0,1\n--help\n"
    texts["benchmark.line"] = "suite=quick\nscenario=game,traffic\nagent.memory=2.5\nray.address=null\nout=a b\n"
    mine = rows()
    texts["a.csv"] = _csv([list(mine[0]), *(row.values() for row in mine)])
    texts["a.jsonl"] = "".join(json.dumps({k: v for k, v in row.items() if v != ""}) + "\n" for row in mine)
    acts = [[r["time"] + "+01:00", "a", f"act {i % 3}", 60 * i, "here"] for i, r in enumerate(mine)]  # type: ignore[operator]
    texts["timed.csv"] = _csv([["time", "user", "action", "duration", "home"], *acts])
    texts["a.xes"] = _xes([(f"act{i % 3}", f"{row['time']}.000+02:00") for i, row in enumerate(mine[:24])])
    plays = [[i % 5, 17 * i % 900, 1_400_000_000 + 40_000 * i + 60 * (i % 7)] for i in range(40)]
    texts["plays.csv"] = _csv([["player", "score", "time"], *plays])
    runs = [spire.run(1_546_376_628 + 5000 * i, playtime=600 + i, gold_per_floor=[i] * 6) for i in range(12)]
    runs[3] = {k: v for k, v in runs[3].items() if k != "local_time"}
    texts["runs.jsonl"] = "".join(json.dumps(one) + "\n" for one in runs)
    sheets = [
        [k // 2 if k < 6 else k, f"2020-01-{1 + k % 28:02d} 10:00:00", "Sage", CLASSES[k % 3], 5, "Elf"]
        + [10 + k % 4] * len(ABILITIES)
        for k in range(40)
    ]  # fmt: skip
    texts["sheets.tsv"] = _csv([list(NEEDED), *sheets], "\t")
    offers = [[i % 7 or "", f"c{i % 3}", "red" if i % 3 else "blue", (1 + i % 4) / 5, i % 2, i % 5] for i in range(40)]
    texts["offers.csv"] = _csv([["age", "device", "offer", "p", "clicked", "who"], *offers])
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
    for name in ("a.csv", "a.jsonl", "a.xes", "plays.csv", "runs.jsonl", "sheets.tsv", "Test_net.tntp"):
        (root / f"{name}.gz").write_bytes(gzip.compress((root / name).read_bytes(), mtime=0))
    tables().save(root / "play.json")
    shutil.copytree(run, root / "run")
    shutil.copytree(run / "log/train", root / "log")
    (root / "calibrated").mkdir()
    shutil.copy(run / "config.json", root / "calibrated")
    habits, _ = persona("family", Streams(0)("resident0", "persona"))
    (root / "calibrated/tables.json").write_text(json.dumps([habits.to_json()]))
    names = {"options": ("none", "a", "b"), "numbers": ("one", "x"), "things": ("thing",), "traits": ("t",)}
    store.save(ChoiceModel(names, ChoiceSettings(members=1, hidden=4, embedding=2, rank=2)), root / "choices")


def _csv(table: list[object], delimiter: str = ",") -> str:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in table)  # type: ignore[call-overload]


def _xes(acts: list[tuple[str, str]]) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<log xmlns="http://www.xes-standard.org/">', "<trace>"]
    for name, time in acts:
        for transition in ("start", "complete"):
            lines += [f'<event><string key="concept:name" value="{name}"/>']
            lines += [f'<string key="lifecycle:transition" value="{transition}"/>']
            lines += [f'<date key="time:timestamp" value="{time}"/></event>']
    return "\n".join([*lines, "</trace>", "</log>", ""])
