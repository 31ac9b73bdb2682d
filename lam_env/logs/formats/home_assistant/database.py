"""States in the database of Home Assistant's recorder, `home-assistant_v2.db` (SQLite), whatever its version.

Shape: `homeassistant/components/recorder/db_schema.py` of home-assistant/core, and `models.py` there until 2022. Names
of entities stand in `states_meta`, or in `states`; times are seconds since 1970, or UTC as text; contexts are bytes, or
text, or (until 2022) those of the row of `events` that a state belongs to. A database that is being brought from one
shape to the next holds both, so of each the first that is there counts.

The file is only read: nothing is written to it or beside it, except that SQLite makes a `-shm` file for a `-wal` file
that was copied without one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from lam_env.core.events import LogError
from lam_env.core.files.inputs import reason
from lam_env.logs.formats.home_assistant.states import State
from lam_env.logs.input.files import unpacked

MAGIC = b"SQLite format 3\0"
WAIT = 5.0  # [s] for a lock; a database in WAL mode, as Home Assistant's is, has none for readers
TABLES = ("states", "states_meta", "events")
# seconds since 1970 of a text, to order by; to the millisecond
_SECONDS = "(julianday(states.last_updated) - 2440587.5) * 86400.0"


def is_database(path: Path) -> bool:
    """Does it hold SQLite, packed or not?"""
    return next(unpacked(path), b"").startswith(MAGIC)


def recorded(path: Path) -> Iterator[State]:
    """The rows of the table `states` in order of time, one by one."""
    try:
        with contextlib.closing(_opened(path.resolve())) as database:
            yield from _rows(database, path.name)
    except sqlite3.Error as error:
        if "locked" in str(error):
            why, what = "another program is writing to it", "try again, or give a copy"
        else:
            why = reason(error, 100)
            what = "unpack it if it is packed, or copy it again, together with its -wal file if it has one"
        raise LogError(f"{path.name}: the database cannot be read ({why}); {what}") from None


def _opened(path: Path) -> sqlite3.Connection:
    with path.open("rb") as file:
        writes_ahead = file.read(20)[18:20] == b"\2\2"
    # a reader of a database in WAL mode makes a -wal file where there is none; but then nobody writes to it either
    alone = writes_ahead and not path.with_name(path.name + "-wal").exists()
    options = "mode=ro&immutable=1" if alone else "mode=ro"
    database = sqlite3.connect(f"{path.as_uri()}?{options}", timeout=WAIT, isolation_level=None, uri=True)
    database.execute("PRAGMA trusted_schema = OFF")  # what a foreign file defines may call nothing that acts
    database.execute("BEGIN")  # all queries see one moment
    return database


def _rows(database: sqlite3.Connection, source: str) -> Iterator[State]:
    has = {table: {row[1] for row in database.execute(f"PRAGMA table_info({table})")} for table in TABLES}
    if not {"state_id", "state"} <= has["states"] or not has["states"] & {"last_updated_ts", "last_updated"}:
        raise LogError(f"{source}: a database, but not of Home Assistant's recorder; give home-assistant_v2.db")
    tables = "states"
    for table, key in (("states_meta", "metadata_id"), ("events", "event_id")):
        if key in has[table] and key in has["states"]:
            tables += f" LEFT JOIN {table} ON {table}.{key} = states.{key}"
        else:
            has[table] = set()

    def told(*columns: str) -> str:
        names = [name.split(".") for name in columns]
        there = [f"{table}.{column}" for table, column in names if column in has[table]]
        return f"coalesce({', '.join([*there, 'NULL', 'NULL'])})"

    entity = told("states_meta.entity_id", "states.entity_id")
    time = told("states.last_changed_ts", "states.last_changed", "states.last_updated_ts", "states.last_updated")
    user, parent, context = (
        told(f"states.context_{of}_bin", f"states.context_{of}", f"events.context_{of}")
        for of in ("user_id", "parent_id", "id")
    )
    # an automation that the clock has triggered has no parent: its own state tells its context
    automated = {c for (c,) in database.execute(f"SELECT {context} FROM {tables} WHERE {entity} LIKE 'automation.%'")}
    automated.discard(None)
    linked = "old_state_id" in has["states"]
    query = f"SELECT states.state_id, {entity}, states.state, {time}, {user}, {parent}, {context}, "
    query += f"{told('states.old_state_id')} FROM {tables} ORDER BY {_order(database, has['states'])}, states.state_id"
    seen = False
    for place, name, state, when, who, above, own, old in database.execute(query):
        # rows that are older than the column have none either
        seen = seen or old is not None
        first = linked and seen and old is None
        yield State(place, name, state, when, _id(who), bool(above) or own in automated, first)


def _order(database: sqlite3.Connection, has: set[str]) -> str:
    """What rows are ordered by: a column where one does, as it has an index and the table may be large."""
    if "last_updated_ts" not in has:
        return "states.last_updated"
    if "last_updated" not in has:
        return "states.last_updated_ts"
    mixed = database.execute("SELECT 1 FROM states WHERE last_updated_ts IS NULL LIMIT 1").fetchone()
    return f"coalesce(states.last_updated_ts, {_SECONDS})" if mixed else "states.last_updated_ts"


def _id(user: object) -> str:
    return user.hex() if isinstance(user, bytes) else "" if user is None else str(user)
