"""The project speaks of itself alone: no word of where or how it was written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import ROOT

UNWANTED = [
    r"\b(this|my|our|an earlier|the last) session\b",  # a player's sessions may be spoken of
    r"\bhelpers?\b",
    r"\bworkplace\b",
    r"\bdesign notes\b",
    r"(?<!\w)/(work|root|home/\w+)/",
    r"\b(index-url|artifactory|pythonhosted|pypi\.org)\b",
    r"https?://(?!keepachangelog\.com|semver\.org|www\.xes-standard\.org|www\.w3\.org|doi\.org|arxiv\.org)[\w.-]+\.\w+",
]
SHIPPED = {".py", ".md", ".toml", ".txt", ".yaml", ".json", ".html", ".j2", ".csv", ""}
LEFT_OUT = {"build", "_build", "dist", "runs", "__pycache__"}


def _files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        hidden = [n for n in folders if n.startswith(".") and n != ".ci"]
        folders[:] = [n for n in folders if n not in LEFT_OUT and n not in hidden and not n.endswith(".egg-info")]
        paths = (Path(folder) / name for name in names)
        yield from (
            p for p in paths if p.suffix in SHIPPED and p != Path(__file__) and p.name not in (".coverage", ".git")
        )


def unwanted(text: str) -> list[str]:
    return [m[0] for pattern in UNWANTED for m in re.finditer(pattern, text, re.I)]


def _is_of_the_game(name: str) -> bool:
    return name.startswith(("scenarios/game/", "tests/scenarios/test_game_")) or name == "tests/golden/game.txt"


def test_no_file_speaks_of_where_or_how_it_was_written() -> None:
    found = {str(p.relative_to(ROOT)): unwanted(p.read_text(encoding="utf-8")) for p in _files()}
    assert len(found) > 100
    for name in filter(_is_of_the_game, found):  # players' sessions are the term of the trade, and meant
        found[name] = [word for word in found[name] if "session" not in word.lower()]
    assert {name: words for name, words in found.items() if words} == {}


def test_the_ceiling_is_of_prediction_and_the_oracle_is_a_mark() -> None:
    """As the glossary has it: what acts greedily is not proved to be the best."""
    loose = re.compile(r"oracle[^.;|]{0,80}\bceiling|\bceiling[^.;|]{0,80}oracle", re.I)
    texts = {
        p: p.read_text(encoding="utf-8") for p in _files() if p.suffix in (".py", ".md") and p.name != "CHANGELOG.md"
    }
    assert {p.name: found.group() for p, text in texts.items() if (found := loose.search(text))} == {}
    assert loose.search("the oracle is a ceiling")
    glossary = texts[ROOT / "docs/start/glossary.md"]
    assert "the ceiling of prediction" in glossary
    assert "the mark that shares are of, not proved to be the best" in glossary


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("this session", 1),
        ("a helper function", 1),
        ("plays per session", 0),
        ("/work/main or /home/me/x", 2),
        ("see https://example.org/simple", 1),
        ("an obsession with the folder framework/main and https://semver.org/", 0),
    ],
)
def test_the_rules_for_words_themselves(text: str, n: int) -> None:
    assert len(unwanted(text)) == n
