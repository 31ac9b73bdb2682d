"""A log made of the rows of a table, read batch by batch as numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lam_env.config.convert import count
from lam_env.core.events import KINDS, USER, ActionLog, LogError
from lam_env.logs.coverage import clean
from lam_env.logs.input.batches import Batch
from lam_env.logs.input.days import check_weekdays, times_of_days
from lam_env.logs.input.numbers import NAN, Codes, amounts, clocks, coded, each, has_hour, lengths, up_to, with_point
from lam_env.logs.input.pairs import activities, never_met, words_of
from lam_env.logs.input.roles import NEEDED, Roles, has_clock
from lam_env.logs.input.states import pairs_in
from lam_env.logs.input.wrong_rows import Unread
from lam_env.logs.local_time import (
    NO_OFFSET,
    SECOND,
    UNIVERSAL,
    Clocks,
    LocalTimes,
    Where,
    check_no_dates,
    local_times,
)
from lam_env.logs.tables import (
    LONG,
    LONGEST,
    EventTable,
    Texts,
    files_named,
    log_of_table,
    of_activities,
    parts_said,
)

NO_ACTION, IGNORED = "line(s) without an action", "line(s) of states to ignore"
UNTIMED = "activity(ies) without a duration"
_NUMBERS = {"value", "duration", "order", "day", "minute", "weekday"}
MOST = 1e15  # the largest number of an order: floats tell its neighbours apart


class _File(NamedTuple):
    """`part`: of the log; `line_of`: the line on which a row begins, which may take reading the file again;
    decimal_comma: may `21,5` be a number?"""

    name: str
    part: int
    line_of: Callable[[int], int]
    decimal_comma: bool

    def at(self, row: int) -> str:
        return f"{self.name}, line {self.line_of(int(row))}"


class Rows:
    """Rows of files whose columns are as `roles` say; what is left out is counted in `left_out`: with `skip` rows that
    make no sense, too."""

    def __init__(
        self, roles: Roles, ignore: Sequence[str], time_format: str | None, left_out: Counter[str], skip: bool = False
    ):
        self._roles, self._form, self._left_out, self._skip = roles, time_format, left_out, skip
        self._unread = Unread()
        self._files: list[_File] = []
        self._others: dict[str, None] = {}
        self._comma = ""  # a number with a decimal comma
        self._clock = has_clock(roles)
        self._by_date = time_format is not None and not has_hour(time_format)
        words = "|".join(map(re.escape, ignore))
        self._ignored = re.compile(rf"(?:.*[.:=/ ])?({words})", re.IGNORECASE | re.DOTALL) if words else None
        self._unmet: list[str] = []  # what pairs have in vain
        self._idle = {word.lower(): word for word in ignore}  # that nothing ends in, so far
        self._names = {role: Codes() for role in ("action", "user", "home")}
        self._parts: dict[str, list[np.ndarray]] = {}

    def begin(
        self,
        name: str,
        roles: Roles,
        part: int,
        others: Sequence[str],
        line_of: Callable[[int], int],
        decimal_comma: bool = False,
    ) -> None:
        """What is added from here on is of this file, which is that part of the log. others: columns that have no role;
        line_of, decimal_comma: as in `_File`."""
        self._others.update(dict.fromkeys(others))
        if roles != self._roles:
            differ = ", ".join(sorted(set(roles).symmetric_difference(self._roles)))
            raise LogError(f"{name}: has not the columns of {self._files[0].name} ({differ}); give them the same")
        self._files.append(_File(name, part, line_of, decimal_comma))

    @property
    def _source(self) -> str:
        return files_named(self._parts_of_log)

    @property
    def _parts_of_log(self) -> list[tuple[str, int]]:
        return [(file.name, file.part) for file in self._files]

    def add(self, batch: Batch) -> None:
        """LogError for a row that makes no sense."""
        rows = self._that_tell(batch)
        if self._files[-1].decimal_comma:
            for role in _NUMBERS.intersection(rows.cells):
                rows.cells[role], comma = with_point(rows.cells[role])
                self._comma = self._comma or comma
        n = len(rows.number)
        if not n:
            return
        keep, columns = self._unread.together(n, lambda some: self._numbers(rows.of(some)), self._skip)
        rows = rows.of(keep)
        nothing = pa.nulls(len(rows.number), pa.string())
        self._names["action"].add(rows.cells["action"])
        self._names["user"].add(rows.cells.get("user", nothing), str if "user" in self._roles else lambda _: "0")
        self._names["home"].add(rows.cells.get("home", nothing), clean)
        for name, column in columns.items():
            self._parts.setdefault(name, []).append(column)

    def _numbers(self, rows: Batch) -> dict[str, np.ndarray]:
        """Of n rows, by column (n,)."""
        number, cells = rows
        n = len(number)

        def where(i: int) -> str:
            return self._files[-1].at(number[i])

        def cells_of(role: str) -> pa.Array:
            return cells.get(role, pa.nulls(n, pa.string()))

        if "user" in cells and (nobody := each(cells["user"], lambda text: not clean(text), bool)).any():
            raise LogError(f"{where(int(nobody.argmax()))}: the user has no name; correct the line")
        value, empty, missing = amounts("value", cells_of("value"), where)
        duration, nothing, _ = lengths(cells_of("duration"), where)
        for i in np.flatnonzero((duration < 0) | (duration > LONGEST))[:1].tolist():
            raise LogError(f"{where(i)}: a duration of {duration[i]:g} s; it must lie between 0 and {LONGEST} s")
        columns: dict[str, np.ndarray] = {
            "line": number.astype(np.int32),
            "file": np.full(n, len(self._files) - 1, np.int16),
            "kind": _kinds(cells_of("kind"), where),
            "value": value,
            "duration": duration,
            "empty": empty | nothing,
            "missing": missing,
        }
        if self._clock:
            if "day" in cells:
                began, columns["later"] = times_of_days(cells, where)
            else:
                began = clocks(cells["time"], self._form, where)
            columns |= {"time": began.time, "offset": began.offset}
        if "order" in cells:
            columns["order"] = up_to("order", cells["order"], MOST, where)
        if "end" in cells:
            ended = clocks(cells["end"], self._form, where)
            columns |= {"end": ended.time, "end offset": ended.offset}
        return columns

    def _that_tell(self, batch: Batch) -> Batch:
        """The cells by role, of rows that have an action, and all parts of it."""
        cells = {role: template.of(batch.cells) for role, template in self._roles.items()}
        cells |= {role: coded(cells[role]) for role in self._names if role in cells}
        nothing = each(cells["action"], lambda text: clean(text).lower() in ("", "none"), bool)
        for column in self._roles["action"].needs:
            nothing |= each(batch.cells[column], lambda text: not clean(text), bool)
        ignored = open_ended = np.zeros(len(nothing), bool)
        if (states := self._ignored) is not None:
            ignored = each(cells["action"], lambda text: self._is_idle(states, clean(text)), bool) & ~nothing
        if "end" in cells:
            open_ended = each(cells["end"], lambda text: not text, bool) & ~nothing & ~ignored
        reasons = Counter({NO_ACTION: nothing.sum(), IGNORED: ignored.sum(), UNTIMED: open_ended.sum()})
        self._left_out.update({why: int(count) for why, count in reasons.items() if count})
        return Batch(batch.number, cells).of(np.flatnonzero(~(nothing | ignored | open_ended)))

    def _is_idle(self, states: re.Pattern[str], action: str) -> bool:
        if (found := states.fullmatch(action)) is not None:
            self._idle.pop(found[1].lower(), None)
        return found is not None

    def log(
        self,
        home: str | None,
        whose: str | None,
        zone: str | None,
        sort: bool,
        split: str | None,
        pairs: Sequence[str],
    ) -> tuple[ActionLog, dict[str, int]]:
        """The log of one home, and of one user where `whose` says so, and what was left out."""
        if not self._parts:
            why = "no row has an action" if self._left_out[NO_ACTION] else "a header and no rows"
            raise LogError(f"{self._source}: {why}; it needs lines of {', '.join(NEEDED)}")
        told = {"zone": zone, "time_format": self._form, "sort": sort, "pairs": pairs}
        has = {"time_format": "time" in self._roles}  # days and minutes are a clock, too
        if idle := [name for name, value in told.items() if value and not has.get(name, self._clock)]:
            raise LogError(f"{self._source}: {', '.join(idle)} without a column of time says nothing; leave it away")
        # as few copies at once as can be: a log may have ten million rows
        columns = {name: np.concatenate(self._parts.pop(name)) for name in list(self._parts)}
        missing = int(columns.pop("missing").sum())
        texts = {role: self._names.pop(role).texts() for role in list(self._names)}
        home, mine = self._of_home(texts.pop("home"), home)
        if whose is not None:
            mine = self._of_user(texts["user"], whose, columns["kind"], mine)
        by = columns.get("order")
        if sort:
            by = columns["time"] - np.where(columns["offset"] > NO_OFFSET, columns["offset"], 0) * SECOND
            bare = columns["offset"] == NO_OFFSET
            if bare.any() and not bare.all():  # on one clock first
                by = local_times(Clocks(columns["time"], columns["offset"]), zone, self._where(columns)).moment
        if by is not None:
            mine = mine[np.argsort(by[mine], kind="stable")]
        if by is not None or len(mine) < len(columns["line"]):
            columns = {name: column[mine] for name, column in columns.items()}
            texts = {role: Texts(code[mine], known) for role, (code, known) in texts.items()}
        if "later" in columns:
            check_weekdays(columns["later"], texts["user"].code, self._where(columns))
        local = self._local(columns, zone) if self._clock else None
        if pairs:
            assert local is not None
            texts["action"], keep = self._paired(columns, texts, local.moment, pairs)
            columns = {name: column[keep] for name, column in columns.items()}
            texts = {role: Texts(code[keep], known) for role, (code, known) in texts.items()}
            local = local._replace(wall=local.wall[keep], moment=local.moment[keep])
        keep = self._timed(columns)
        timed = ~np.isnan(columns["duration"])
        action, user = (Texts(texts[role].code[keep], texts[role].known) for role in ("action", "user"))
        if local is not None:
            local = local._replace(wall=local.wall[keep], moment=local.moment[keep])
        value = np.where(timed, columns["duration"], columns["value"])[keep]
        parts = np.array([file.part for file in self._files])
        part = parts[columns["file"][keep]] if parts.any() else None
        table = EventTable(local, action, user, columns["kind"][keep], value, columns["empty"][keep], part)
        intervals = bool((timed & (columns["kind"] == USER))[keep].any())
        about: dict[str, object] = {"home": home} if home else {}
        about |= {"start": ""} if "day" in self._roles else {}  # a number of a day is no date
        about |= {"notes": notes} if (notes := self._notes(missing)) else {}
        left_out = +(self._left_out + self._unread.counted)
        return log_of_table(table, self._source, intervals=intervals, left_out=left_out, split=split, **about)

    def _notes(self, missing: int) -> list[str]:
        """What the reader of the first lines would not guess."""
        notes = []
        if not self._clock and "order" not in self._roles:
            notes.append("no column of time, day or order is named: rows are in the order of the file")
        if self._by_date:
            notes.append("time_format has no hour: rows of a day are in the order of the file")
        notes += parts_said(self._parts_of_log)
        if self._others:
            notes.append(f"columns that are left alone: {', '.join(self._others)}"[:200])
        if missing:
            notes.append(f"{count(missing, 'value')} of {NAN}, read as none")
        if self._comma:
            notes.append(f"decimal commas: {self._comma} is read as {self._comma.replace(',', '.')}")
        if self._idle:
            notes.append(f"ignore={','.join(self._idle.values())}: no action ends so"[:200])
        return notes + self._unmet

    def _where(self, columns: dict[str, np.ndarray]) -> Where:
        """The file and line of a row; of ends, which come after all rows, too."""
        line, file = columns["line"], columns["file"]
        return lambda i: self._files[file[i % len(file)]].at(line[i % len(line)])

    def _local(self, columns: dict[str, np.ndarray], zone: str | None) -> LocalTimes:
        """The local times of rows (n,). Where they have an end, it becomes their duration."""
        where = self._where(columns)
        check_no_dates(columns["time"][columns["offset"] == UNIVERSAL] // SECOND, where)
        time, offset, n = columns["time"], columns["offset"], len(columns["time"])
        if "end" in columns:  # in one piece, so that both are on the same clock
            time, offset = np.r_[time, columns["end"]], np.r_[offset, columns["end offset"]]
        local = local_times(Clocks(time, offset), zone, where, on_the_wall="day" in self._roles or self._by_date)
        back = (np.diff(local.moment[:n]) < 0) & (np.diff(columns["file"]) == 0)
        for i in (np.flatnonzero(back)[:1] + 1).tolist():
            raise LogError(f"{where(i)}: its time is before that of the line above; sort the file by time, or sort=yes")
        if "end" in columns:
            local, columns["duration"], _ = of_activities(local)
        if self._by_date:  # what is done twice on a day is done twice
            local = local._replace(moment=local.moment + np.arange(n))
        return local

    def _paired(
        self, columns: dict[str, np.ndarray], texts: dict[str, Texts], moment: np.ndarray, pairs: Sequence[str]
    ) -> tuple[Texts, np.ndarray]:
        """The names of activities that states begin and end, and the rows (n,) bool that are kept."""
        if not np.isnan(columns["duration"]).all():
            raise LogError(f"{self._source}: its rows have durations, so pairs= says nothing; leave it away")
        action, states = texts["action"], words_of(pairs)
        of_user = (columns["kind"] == USER) & ~columns["empty"]
        part = np.array([file.part for file in self._files])[columns["file"]]
        found = activities(action, texts["user"].code, part, of_user, moment, states)
        begins = found.following >= 0
        rest = of_user & found.keep & ~begins
        never = never_met(pairs, found.met)
        names = [action.known[i] for i in np.unique(action.code[rest if begins.any() else of_user])]
        more = [pair for pair in pairs_in(names) if not {*pair.split("/")} <= states.keys()]
        remedy = f"there are {','.join(more)}: say them in pairs" if more else "say their states in pairs or in ignore"
        if not begins.any():
            why = "; ".join(never) or "no action ends in one of pairs' states, and then in the other"
            raise LogError(f"{self._source}: {why}; {remedy}")
        if rest.any():
            first = int(rest.argmax())
            why = f"as {action.known[action.code[first]][:60]!r}, end in no state of pairs"
            if rest.sum() > begins.sum():
                why = f"{rest.sum():,} rows, {why}, and {begins.sum():,} begin an activity"
                raise LogError(f"{self._where(columns)(first)}: {'; '.join((why, *never, remedy))}")
            self._left_out[f"row(s) that, {why}; {remedy}"] += int(rest.sum())
        columns["duration"][begins] = (moment[found.following[begins]] - moment[begins]) / SECOND
        self._left_out.update(found.left_out)
        self._unmet = never
        return found.action, found.keep & ~rest

    def _timed(self, columns: dict[str, np.ndarray]) -> np.ndarray:
        """(n,) bool: the rows that are kept. In a log of activities those of users without a duration are not."""
        duration, of_user = columns["duration"], (columns["kind"] == USER) & ~columns["empty"]
        wrong = duration > LONGEST
        self._left_out[LONG] += int(wrong.sum())
        untimed = of_user & np.isnan(duration)
        if not (of_user & ~untimed).any():
            return ~wrong
        if untimed.sum() > (of_user & ~untimed).sum():
            where = self._where(columns)(int(untimed.argmax()))
            raise LogError(f"{where}: most user rows have no duration, and some have; give all of them, or none")
        self._left_out[UNTIMED] += int(untimed.sum())
        return ~wrong & ~untimed

    def _of_home(self, homes: Texts, home: str | None) -> tuple[str, np.ndarray]:
        """The home that is meant, "" where the file names none, and its rows."""
        source, named = self._source, sorted(set(homes.known) - {""})
        if home is not None and not named:
            raise LogError(f"{source}: no column home, so home={home[:40]} says nothing; leave it away")
        if home is None and len(named) > 1:
            raise LogError(f"{source}: holds several homes; settings: home=<one of {', '.join(named)[:200]}>")
        meant = clean(home) if home is not None else named[0] if named else ""
        if home is not None and meant not in named:
            raise LogError(f"{source}: no home {home[:40]!r} here; settings: home=<one of {', '.join(named)[:200]}>")
        mine = np.flatnonzero(homes.code == homes.known.index(meant))
        if others := len(homes.code) - len(mine):
            self._left_out["event(s) of another home, or of none"] += others
        return meant, mine

    def _of_user(self, users: Texts, user: str, kind: np.ndarray, mine: np.ndarray) -> np.ndarray:
        """Of the rows `mine` those in which nobody else does anything."""
        forms = [clean(name) for name in users.known]
        if "user" not in self._roles:
            raise LogError(f"{self._source}: no column user, so user={user[:40]} says nothing; leave it away")
        if (meant := clean(user)) not in forms:
            remedy = f"settings: user=<one of {', '.join(sorted({*forms}))[:200]}>"
            raise LogError(f"{self._source}: no user {user[:40]!r} here; {remedy}")
        theirs = np.array([form == meant for form in forms])[users.code[mine]] | (kind[mine] != USER)
        if others := int((~theirs).sum()):
            self._left_out["event(s) of another user"] += others
        return mine[theirs]


def _kinds(column: pa.Array, where: Callable[[int], str]) -> np.ndarray:
    number = {kind: i for i, kind in enumerate(KINDS)} | {"": USER}
    kinds = each(column, lambda text: number.get(text, -1), np.int8)
    for i in np.flatnonzero(kinds < 0)[:1].tolist():
        raise LogError(f"{where(i)}: unknown kind {column[i].as_py()[:40]!r}; use one of {', '.join(KINDS)}")
    return kinds
