"""What a stranger gets: the wheel and then the source distribution in a new environment, away from the checkout.

    python tests/release/check_dist.py      # or: make check-dist, which builds both before

Prints a line for each thing tried; exit code 1, with what was said, at the first that fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMALL = "log.worlds=2 log.days=2 predictor.passes=1 predictor.hidden=8 train.steps=256 train.trial=1 eval.seeds=1"
SMALL += " eval.worlds=1 world.days=1 workers=1 agents=plugin_kind,ppo_prior"
GYM = """
import gymnasium, lam_env
env = gymnasium.make("lam/SmartHome-v1")
env.reset(seed=0)
env.step(0)
assert "site-packages" in lam_env.__file__, lam_env.__file__
"""
SERVED = """
import lam_env
home = lam_env.load("trained/smart_home")
home.observe(time=0, sensor="motion.kitchen")
print(home.suggest().why)
"""
DAY = "2026-01-{0:02}T07:00:00,anna,eat\n2026-01-{0:02}T22:00:00,anna,bed\n"
LOG = "time,user,action\n" + "".join(map(DAY.format, range(5, 25)))


def files_of_wheel(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def files_of_source(sdist: Path) -> list[str]:
    """Without the folder that holds them all."""
    with tarfile.open(sdist) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def data_files(root: Path) -> Iterator[str]:
    """What lies in the packages besides sources, by its place in a wheel."""
    for folder, place in (("lam_env", "lam_env"), ("agents", "lam_env/agents"), ("scenarios", "lam_env/scenarios")):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                yield f"{place}/{path.relative_to(root / folder).as_posix()}"


def faults(wheel: Path, sdist: Path, root: Path = ROOT) -> list[str]:
    """What the two files lack or have too much."""
    there, source, found = files_of_wheel(wheel), files_of_source(sdist), []
    found += [f"the wheel lacks {name}" for name in data_files(root) if name not in there]
    tops = {name.partition("/")[0] for name in there}
    found += [f"the wheel also holds {top}" for top in sorted(tops) if top.partition("-")[0] != "lam_env"]
    for name in ("tests/conftest.py", "docs", "constraints.txt", "Makefile", "CITATION.cff", "SECURITY.md", "LICENSE"):
        if not any(each == name or each.startswith(name + "/") for each in source):
            found.append(f"the source distribution lacks {name}")
    with zipfile.ZipFile(wheel) as archive:
        metadata = message_from_bytes(archive.read(next(n for n in there if n.endswith(".dist-info/METADATA"))))
    page = str(metadata.get_payload())
    if len(page) < 500:
        found.append("the page of an index is empty")
    found += [f"the page of an index holds {sign}" for sign in ("](docs/", "![", "<img", "<picture") if sign in page]
    return found


def trials(python: Path, example: Path) -> list[tuple[str, list[str]]]:
    """What is tried, each with its command; `python` is that of the new environment."""
    py, lam = str(python), str(python.with_name("lam"))
    tried = [
        ("help", [lam, "--help"]),
        ("gymnasium.make", [py, "-c", GYM]),
        ("a run", [py, "-m", "lam_env.run", "scenario=smart_home", *SMALL.split()]),
        ("lam look", [lam, "look", "anna.csv"]),
        ("lam new scenario", [lam, "new", "scenario", "coffee"]),
        ("its check", [py, "-c", "from lam_env import check_scenario; check_scenario('coffee:Coffee')"]),
        ("a trained policy, watched", [lam, "watch", "agent=trained/smart_home", "moments=2"]),
        ("a trained policy, served", [py, "-c", SERVED]),
    ]
    if not (ROOT / "lam_env/trained/smart_home").is_dir():
        tried = [each for each in tried if "trained" not in each[0]]
    return [*tried, (f"examples/{example.name}", [py, str(example)])] if example.is_file() else tried


def run(words: list[str], folder: Path) -> None:
    """Ends with what the command said, if it fails."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"failed ({done.returncode}): {' '.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def main() -> int:
    (wheel,), (sdist,) = (sorted((ROOT / "dist").glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    if found := faults(wheel, sdist):
        sys.exit("\n".join(found))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "anna.csv").write_text(LOG, encoding="utf-8")
        run([sys.executable, "-m", "venv", "new"], folder)
        python = folder / "new" / ("Scripts" if os.name == "nt" else "bin") / "python"
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "-c", str(ROOT / "constraints.txt")]
        example = folder / "gymnasium_loop.py"
        if (there := ROOT / "examples" / example.name).is_file():
            example.write_bytes(there.read_bytes())
        for file, how in ((wheel, []), (sdist, ["--force-reinstall", "--no-deps"])):
            run([*install, *how, str(file)], folder)
            print(f"installed: {file.name}", flush=True)
            for what, words in trials(python, example):
                (folder / "coffee.py").unlink(missing_ok=True) if what == "lam new scenario" else None
                run(words, folder)
                print(f"  {what}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
