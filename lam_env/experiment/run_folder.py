"""Run folders: config.json, cells/, checkpoints/, results.csv, tables.md, report.html, report/, curves, log/, model/"""

from __future__ import annotations

import itertools
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import lam_env
from lam_env.config.cli import Group, lasting
from lam_env.config.convert import short
from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.contracts import Curve
from lam_env.core.errors import UnwritableError, UserError
from lam_env.core.files.inputs import BROKEN, read_json, reason
from lam_env.core.files.manifest import is_whole
from lam_env.core.files.outputs import file_name, replace_text, tidy
from lam_env.evaluation.results import ResultRow, write

CONFIG, TABLES, LOCK = "config.json", "tables.json", ".lock"
TRAINED = "trained"  # trained/SCENARIO, where no such folder lies, is a run that comes with the kit


def run_path(run: str | os.PathLike[str]) -> Path:
    """The folder of the run that somebody names: their own, or one that comes with the kit, as far as its models go.
    UserError for one of those that there is not."""
    path = Path(run)
    if path.parent != Path(TRAINED) or path.exists():
        return path
    shipped = Path(lam_env.__file__).with_name(TRAINED)
    names = sorted(folder.name for folder in shipped.glob("*") if (folder / CONFIG).is_file())
    if path.name not in names:
        raise UserError(f"{run}: no such folder, and the kit comes with {', '.join(f'{TRAINED}/{n}' for n in names)}")
    return shipped / path.name


def choose_folder(out: str | None, scenario: str, again: bool = False) -> Path:
    """The folder of a run: `out`, or the next free runs/<scenario>-<n>. It is not made; it must be free and writable.

    `again`: it may hold a run, to be gone on with.
    """
    if out is None:
        path = next(path for path in _numbered(scenario) if not path.exists())
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


def _numbered(name: str) -> Iterator[Path]:
    name = re.sub(r"\W+", "-", name)
    return (Path("runs") / f"{name}-{n}" for n in itertools.count(1))


def claim_folder(name: str) -> Path:
    """Makes the next free runs/<name>-<n>, so that no other command gets it."""
    for path in _numbered(name):
        try:
            path.mkdir(parents=True)
            break
        except FileExistsError:
            continue
        except OSError as error:
            raise UnwritableError(f"{path}: cannot be made ({error.strerror}); give another folder, out=") from None
    return path


@contextmanager
def new_folder(out: str | None, name: str, again: bool = False) -> Iterator[Path]:
    """The folder that a command is to write, as `choose_folder` says; without `out` it is made, and where it is empty
    at the end removed."""
    path = choose_folder(out, name, again)
    path = path if out is not None else claim_folder(name)
    try:
        yield path
    finally:
        if out is None and path.is_dir() and all(p.name == LOCK for p in path.iterdir()):
            shutil.rmtree(path, ignore_errors=True)


def check_same(folder: RunFolder, settings: Group, versions: dict[str, str], what: str = "run") -> dict[str, object]:
    """The config of a run (`what`) that is to be gone on with; UserError if its settings or versions were others."""
    before, now = folder.config(), json.loads(json.dumps(lasting(settings)))
    remedy = "give another folder or leave `out` away"
    remedy += "; agents can be added, nothing else" if what == "run" else ""
    for name, value in now.items():
        if before.get(name) != value:
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
    """The folder that a job is to write into; UnwritableError where its machine does not see it."""
    if not Path(path).is_dir():
        where = f"{platform.node()} does not see the run's folder {path}"
        raise UnwritableError(f"{where}: it has been removed, or out= is no folder that all machines share")
    return Path(path)


class RunFolder:
    """One run on disk. Every file is written whole or not at all, and is valid whenever the run is stopped."""

    def __init__(self, path: Path):
        self.path = path

    @classmethod
    def create(cls, path: Path, config: dict[str, object]) -> RunFolder:
        """A new folder; the one that another run has made in the meantime stays as it is."""
        if (path / CONFIG).exists():
            raise UserError(f"out={path}: already holds a run; give another folder or leave `out` away")
        path.mkdir(parents=True, exist_ok=True)
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
            why = f"out={self.path}: cannot be written ({error.strerror}); give another folder"
            raise UnwritableError(why) from None
        try:
            yield
        finally:
            lock.release()

    def write_config(self, config: Mapping[str, object]) -> None:
        replace_text(self.path / CONFIG, json.dumps(config, indent=1, sort_keys=True) + "\n")

    @classmethod
    def open(cls, path: str) -> RunFolder:
        """An earlier run, or one that comes with the kit; one line says what is missing."""
        folder = run_path(path)
        if not (folder / CONFIG).is_file():
            raise UserError(f"{path}: not a run folder (no {CONFIG}); give the folder that a run has written")
        return cls(folder)

    def config(self) -> dict[str, object]:
        try:
            config = read_json(self.path / CONFIG)
            if not isinstance(config, dict):
                raise ValueError("not a mapping")
        except (OSError, ValueError) as error:
            raise UserError(f"{self.path / CONFIG}: cannot be read ({reason(error)}); give another run") from None
        return config

    def seconds(self) -> float:
        """Wall time of the run so far."""
        seconds = self.config().get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else 0.0

    def tidy(self) -> None:
        """Removes what an interrupted process has left half written, and predictors that were changed since they were
        saved: they are trained again."""
        folders = [
            self.path,
            self.path / "cells",
            self.log,
            self.policy.parent,
            self.own("").parent,
            self.path / "report",
        ]
        tidy([*folders, *self.path.glob("checkpoints/*")])
        for model in (m for m in sorted(self.prior.parent.glob("prior*")) if m.is_dir() and not is_whole(m)):
            print(f"{model}: changed since it was saved, or not whole: it is trained again")
            shutil.rmtree(model)

    def checkpoints(self, row: str, seed: int) -> Path:
        """Those of a training that is not finished."""
        return self.path / "checkpoints" / f"{file_name(row)}-{seed}"

    def drop_checkpoints(self, row: str, seed: int) -> None:
        """Once a training is finished, or has failed."""
        shutil.rmtree(folder := self.checkpoints(row, seed), ignore_errors=True)
        with suppress(OSError):  # others are at work
            folder.parent.rmdir()

    def write_text(self, name: str, text: str) -> None:
        replace_text(self._target(name), text)

    def write_curve(self, agent: str, seed: int, curve: Curve) -> None:
        """`curve-AGENT-SEED.csv`; a column for each number that some point has besides its reward."""
        names = list(dict.fromkeys(name for point in curve for name in point.more))
        lines = [",".join(["agent", "train_seed", "step", "reward", *names])]
        for point in curve:
            numbers = [f"{point.reward:.6g}", *(f"{point.more[n]:.6g}" if n in point.more else "" for n in names)]
            lines.append(",".join([agent, str(seed), str(point.step), *numbers]))
        self.write_text(f"curve-{file_name(agent)}-{seed}.csv", "\n".join(lines) + "\n")

    def write_results(self, rows: Iterable[ResultRow]) -> None:
        write(self._target("results.csv"), rows)

    def _target(self, name: str) -> Path:
        """Where a file stands; UnwritableError where the run's folder is no longer there, which is not made again."""
        target = self.path / name
        try:
            (self.path / CONFIG).stat()
            target.parent.mkdir(exist_ok=True)
        except OSError as error:
            gone = "it is no longer there" if isinstance(error, FileNotFoundError) else error.strerror
            raise UnwritableError(f"{self.path}: cannot be written ({gone}); give another folder") from None
        return target

    def write_json(self, name: str, data: object) -> None:
        """Data of the report: compact."""
        self.write_text(name, json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n")

    def tables(self) -> tuple[BehaviourTables, ...]:
        """Habits of the calibrated residents, if the run has some."""
        path = self.path / TABLES
        if not path.is_file():
            return ()
        try:
            if not isinstance(found := read_json(path), list) or not found:
                raise ValueError("it is no list of residents' habits")
            return tuple(map(BehaviourTables.from_json, found))
        except BROKEN as error:
            raise UserError(f"{path}: cannot be read ({reason(error)}); give another run") from None

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

    def own(self, agent: str) -> Path:
        """What an agent of one's own has learned in its first training, as its `save` has written it."""
        return self.path / "model" / "own" / file_name(agent)
