"""Where jobs run: in this process, in processes of this machine, on a Ray cluster. A launcher is a module of this folder."""

from __future__ import annotations

import importlib
from typing import Any

from lam_env.core.progress import Report


def check(name: str, address: str | None) -> None:
    """UserError, if the launcher of that name cannot be used."""
    importlib.import_module(f"lam_env.launch.{name}").check(address)


def make(name: str, workers: int, progress: Report, address: str | None, gpu: bool) -> Any:
    """The launcher of that name. `gpu`: its jobs train on one."""
    return importlib.import_module(f"lam_env.launch.{name}").make(workers, progress, address, gpu)
