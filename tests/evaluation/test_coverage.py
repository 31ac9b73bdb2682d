"""How often the intervals of tables hold the truth, at the sizes of tables: 10 evaluation seeds, alone and with 3 or 5
training seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lam_env.evaluation import statistics as stats

# standard deviations of what a training seed, an evaluation seed, and the two together bring
GRIDS = {
    "all alike": (1.0, 1.0, 1.0),
    "training": (1.0, 0.0, 0.3),
    "mostly training": (1.0, 0.3, 0.5),
    "evaluation": (0.0, 1.0, 0.3),
    "mostly evaluation": (0.3, 1.0, 0.5),
}


def normal(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=size)


def heavy(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.standard_t(5, size=size)


def skewed(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Lognormal, sigma .5."""
    return rng.lognormal(sigma=0.5, size=size)


def grid(name: str, draw: Callable[..., np.ndarray], rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    a, b, c = GRIDS[name]
    return a * draw(rng, (rows, 1)) + b * draw(rng, (1, columns)) + c * draw(rng, (rows, columns))


def truth(make: Callable[[np.random.Generator], np.ndarray], statistic: stats.Statistic) -> float:
    rng = np.random.default_rng(1)
    return float(statistic(np.concatenate([make(rng).ravel() for _ in range(20_000)])))


def coverage(
    make: Callable[[np.random.Generator], np.ndarray],
    of: Callable[[np.ndarray, int], stats.Interval],
    true: float,
    repeats: int,
) -> float:
    rng = np.random.default_rng(0)
    found = [of(make(rng), i) for i in range(repeats)]
    return float(np.mean([f.low <= true <= f.high for f in found]))


@pytest.mark.parametrize("statistic", [stats.iqm, stats.mean])
def test_ten_runs_roughly(statistic: stats.Statistic) -> None:
    found = coverage(
        lambda rng: normal(rng, (10,)), lambda x, i: stats.interval(x, statistic, draws=200, seed=i), 0.0, 600
    )
    assert 0.92 < found < 0.98


def test_a_grid_roughly() -> None:
    def make(rng: np.random.Generator) -> np.ndarray:
        return grid("training", normal, rng, 5, 10)

    assert 0.92 < coverage(make, lambda x, i: stats.interval(x, draws=200, seed=i), 0.0, 400) < 0.98


@pytest.mark.slow
@pytest.mark.parametrize("draw", [normal, heavy, skewed])
@pytest.mark.parametrize("statistic", [stats.iqm, stats.mean])
def test_ten_runs(statistic: stats.Statistic, draw: Callable[..., np.ndarray]) -> None:
    """The mean of ten skewed scores is the one that no interval of this kind holds often enough; tables show the
    interquartile mean."""

    def make(rng: np.random.Generator) -> np.ndarray:
        return draw(rng, (10,))

    found = coverage(make, lambda x, i: stats.interval(x, statistic, draws=500, seed=i), truth(make, statistic), 4000)
    least = 0.91 if draw is skewed and statistic is stats.mean else 0.93
    assert least <= found <= 0.975


@pytest.mark.slow
@pytest.mark.parametrize("draw", [normal, skewed])
@pytest.mark.parametrize("rows", [3, 5])
@pytest.mark.parametrize("name", GRIDS)
def test_grids(name: str, rows: int, draw: Callable[..., np.ndarray]) -> None:
    def make(rng: np.random.Generator) -> np.ndarray:
        return grid(name, draw, rng, rows, 10)

    found = coverage(make, lambda x, i: stats.interval(x, draws=300, seed=i), truth(make, stats.iqm), 1500)
    assert 0.925 <= found <= 0.975  # 1,500 repeats: -+ .011


@pytest.mark.slow
@pytest.mark.parametrize("rows", [3, 5])
def test_where_seeds_do_not_matter_a_grid_is_on_the_safe_side(rows: int) -> None:
    """Fifty cells that are all independent: nothing in so small a grid tells so, and the interval is too wide."""

    def make(rng: np.random.Generator) -> np.ndarray:
        return normal(rng, (rows, 10))

    assert coverage(make, lambda x, i: stats.interval(x, draws=300, seed=i), 0.0, 1000) > 0.97


@pytest.mark.slow
@pytest.mark.parametrize("name", GRIDS)
def test_where_nothing_is_added_one_time_in_twenty_it_looks_so(name: str) -> None:
    """Of eight trainings and ten evaluation seeds, whose true mean is 0."""
    rng = np.random.default_rng(0)
    found = [stats.probability_above(grid(name, normal, rng, 8, 10), 200, i) >= 0.95 for i in range(1500)]
    assert 0.025 < float(np.mean(found)) < 0.075
