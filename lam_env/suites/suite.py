"""Suites of the benchmark, which are data: one YAML file each, here or anywhere (`suite=my_suite.yaml`).

A file holds `runs`, each the settings of a run as a config file has them and its `name`, or `measurements` of speed
(`lam_env.suites.throughput.Entry`). `label` takes the place of `sim` among the variants, for runs that differ in their
world; `about` stands under every table. A run on a real log may name a file of figures by others, `reference`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lam_env.config.cli import ConfigError, is_code, override, read_yaml
from lam_env.config.convert import convert, short, suggestion
from lam_env.core.errors import UserError
from lam_env.experiment.settings import RunSettings
from lam_env.suites.throughput import Entry

FOLDER = Path(__file__).parent
OWN = (".yaml", ".yml")
KEYS = ("about", "runs", "measurements")


@dataclass(frozen=True)
class SuiteRun:
    """One entry: a run of the pipeline."""

    name: str
    settings: RunSettings
    label: str = ""
    reference: str = ""  # figures of the same protocol by others: a file in the folder that the command names

    def variant(self, of_run: str) -> str:
        """What a run's variant is called among those of the whole suite."""
        if not self.label:
            return of_run
        return self.label + of_run[3:] if of_run.startswith("sim") else f"{of_run} {self.label}"


@dataclass(frozen=True)
class Suite:
    """Runs to compare agents in, or measurements."""

    name: str
    about: str = ""
    runs: tuple[SuiteRun, ...] = ()
    measurements: tuple[Entry, ...] = ()


def names() -> list[str]:
    """Of the kit's own."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Suite:
    """The suite called `name`, or that of a file; UserError says what is wrong with it."""
    if not name.endswith(OWN) and name not in names():
        there_are = f"there are {', '.join(names())}"
        raise UserError(f"no suite {name!r}; {suggestion(name, names(), there_are)}")
    path = Path(name) if name.endswith(OWN) else FOLDER / f"{name}.yaml"
    try:
        return _suite(path.stem, read_yaml(path, f"give a YAML file, or one of {', '.join(names())}"))
    except UserError as error:
        raise UserError(f"suite {name}: {error}") from None


def _suite(name: str, data: object) -> Suite:
    if not isinstance(data, dict):
        raise ConfigError(f"expected {', '.join(KEYS)}, got {short(data)}")
    for key in data:
        if key not in KEYS:
            there_are = f"there are {', '.join(KEYS)}"
            raise ConfigError(f"no key {short(key)}; {suggestion(str(key), KEYS, there_are)}")
    lists = {key: data.get(key) or [] for key in KEYS[1:]}
    for key, entries in lists.items():
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise ConfigError(f"{key}: expected a list of entries, each with its settings, got {short(entries)}")
    for key in lists:
        if key in data and not lists[key]:
            raise ConfigError(f"{key} is empty: give at least one entry")
    if bool(lists["runs"]) == bool(lists["measurements"]):
        raise ConfigError("give either runs or measurements")
    runs = tuple(_run(i, entry) for i, entry in enumerate(lists["runs"]))
    measured = tuple(override(Entry(""), e, f"measurements[{i}]") for i, e in enumerate(lists["measurements"]))
    twice = [r.name for i, r in enumerate(runs) if r.name in {other.name for other in runs[:i]}]
    if twice:
        raise ConfigError(f"two runs are called {twice[0]}")
    return Suite(name, str(data.get("about") or "").strip(), runs, measured)


def _run(i: int, entry: Mapping[str, object]) -> SuiteRun:
    values = dict(entry)
    if "scenario" not in values and "logs" not in values:
        raise ConfigError(f"runs[{i}]: names no scenario; give one, or the real logs of a run that predicts them")
    if "scenario" not in values and "name" not in values:
        raise ConfigError(f"runs[{i}]: give a name, which its folder gets")
    name = str(values.pop("name", values.get("scenario")))
    words = {"label": name if "logs" in values else "", "reference": ""}
    label, reference = (str(convert(f"runs[{i}].{k}", str, values.pop(k, w), {})) for k, w in words.items())
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(f"runs[{i}]: {name!r} is no name for a folder: take letters, digits, - and _")
    try:
        for key, value in values.items():
            if is_code(RunSettings(), key, value):
                raise ConfigError(f"{key} names Python code, which a file may not; give agent= on the command line")
        for key in ("out", "workers", "launcher", "ray", "device", "track"):
            if key in values:
                raise ConfigError(f"{key} is the command's to say")
        return SuiteRun(name, settings_of(values), label, reference)
    except UserError as error:  # the registry's too: no such scenario
        raise ConfigError(f"{name}: {error}") from None


def settings_of(values: Mapping[str, object]) -> RunSettings:
    """A run's settings, on top of what its scenario takes unless told."""
    from lam_env.experiment.inputs import usual

    listed = "python -m lam_env.run --help lists them"
    return override(usual(override(RunSettings(), values, listed=listed)), values, listed=listed)
