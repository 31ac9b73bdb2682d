"""lam NAME key=value ..., or python -m lam_env NAME key=value ...: the commands, one module each in lam_env/commands/.

Without NAME, or with --help, it lists them. Sources are read for the list, not imported.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from lam_env.config.cli import cli_errors
from lam_env.config.convert import suggestion
from lam_env.config.help import listing
from lam_env.core.errors import UserError

FOLDER = Path(__file__).parent / "commands"


def commands() -> dict[str, Path]:
    """Name -> source."""
    return {path.stem: path for path in sorted(FOLDER.glob("[!_]*.py"))}


def sentence(source: Path) -> str:
    """What a command does: the sentence that follows the first line of the module's docstring."""
    about = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return " ".join(about.partition("\n\n")[2].split()).partition(". ")[0].partition(": ")[0].removesuffix(".")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code of the command; 2 if there is none of that name."""
    name, *more = (sys.argv[1:] if argv is None else argv) or ["--help"]
    known = commands()
    with cli_errors():
        if name in ("-h", "--help"):
            print("usage: lam COMMAND [key=value ...]\n\ncommands:")
            print(listing([(command, sentence(source)) for command, source in known.items()]))
            print("\nlam COMMAND --help lists the settings of one.")
            return 0
        if name not in known:
            there_are = f"there are {', '.join(known)}"
            raise UserError(f"no command {name!r}; {suggestion(name, list(known), there_are)}")
        done: int = importlib.import_module(f"lam_env.commands.{name}").main(more)
    return done


if __name__ == "__main__":
    sys.exit(main())
