"""Run folders: config.json, cells/, checkpoints/, results.csv, tables.md, report.html, report/, curves, log/, model/"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from lam_env.config.cli import Group, to_dict
from lam_env.config.convert import short
from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.errors import UserError
from lam_env.evaluation.results import ResultRow, write

# between a run and what goes on with it
MAY_DIFFER = ("agents", "agent", "workers", "launcher", "ray", "track", "out", "checkpoints")
CONFIG, TABLES, LOCK = "config.json", "tables.json", ".lock"


def choose_folder(out: str | None, scenario: str, again: bool = False) -> Path:
    """The folder of a run: `out`, or the next free runs/<scenario>-<n>. It is not made; it must be free and writable.

    `again`: it may hold a run, to be gone on with.
    """
    if out is None:
        n, name = 1, re.sub(r"\W+", "-", scenario)
        while (path := Path("runs") / f"{name}-{n}").exists():
            n += 1
    else:
        path = Path(out)
        if path.exists() and not path.is_dir():
            raise UserError(f"out={out}: is a file; give another folder")
        if path.is_dir() and any(p.name != LOCK for p in path.iterdir()) and not (again and (path / CONFIG).exists()):
            what = "already holds a run" if (path / CONFIG).exists() else "is not empty"
            raise UserError(f"out={out}: {what}; give another folder or leave `out` away")
    parent = path if path.is_dir() else next(p for p in path.absolute().parents if p.exists())
    if not parent.is_dir():
        raise UserError(f"out={path}: {parent} is a file; give another folder")
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise UserError(f"out={path}: {parent} is not writable ({error.strerror}); give another folder") from None
    return path


def check_same(
    folder: RunFolder,
    settings: Group,
    versions: dict[str, str],
    may_differ: tuple[str, ...] = MAY_DIFFER,
    what: str = "run",
) -> dict[str, object]:
    """The config of a run (`what`) that is to be gone on with; UserError if its settings or versions were others."""
    before, now = folder.config(), json.loads(json.dumps(to_dict(settings)))
    remedy = "give another folder or leave `out` away"
    for name, value in now.items():
        if name not in may_differ and before.get(name) != value:
            how = _differs(name, before.get(name), value)
            raise UserError(f"out={folder.path}: already holds a {what} with other settings ({how}); {remedy}")
    of_run = before.get("versions")
    for name, number in versions.items():
        had = of_run.get(name, "none") if isinstance(of_run, dict) else "none"
        if had != number:
            how = f"{name} {had}, now {number}"
            raise UserError(f"out={folder.path}: holds a {what} by other versions ({how}); {remedy}")
    return before


def _differs(name: str, old: object, new: object) -> str:
    """Which setting, and how; of a group the first one."""
    if not isinstance(new, dict) or not isinstance(old, dict):
        return f"{name} is not set, not {short(new)}" if old is None else f"{name}={short(old)}, not {short(new)}"
    key = next(k for k in (*new, *old) if old.get(k) != new.get(k))
    return f"{name}: " + _differs(key, old.get(key), new.get(key))


def seen_from_here(path: str) -> Path:
    """The folder that a job is to write into; UserError where its machine does not see it."""
    if not Path(path).is_dir():
        where = f"{platform.node()} does not see the run's folder {path}"
        raise UserError(f"{where}: give out= on a folder that all machines share")
    return Path(path)


class RunFolder:
    """One run on disk. Every file is written whole or not at all, and is valid whenever the run is stopped."""

    def __init__(self, path: Path):
        self.path = path

    @classmethod
    def create(cls, path: Path, config: dict[str, object]) -> RunFolder:
        """A new folder; the one that another run has made in the meantime stays as it is."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / CONFIG).open("x").close()
        except FileExistsError:
            raise UserError(f"out={path}: already holds a run; give another folder or leave `out` away") from None
        except OSError as error:
            raise UserError(f"out={path}: cannot be written ({error.strerror}); give another folder") from None
        folder = cls(path)
        folder.write_config(config)
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and keeps others from it; the lock ends with the process, however that ends."""
        from filelock import FileLock, Timeout

        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / LOCK)
            lock.acquire(timeout=0)
        except Timeout:
            remedy = "wait for it, or give another folder"
            raise UserError(f"out={self.path}: another run is at work in it; {remedy}") from None
        except OSError as error:
            raise UserError(f"out={self.path}: cannot be written ({error.strerror}); give another folder") from None
        try:
            yield
        finally:
            lock.release()

    def write_config(self, config: Mapping[str, object]) -> None:
        self.write_text(CONFIG, json.dumps(config, indent=1, sort_keys=True) + "\n")

    @classmethod
    def open(cls, path: str) -> RunFolder:
        """An earlier run; one line says what is missing."""
        folder = Path(path)
        if not (folder / CONFIG).is_file():
            raise UserError(f"{path}: not a run folder (no {CONFIG}); give the folder that a run has written")
        return cls(folder)

    def config(self) -> dict[str, object]:
        try:
            config = json.loads((self.path / CONFIG).read_text(encoding="utf-8"))
            if not isinstance(config, dict):
                raise ValueError("not a mapping")
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"{self.path / CONFIG}: cannot be read ({error}); give another run") from None
        return config

    def seconds(self) -> float:
        """Wall time of the run so far."""
        seconds = self.config().get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else 0.0

    def tidy(self) -> None:
        """Removes what an interrupted process has left half written."""
        folders = [self.path, self.path / "cells", self.log, self.policy.parent, self.path / "report"]
        for folder in (*folders, *self.path.glob("checkpoints/*")):
            for part in (*folder.glob("*.part"), *folder.glob(".*.old")):
                shutil.rmtree(part) if part.is_dir() else part.unlink()

    def checkpoints(self, row: str, seed: int) -> Path:
        """Those of a training that is not finished."""
        return self.path / "checkpoints" / f"{quote(row, safe='@=')}-{seed}"

    def drop_checkpoints(self, row: str, seed: int) -> None:
        """Once a training is finished, or has failed."""
        shutil.rmtree(folder := self.checkpoints(row, seed), ignore_errors=True)
        with suppress(OSError):  # others are at work
            folder.parent.rmdir()

    def write_text(self, name: str, text: str) -> None:
        target = self.path / name
        target.parent.mkdir(exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, target)

    def write_results(self, rows: Iterable[ResultRow]) -> None:
        write(self.path / "results.csv", rows)

    def write_json(self, name: str, data: object) -> None:
        """Data of the report: compact."""
        self.write_text(name, json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n")

    def tables(self) -> BehaviourTables | None:
        """Habits of the calibrated resident, if the run has one."""
        path = self.path / TABLES
        if not path.is_file():
            return None
        try:
            return BehaviourTables.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise UserError(f"{path}: cannot be read ({short(str(error))}); give another run") from None

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def prior(self) -> Path:
        return self.path / "model" / "prior"

    @property
    def prior_of_log(self) -> Path:
        """The predictor of a real log's own actions."""
        return self.path / "model" / "prior-real"

    @property
    def policy(self) -> Path:
        return self.path / "model" / "policy"
