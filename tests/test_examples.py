"""Each example is short, takes what is public alone, and says what it promises when it is run."""

from __future__ import annotations

import ast
import importlib.util
import re
import runpy
import shutil
from pathlib import Path

import pytest
from documents import foreign_imports

FOLDER = Path(__file__).resolve().parents[1] / "examples"
EXTRAS = {"sb3_contrib": "contrib", "minari": "minari", "pettingzoo": "pettingzoo", "torchrl": "torchrl"}
NEEDS = {"pettingzoo_traffic": "pettingzoo"}  # beyond what they import
NUMBER = r"[+-]?\d[\d,.]*"
SAYS = {  # the last line that each prints
    "branching": rf"\w+ +{NUMBER}",
    "cleanrl_style": rf"reward a decision: {NUMBER} in the first \d+, {NUMBER} in the next",
    "finetune": r"\d+ acts in 400 decisions",
    "gymnasium_loop": rf"return {NUMBER}, true utility {NUMBER}, a person and day",
    "maskable_ppo": rf"return of a day after 1024 steps: {NUMBER} \(sd {NUMBER}\)",
    "minari_dataset": r"<LamEnv<lam/SmartHome-v1>>",
    "own_person": r"\d\d:\d\d kitchen\.kettle\.hot",
    "pettingzoo_home": rf"\{{'person_0': \d+, 'person_1': \d+\}} \{{'person_0': ({NUMBER}), 'person_1': \1\}}",
    "pettingzoo_traffic": rf"person_2 {NUMBER}",
    "sb3_ppo": rf"return of a day after 1024 steps: {NUMBER} \(sd {NUMBER}\)",
    "torch_policy": r".*",
    "torchrl_wrapper": rf"torch\.Size\(\[100\]\) return {NUMBER}",
    "vector_loop": rf"home 15: +\d+% of the answers accept, trust at the end {NUMBER}",
}
every_example = pytest.mark.parametrize("name", SAYS)


def test_every_example_is_one_of_these():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SAYS)


@every_example
def test_it_is_read_at_a_glance_and_takes_what_is_public(name):
    text = (FOLDER / f"{name}.py").read_text("utf-8")
    assert len(text.splitlines()) <= 25
    assert foreign_imports(text) == []
    assert ast.get_docstring(ast.parse(text))


@every_example
def test_it_runs(name, tmp_path, monkeypatch, capfd):
    imported = re.findall(r"^(?:import|from) (\w+)", (FOLDER / f"{name}.py").read_text("utf-8"), re.M)
    for module in [*imported, NEEDS.get(name)]:
        if module in EXTRAS and importlib.util.find_spec(module) is None:
            pytest.skip(f"needs the extra [{EXTRAS[module]}]")
    folder = shutil.copytree(FOLDER, tmp_path / "examples")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)  # as Python does for a script
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    runpy.run_path(f"{name}.py", run_name="__main__")
    printed = capfd.readouterr().out
    assert re.fullmatch(SAYS[name], printed.splitlines()[-1])
    if name == "torch_policy":
        assert "torch_policy:Forecast" in (folder / "runs" / "smart_home-1" / "tables.md").read_text("utf-8")
