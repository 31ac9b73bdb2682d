"""The tables of docs/worlds/ and the scores they are made of, which are kept in tests/published/, one file a suite.

    python tests/worlds/published.py runs/benchmark-default-1

puts the summaries that finished suites wrote in place of those in the pages, and keeps their scores. A table stands in
a page between the comments `table: SUITE SCENARIO VARIANT` and `table: end`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

from lam_env.core.catalogue import JUDGE, SUMMARY
from lam_env.evaluation import results
from lam_env.evaluation.tables import Table, score_table

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests" / "published"
PAGES = ROOT / "docs" / "worlds"
_BLOCK = re.compile(r"(<!-- table: (\w+) (\w+) ([\w-]+) -->\n)(.*?)(<!-- table: end -->)", re.S)


class Published(NamedTuple):
    """A table of a page: where its scores are from, and its text."""

    suite: str
    scenario: str
    variant: str
    text: str


def pages() -> dict[Path, str]:
    """The pages that hold tables, and their texts."""
    return {path: path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("*.md"))}


def published(document: str) -> list[Published]:
    return [Published(*m.group(2, 3, 4, 5)) for m in _BLOCK.finditer(document)]


def made_again(table: Published) -> Table:
    """From the scores kept, without what is said of how they were made."""
    return score_table(results.read(KEPT / f"{table.suite}.csv"), table.scenario, "summary", table.variant)


def suite_of(folder: Path) -> str:
    return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["suite"])


def keep(folder: Path, document: str) -> None:
    """Keeps what the tables of a suite's folder in the document are made of."""
    suite = suite_of(folder)
    shown = {(t.scenario, t.variant) for t in published(document) if t.suite == suite}
    rows = results.read(folder / "results.csv")
    mine = [r for r in rows if (r.scenario, r.variant) in shown and r.metric in {m.id for m in (*SUMMARY, JUDGE)}]
    KEPT.mkdir(exist_ok=True)
    results.write(KEPT / f"{suite}.csv", mine)


def put(document: str, suite: str, tables: str) -> str:
    """A document with the summaries of a suite's tables.md."""

    def block(m: re.Match[str]) -> str:
        if m[2] != suite:
            return m[0]
        title = f"**{m[3]} ({m[4]}): summary**"
        begin = tables.find(title)
        if begin < 0:
            sys.exit(f"tables.md of {suite} has no {title}")
        text = tables[begin:].partition("\n**")[0].partition("\n#")[0].rstrip()
        return f"{m[1]}{text}\n\n{m[6]}"

    return _BLOCK.sub(block, document)


def main(folders: list[str]) -> None:
    texts = pages()
    for name in folders:
        suite = suite_of(Path(name))
        if all(table.suite != suite for text in texts.values() for table in published(text)):
            sys.exit(f"{name}: no page has a table of the suite {suite}")
        tables = (Path(name) / "tables.md").read_text(encoding="utf-8")
        texts = {path: put(text, suite, tables) for path, text in texts.items()}
    for name in folders:
        keep(Path(name), "\n".join(texts.values()))
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
