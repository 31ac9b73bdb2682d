"""Python in documents compiles; what they import and name is public and there."""

from __future__ import annotations

import pkgutil
import re

import pytest
from documents import TEXTS, blocks, every_document, foreign_imports, prose

import lam_env


@every_document
def test_python_in_documents_compiles(name: str) -> None:
    for block in blocks(TEXTS[name]):
        if block.language == "python":
            compile(block.text, name, "exec")


@every_document
def test_documents_import_public_names(name: str) -> None:
    assert foreign_imports("\n".join(b.text for b in blocks(TEXTS[name]) if b.language == "python")) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("from lam_env import Scenario, setting", []),
        ("import lam_env", []),
        ("from lam_env.scenarios.game import Game", []),
        ("from lam_env import registry", ["lam_env.registry"]),
        ("from lam_env.sim.world import World", ["lam_env.sim.world"]),
        ("def f():\n    import lam_env.core.rng", ["lam_env.core.rng"]),
    ],
)
def test_the_rule_for_imports_itself(text: str, wrong: list[str]) -> None:
    assert foreign_imports(text) == wrong


@pytest.mark.parametrize("name", lam_env.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(lam_env, name) is not None


@every_document
def test_modules_that_documents_name_exist(name: str) -> None:
    """`lam_env.x.y` in prose, the module or what it holds."""
    for dotted in set(re.findall(r"`(?:python -m )?(lam_env(?:\.\w+)+)", prose(TEXTS[name]))):
        assert pkgutil.resolve_name(dotted) is not None
