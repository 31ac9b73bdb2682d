"""States that Home Assistant's pages and its API give away as files: history as CSV, the logbook as JSON or CSV.

History is what its page downloads (`ha-panel-history.ts` of home-assistant/frontend): entity_id, state, last_changed,
and of nobody who did it.

The logbook (its page is called Activity) has entries (`homeassistant/components/logbook/processor.py` of
home-assistant/core): `when`, ISO 8601 or seconds since 1970, entity_id, state, and what is known of the context. They
come as a list, from GET /api/logbook/<time>?end_time=<time>; as the "result" of the WebSocket command
logbook/get_events; or as CSV with columns called so. An entry is a change: it has a state before, which is not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from lam_env.core.events import LogError
from lam_env.logs.formats.home_assistant.states import State
from lam_env.logs.input.csv_files import CsvFile, csv_rows
from lam_env.logs.input.files import chunks
from lam_env.logs.input.records import EMPTY, json_file

HISTORY = ("entity_id", "state", "last_changed")
LOGBOOK = ("entity_id", "state", "when")
CONTEXT = ("context_user_id", "context_event_type", "context_entity_id")
RUNS = ("automation_triggered", "script_started")
WANTED = "give home-assistant_v2.db, what the history or Activity page downloads as CSV, or the logbook as JSON"
MESSAGES = "logbook message(s) that tell of no state"


def is_json(path: Path) -> bool:
    """Does it hold JSON, packed or not?"""
    return next(chunks(path), b"").removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def from_json(path: Path, left_out: Counter[str]) -> Iterator[State]:
    """The entries of a logbook."""
    data = json_file(path, "download fewer days at a time")
    entries = data.get("result") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise LogError(f"{path.name}: no list of logbook entries; {WANTED}")
    for i, entry in enumerate(entries):
        if not isinstance(entry, dict) or "when" not in entry:
            raise LogError(f"{path.name}, entry {i + 1}: no logbook entry, which has when, entity_id, state; {WANTED}")
        yield from _entry(i + 1, entry, left_out)


def from_csv(path: Path, left_out: Counter[str]) -> Iterator[State]:
    """The rows of a CSV file. Some of history have more cells, of attributes (climate), which the header names for
    all."""
    rows = csv_rows(CsvFile(path), WANTED)
    header = [name.lower() for name in next(rows, (1, []))[1]]
    needed = LOGBOOK if "when" in header else HISTORY
    if missing := [name for name in needed if name not in header]:
        why = f"no column {', '.join(missing)}" if header else "the file is empty"
        raise LogError(f"{path.name}, line 1: {why}; {WANTED}")
    places = {name: header.index(name) for name in (*needed, *CONTEXT) if name in header}
    for number, cells in rows:
        if not cells:
            left_out[EMPTY] += 1
        elif len(cells) <= max(places.values()):
            raise LogError(f"{path.name}, line {number}: {len(cells)} cells are too few; correct the line")
        else:
            row = {name: cells[i] for name, i in places.items()}
            if needed is LOGBOOK:
                yield from _entry(number, row, left_out)
            else:
                yield State(number, row["entity_id"], row["state"], row["last_changed"])


def _entry(place: int, entry: Mapping[str, object], left_out: Counter[str]) -> Iterator[State]:
    entity, state, when = (entry.get(name) for name in LOGBOOK)
    user, event, cause = (str(entry.get(name) or "") for name in CONTEXT)
    if not entity or not state:  # an automation that was triggered, a message of logbook.log
        left_out[MESSAGES] += 1
        return
    agent = event in RUNS or cause.partition(".")[0] in ("automation", "script")
    yield State(place, entity, state, _time(when), user, agent, change=True)


def _time(when: object) -> object:
    """CSV has seconds as text."""
    try:
        return float(when) if isinstance(when, str) else when
    except ValueError:
        return when
