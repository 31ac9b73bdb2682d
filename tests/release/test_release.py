"""What is shipped: the wheel and the source distribution, lower bounds, how to cite."""

import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import check_dist
import lowest
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import lam_env

ROOT = check_dist.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILD = "from setuptools import build_meta as b; print(b.build_sdist('dist'), b.build_wheel('dist'))"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, with both files in dist/."""
    copy = tmp_path_factory.mktemp("dist") / "checkout"
    left_out = shutil.ignore_patterns(".*", "build", "dist", "runs", "shared", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=left_out)
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return copy


def built(checkout: Path) -> tuple[Path, Path]:
    (wheel,), (sdist,) = ((checkout / "dist").glob(pattern) for pattern in ("*.whl", "*.tar.gz"))
    return wheel, sdist


def test_both_files_hold_what_they_should_and_no_more(checkout: Path) -> None:
    wheel, sdist = built(checkout)
    assert check_dist.faults(wheel, sdist, checkout) == []
    assert wheel.stat().st_size < 5_000_000
    names = check_dist.files_of_wheel(wheel)
    for name in ("py.typed", "agents/files.py", "scenarios/game/__init__.py", "commands/new_scenario.txt"):
        assert f"lam_env/{name}" in names


def test_what_is_forgotten_is_told(checkout: Path) -> None:
    (checkout / "lam_env/suites/later.csv").write_text("a\n")
    try:
        assert check_dist.faults(*built(checkout), checkout) == ["the wheel lacks lam_env/suites/later.csv"]
    finally:
        (checkout / "lam_env/suites/later.csv").unlink()


# -- lower bounds ------------------------------------------------------------------------------------------------------


def test_all_that_is_needed_has_a_lower_bound_not_above_what_is_pinned() -> None:
    pins = lowest.pins(ROOT)
    for name, version in lowest.lowest(PROJECT["dependencies"]).items():
        assert Version(version) <= Version(pins[name]), name


def test_torch_is_not_admitted_where_stable_baselines_refuses_it() -> None:
    asked = [Requirement(text) for text in requires("stable_baselines3") or ()]
    (torch,) = (each.specifier for each in asked if each.name == "torch")
    assert torch.contains(lowest.lowest(PROJECT["dependencies"])["torch"])


@pytest.mark.parametrize("words", [[], ["torch=lowest"]])
def test_the_lowest_are_written_as_pip_reads_them(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert lowest.main(words) == 0
    out, err = capsys.readouterr()
    wanted = {each.name: str(each.specifier) for each in map(Requirement, out.splitlines())}
    assert wanted.keys() == {Requirement(text).name for text in PROJECT["dependencies"]} | {*lowest.TOOLS}
    assert all(version.startswith("==") for version in wanted.values())
    pinned = f"=={lowest.pins(ROOT)['torch']}"
    assert (wanted["torch"] == pinned) == (not words) == ("torch=lowest" in err)


def test_what_has_no_lower_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="'numpy<3' has no lower bound; write numpy>=VERSION"):
        lowest.lowest(["torch>=2.8", "numpy<3"])


# -- how to cite -------------------------------------------------------------------------------------------------------


def test_the_citation_has_what_its_format_asks_for_and_says_the_same_as_the_project() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    assert [author["name"] for author in cited["authors"]] == [author["name"] for author in PROJECT["authors"]]
    assert (cited["version"], cited["license"]) == (lam_env.__version__, PROJECT["license"])
    assert all(isinstance(word, str) for word in cited["keywords"])
