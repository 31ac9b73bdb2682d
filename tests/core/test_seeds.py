"""Whose worlds are whose: what is trained on, chosen on and judged on never meets; and what is no seed is refused."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.game.cohort import CohortSettings

from lam_env.commands.record import RecordSettings
from lam_env.commands.simulate import SimulateSettings
from lam_env.config.cli import override
from lam_env.core.errors import UserError
from lam_env.core.rng import Streams
from lam_env.core.seeds import Use, eval_seeds, world_seeds
from lam_env.core.tuning import TrainSettings
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv
from lam_env.experiment.inputs import check_seeds
from lam_env.experiment.settings import EvalSettings, LogSettings

ROOT = Path(__file__).resolve().parents[2]

# as published results have them: another first seed is another result
FIRST = {
    "FINE_TUNING": 0,
    "TRAINING_LOG": 100_000,
    "HIDDEN_LOG": 300_000,
    "TWIN": 500_000,
    "TRYING": 800_000,
    "HEAD_CHOICE": 900_000,
    "PLUGIN_TRIAL": 900_500,
    "VALIDATION": 1_000_000,
    "TEST": 2_000_000,
    "DECISIONS": 3_000_000,
    "COHORT": 5_000_000,
    "CALIBRATION": 20_000_000,
    "SIMULATED_LOG": 2**44,
    "UNSEEDED": 2**62,
}


def numbers(high: int) -> st.SearchStrategy[int]:
    """0 to `high`, often near one of them."""
    return st.one_of(st.integers(0, min(9, high)), st.integers(max(0, high - 9), high), st.integers(0, high))


@st.composite
def taken(draw: Any) -> tuple[Use, int, range]:
    use = draw(st.sampled_from(Use))
    seed, n = draw(numbers(use.seeds - 1)), draw(numbers(use.room - 1)) + 1
    return use, seed, world_seeds(use, n, seed)


@settings(max_examples=1000)
@given(taken(), taken())
def test_worlds_of_two_uses_or_seeds_never_meet(one: tuple[Use, int, range], other: tuple[Use, int, range]) -> None:
    (*a, first), (*b, second) = one, other
    assert 0 <= first[0] <= first[-1] < 2**64
    if a != b:
        assert first[-1] < second[0] or second[-1] < first[0]


def test_all_rooms_of_all_seeds_lie_apart() -> None:
    """Every room there is, not only drawn ones: in their order none begins before another ends."""
    begins = [use.first + use.apart * np.arange(use.seeds) for use in Use]
    first = np.concatenate(begins)
    room = np.repeat([use.room for use in Use], [use.seeds for use in Use])
    order = np.argsort(first)
    assert (first[order][1:] >= (first + room)[order][:-1]).all()


def test_first_seeds_are_what_published_results_were_made_with() -> None:
    assert {use.name: world_seeds(use, 1)[0] for use in Use} == FIRST


def test_evaluation_seeds_are_batches_of_worlds() -> None:
    assert eval_seeds([0, 2], 3) == [2_000_000, 2_000_001, 2_000_002, 2_002_000, 2_002_001, 2_002_002]
    assert eval_seeds([1], 2, "validation") == [1_001_000, 1_001_001]
    every = [*eval_seeds(range(1000), 7), *eval_seeds(range(1000), 7, "validation")]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("made", "key", "most"),
    [
        (LogSettings(), "worlds", min(Use.TRAINING_LOG.room, Use.HIDDEN_LOG.room)),
        (TrainSettings(), "envs", Use.FINE_TUNING.room),
        (TrainSettings(), "trial", Use.HEAD_CHOICE.room),
        (EvalSettings(), "seeds", min(Use.TEST.seeds, Use.VALIDATION.seeds)),
        (EvalSettings(), "worlds", min(Use.TEST.room, Use.VALIDATION.room)),
        (RecordSettings(), "worlds", Use.DECISIONS.room),
        (RecordSettings(), "seed", Use.DECISIONS.seeds - 1),
        (SimulateSettings(), "worlds", Use.SIMULATED_LOG.room),
        (SimulateSettings(), "seed", Use.SIMULATED_LOG.seeds - 1),
        (CohortSettings(), "players", Use.COHORT.room),
        (CohortSettings(), "seed", Use.COHORT.seeds - 1),
    ],
)
def test_settings_that_fit_no_room_are_refused_when_they_are_read(made: Any, key: str, most: int) -> None:
    field = {f.name: f for f in dataclasses.fields(made)}[key]
    assert field.metadata["high"] <= most
    with pytest.raises(UserError, match=key):
        override(made, {key: most + 1})


def test_training_seeds_that_have_no_room_are_refused() -> None:
    trained = [use for use in Use if use.seeds > 1 and use.seeds == Use.TRAINING_LOG.seeds]
    assert {use.name for use in trained} == {"FINE_TUNING", "TRAINING_LOG", "HIDDEN_LOG", "HEAD_CHOICE", "PLUGIN_TRIAL"}
    check_seeds((0, Use.TRAINING_LOG.seeds - 1))
    with pytest.raises(UserError, match=r"seed=500000: .* from 0 to 499,999"):
        check_seeds((Use.TRAINING_LOG.seeds,))


@pytest.mark.parametrize(
    ("use", "n", "seed", "says"),
    [
        (Use.HEAD_CHOICE, 501, 0, "501 worlds of head choice: there is room for 500; take fewer"),
        (Use.TWIN, 1, 1, "seed=1 of twin: give a whole number from 0 to 0"),
        (Use.TEST, 1, -1, "seed=-1 of test: give a whole number from 0 to 999"),
        (Use.TRAINING_LOG, 1, 500_000, "seed=500000 of training log"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(use: Use, n: int, seed: int, says: str) -> None:
    with pytest.raises(UserError, match=says) as raised:
        world_seeds(use, n, seed)
    assert "\n" not in str(raised.value)


# -- nobody else says where worlds begin -----------------------------------------------------------------------------


def _number(node: ast.AST) -> int | None:
    """What a whole number written in a source comes to, such as 10_000_000 or 1 << 44."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift | ast.Pow):
        left, right = _number(node.left), _number(node.right)
        if left is not None and right is not None and right < 64:
            return left << right if isinstance(node.op, ast.LShift) else left**right
    return None


def _seeds_typed(tree: ast.AST) -> list[int]:
    """Lines of statements that speak of seeds, or of the first of something, with a large number in them."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or any(
            isinstance(child, ast.stmt) for child in ast.walk(node) if child is not node
        ):
            continue
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        names += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
        names += [n.arg for n in ast.walk(node) if isinstance(n, ast.keyword) and n.arg]
        large = [k for k in map(_number, ast.walk(node)) if k is not None and k >= 100_000]
        if large and any("seed" in name.lower() or name.startswith("FIRST_") for name in names):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("text", ["TRAIN_SEED = 100_000", "reset(seed=T + 10**7 * s)", "FIRST_WORLD = {'a': 1 << 44}"])
def test_a_seed_typed_by_hand_is_seen(text: str) -> None:
    assert _seeds_typed(ast.parse(text)) == [1]


def test_no_other_module_says_where_worlds_begin() -> None:
    found = [
        f"{path.name}:{line}"
        for folder in ("lam_env", "agents", "scenarios")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != ROOT / "lam_env/core/seeds.py"
        for line in _seeds_typed(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found


# -- what is a seed --------------------------------------------------------------------------------------------------

NO_SEEDS: list[Any] = [-1, 2**64, 2**128, 1.0, "1", [1], np.float64(2), None]
SETTINGS: dict[str, Any] = {"scenario": "game", "days": 2}


@pytest.mark.parametrize("seed", NO_SEEDS, ids=repr)
def test_what_is_no_seed_makes_no_world(seed: Any) -> None:
    with pytest.raises(UserError, match=r"seed .*whole number from 0 to 2\*\*64 - 1") as raised:
        Streams(seed)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("seed", NO_SEEDS[:-1], ids=repr)
def test_what_is_no_seed_resets_no_environment(seed: Any) -> None:
    one, many = LamEnv(**SETTINGS), LamVectorEnv(2, **SETTINGS)
    with pytest.raises(UserError, match="seed"):
        one.reset(seed=seed)
    for wrong in (seed,) if isinstance(seed, list) else (seed, [0, seed]):
        with pytest.raises(UserError, match="seed"):
            many.reset(seed=wrong)
    with pytest.raises(UserError, match="seed"):
        many.reset(seed=[0, 1], options={"then": [seed]})
    for env in (one, many):  # as good as new
        env.reset(seed=5)


def test_the_last_world_of_a_batch_has_a_seed_too() -> None:
    env = LamVectorEnv(2, **SETTINGS)
    env.reset(seed=2**63 - 1)
    assert [world.streams.seed for world in env.worlds] == [2**64 - 2, 2**64 - 1]
    with pytest.raises(UserError, match="seed"):
        env.reset(seed=2**63)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint64])
def test_numbers_of_numpy_are_seeds(kind: Any) -> None:
    assert Streams(kind(7))(0, "x").key == Streams(7)(0, "x").key
    one, many = LamEnv(**SETTINGS), LamVectorEnv(2, **SETTINGS)
    for env, seeds in ((one, [7, kind(7)]), (many, [7, kind(7), [14, 15], np.array([14, 15], kind), range(14, 16)])):
        shown: list[Any] = [env.reset(seed=seed)[0] for seed in seeds]
        for a, b in itertools.pairwise(shown):
            assert all(np.array_equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("seed", ["-1", str(2**64), "x"])
@pytest.mark.parametrize(
    "command", ["lam_env run", "lam_env record", "lam_env simulate", "lam_env watch", "lam_env.scenarios.game.cohort"]
)
def test_commands_refuse_it_in_one_line(command: str, seed: str, tmp_path: Path) -> None:
    more = {"record": ["policy=none"], "simulate": [f"out={tmp_path / 'out'}"], "run": [f"out={tmp_path / 'out'}"]}
    given = more.get(command.split()[-1], [])
    found = subprocess.run(
        [sys.executable, "-m", *command.split(), f"seed={seed}", *given],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert found.stderr.startswith("error: seed")
    assert found.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
