"""The lowest versions that pyproject.toml admits of what lam_env itself needs, and pinned ones of what tests it, as pip
reads them: `make test-lowest`.

    python tests/release/lowest.py > lowest.txt                # torch as in constraints.txt
    python tests/release/lowest.py torch=lowest > lowest.txt

For Linux an old torch comes with CUDA alone, which is gigabytes; so it is taken from constraints.txt unless asked for.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("pytest", "hypothesis", "setuptools")  # with which it is tested


def lowest(requirements: Iterable[str]) -> dict[str, str]:
    """Name -> the version of its `>=`; ValueError for one that has none."""
    found = {}
    for text in requirements:
        wanted = Requirement(text)
        bounds = [each.version for each in wanted.specifier if each.operator == ">="]
        if len(bounds) != 1:
            raise ValueError(f"pyproject.toml: {text!r} has no lower bound; write {wanted.name}>=VERSION")
        found[wanted.name] = bounds[0]
    return found


def pins(root: Path) -> dict[str, str]:
    """Name in small letters -> its version in constraints.txt."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, _, version in pairs}


def main(argv: Sequence[str], root: Path = ROOT) -> int:
    with (root / "pyproject.toml").open("rb") as file:
        versions = lowest(tomllib.load(file)["project"]["dependencies"])
    if "torch=lowest" not in argv:
        versions["torch"] = pins(root)["torch"]
        print(f"torch {versions['torch']} is that of constraints.txt; torch=lowest takes its lowest", file=sys.stderr)
    versions |= {name: pins(root)[name] for name in TOOLS}
    print("\n".join(f"{name}=={version}" for name, version in versions.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
