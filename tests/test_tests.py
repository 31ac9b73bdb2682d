"""What tests must not do, read from their sources: rest on a clock, take what is private, or grow long."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
FILES = sorted(ROOT.rglob("*.py"))
WAITS = ROOT / "worlds" / "patience.py"  # the one place that looks at a clock: to give up after very long
SPEED = ROOT / "gpu" / "check_gpu.py"  # no test, but a benchmark for other machines
by_file = pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])


def clocks(tree: ast.AST) -> list[str]:
    """Where a busy machine could make a test fail: clocks that are read, and waits for a number of seconds."""
    out = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out += [f"import {a.name}" for a in node.names if a.name in ("time", "timeit")]
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "timeit"):
            out.append(f"from {node.module} import ...")
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            waits = [k.value for k in node.keywords if k.arg in ("timeout", "deadline")]
            waits += node.args if name in ("wait", "join", "communicate", "result") else []
            if any(isinstance(w, ast.Constant) and isinstance(w.value, int | float) for w in waits):
                out.append(ast.unparse(node))
            if ast.unparse(node.func).endswith(("datetime.now", "datetime.utcnow", "datetime.today", "date.today")):
                out.append(ast.unparse(node))
    return out


@by_file
def test_no_test_rests_on_a_clock(path: Path) -> None:
    """Order and counts of work say the same on every machine (`patience.calls`); speed is a benchmark's."""
    found = clocks(ast.parse(path.read_text(encoding="utf-8")))
    assert found == (["import time"] if path in (WAITS, SPEED) else [])


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("import time", 1),
        ("import time as wall", 1),
        ("from time import perf_counter", 1),
        ("import datetime", 0),
        ("datetime.datetime.now()", 1),
        ("run.wait(timeout=10)", 1),
        ("run.wait(10)", 1),
        ("run.wait(timeout=LONG)", 0),
        ("thread.join(5.0)", 1),
        ("', '.join(words)", 0),
        ("world.env.timeout(40)", 0),
        ("settings(deadline=200)", 1),
        ("settings(deadline=None)", 0),
    ],
)
def test_the_rules_for_clocks_themselves(text: str, n: int) -> None:
    assert len(clocks(ast.parse(text))) == n


@by_file
def test_no_test_imports_what_is_private(path: Path) -> None:
    """A function that moves would break it without a change of behaviour."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names]
    assert [name for name in names if name.startswith("_") and not name.startswith("__")] == []


@by_file
def test_no_file_of_tests_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
