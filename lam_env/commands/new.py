"""lam new scenario NAME

Writes a scenario that runs, to be changed into one of your own.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

import lam_env
from lam_env.config.cli import cli_errors
from lam_env.core.errors import UserError
from lam_env.core.files.outputs import replace_text

TEMPLATE = Path(__file__).with_name("new_scenario.txt")
USAGE = "lam new scenario NAME"


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        if set(argv) & {"-h", "--help"}:
            print(f"usage: {USAGE}\n\nWrites NAME.py, a scenario that runs: a person who makes tea, and a kettle.")
            return 0
        if len(argv) != 2 or argv[0] != "scenario":
            raise UserError(f"new {' '.join(argv)}: say {USAGE}, such as lam new scenario coffee")
        name, title = argv[1], class_of(argv[1])
        path, text = Path(f"{name}.py"), scenario_text(name)
        if path.exists():
            raise UserError(f"{path}: is there already; give another name, or move it away")
        replace_text(path, text)
        print(f"written: {path}\nsee whether it keeps the contract, then run it:")
        print(f"  python -c \"from lam_env import check_scenario; check_scenario('{name}:{title}')\"")
        print(f"  python -m lam_env.run scenario={name}:{title}")
    return 0


def class_of(name: str) -> str:
    """The class of the scenario of that name; UserError if no module can be called so."""
    title = "".join(part.capitalize() for part in name.split("_"))
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or keyword.iskeyword(title):
        raise UserError(f"name {name!r}: give small letters, digits and _, a letter first, such as coffee_shop")
    taken = not Path(f"{name}.py").exists() and importlib.util.find_spec(name) is not None
    if taken or title in lam_env.__all__:
        raise UserError(f"name {name!r}: a module or a class of the kit is called so; give another")
    return title


def scenario_text(name: str) -> str:
    """The source of the scenario that docs/how_to/own_world.md shows, under another name."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(name=name, title=class_of(name))
