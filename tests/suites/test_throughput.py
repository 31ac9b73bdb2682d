"""python -m lam_env.benchmark: what it measures, what it writes, and what it refuses."""

import itertools
import math
import os
import re
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from refusal import refused

from lam_env.commands import benchmark
from lam_env.commands.benchmark import main, run
from lam_env.core.errors import UserError
from lam_env.evaluation import results
from lam_env.suites import suite as suites
from lam_env.suites import throughput as measuring
from lam_env.suites.settings import BenchmarkSettings
from lam_env.suites.throughput import YARDSTICK, BatchMeasurement, Entry, FineTuning, Measurement, Single, measure

SPEED = [name for name in suites.names() if suites.load(name).measurements]
SMALL = (
    Entry(YARDSTICK, actions="random"),
    Entry(YARDSTICK, 4, "random", scale=2),
    Entry("lam/SmartHome-v1"),
    Entry("lam/SmartHome-v1", actions="random"),
    Entry("lam/SmartHome-v1", 2),
)


@pytest.fixture
def small(monkeypatch):
    """A suite of a second in place of the published one."""
    monkeypatch.setattr(measuring, "WARM_UP", 1)
    suite = suites.Suite("throughput", measurements=SMALL)
    monkeypatch.setattr(suites, "load", lambda name: suite)
    return suite


@pytest.mark.parametrize("name", SPEED)
def test_every_suite_can_be_built_and_has_its_yardstick(name):
    suite = suites.load(name).measurements
    assert len({e.name for e in suite}) == len(suite)
    assert sum(e.env == YARDSTICK and not e.copies for e in suite) == 1
    for entry in suite:
        assert entry.env in gymnasium.registry
        assert entry.actions in ("none", "random", *measuring.LEARNERS)
        if entry.copies:
            assert gymnasium.spec(entry.env).vector_entry_point


def test_the_throughput_suite_measures_what_is_published():
    entries = suites.load("throughput").measurements
    ours = {(e.copies, e.actions) for e in entries if e.env != YARDSTICK}
    assert ours == {(0, "none"), (0, "random"), (16, "none"), (256, "none")}
    assert Entry(YARDSTICK, 1024, "random", scale=50) in entries


def test_rates_are_per_second_of_cpu_time_not_of_wall_time(monkeypatch):
    player = Single(Entry(YARDSTICK, actions="random"))
    cpu = iter([10.0, 12.0])
    monkeypatch.setattr(measuring.time, "process_time", lambda: next(cpu))
    assert player.play(200, seed=0) == (100, 100)


def test_a_follow_up_is_a_step_but_no_decision_of_the_world():
    """Counted by hand on the same environment and actions."""
    player = Single(Entry("lam/SmartHome-v1", actions="random"))
    steps, points = player.play(400, seed=3)
    env = gymnasium.make("lam/SmartHome-v1")
    actions = np.random.default_rng(3).integers(0, env.action_space.n, 400)
    env.reset(seed=3)
    follow_ups = sum(env.step(a)[0]["epoch"][4] > 0 for a in actions)
    assert 0 < follow_ups < 400
    assert points == pytest.approx(steps * (1 - follow_ups / 400))
    assert len(set(Single(Entry("lam/SmartHome-v1")).play(200, seed=3))) == 1


def test_a_batch_counts_the_steps_of_all_its_worlds(monkeypatch):
    monkeypatch.setattr(measuring, "WARM_UP", 2)
    player = BatchMeasurement(Entry("lam/SmartHome-v1", 3, "random"))
    seen = []
    step = player.env.step

    def watched(actions):
        out = step(actions)
        seen.append(int((out[0]["epoch"][:, 4] > 0).sum()))
        return out

    player.env.step = watched
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(measuring.time, "process_time", lambda: next(clock))
    steps, points = player.play(100, seed=0)
    assert len(seen) == 34  # 34 steps of 3 worlds are the fewest that make 100
    assert steps == 102 / 2
    assert points == pytest.approx((102 - sum(seen)) / 2)
    assert 0 < sum(seen) < 102
    player.env.close()


def test_fine_tuning_is_measured_with_the_environments_share_of_it(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(measuring.time, "process_time", lambda: next(ticks))  # every look at the clock takes a second
    (round_,) = measure((Entry(YARDSTICK, actions="random"), Entry("lam/SmartHome-v1", 4, "ppo_prior")), 300, 1)
    yardstick, tuning = round_
    assert yardstick.share == 1.0
    assert yardstick.steps == 300
    assert tuning.share == 128 / 257  # the looks before and after each of 128 steps, and that at the end
    assert tuning.steps == 512 / 257
    assert 0 < tuning.points <= tuning.steps
    assert tuning.ratio == tuning.steps / yardstick.steps


def test_fine_tuning_goes_on_by_whole_rollouts(monkeypatch):
    player = FineTuning(Entry("lam/SmartHome-v1", 4, "ppo_prior"))
    before = [p.detach().clone() for p in player.model.policy.parameters()]
    clock = iter([0.0, *(t for k in range(128) for t in (k, k + 0.25)), 128.0])
    monkeypatch.setattr(measuring.time, "process_time", lambda: next(clock))
    steps, _ = player.play(200, seed=0)
    assert (steps, player.share) == (512 / 128, 32 / 128)  # one rollout of 4 worlds x 128 steps
    assert player.model.num_timesteps == 512
    assert any((a != b).any() for a, b in zip(before, player.model.policy.parameters(), strict=True))
    player.env.close()


@pytest.mark.parametrize("actions", ["ppo_prior@tune=full", "recurrent_ppo"])
def test_what_tunes_a_memory_is_measured_likewise(actions):
    player = FineTuning(Entry("lam/SmartHome-v1", 2, actions))
    steps, points = player.play(100, seed=0)
    assert player.model.num_timesteps == 256
    assert 0 < points <= steps
    assert 0 < player.share < 1
    player.env.close()


def test_entries_take_turns_and_are_compared_within_their_round(monkeypatch):
    order = []

    class Player:
        share = 1.0

        env = gymnasium.make(YARDSTICK)

        def __init__(self, entry):
            self.entry = entry

        def play(self, steps, seed):
            order.append((self.entry.name, steps, seed))
            rate = 100.0 * (seed + 1) * (1 if self.entry.env == YARDSTICK else 3)
            return rate, rate / 2

    monkeypatch.setattr(measuring, "Single", Player)
    entries = (Entry("other", scale=4), Entry(YARDSTICK))
    rounds = measure(entries, 10, 2)
    names = [e.name for e in entries]
    assert order == [(names[0], 40, 0), (names[1], 10, 0), (names[0], 40, 1), (names[1], 10, 1)]
    assert [[f.ratio for f in figures] for figures in rounds] == [[3.0, 1.0], [3.0, 1.0]]
    assert [f.points for f in rounds[1]] == [300.0, 100.0]


def test_the_table_shows_medians():
    entry = Entry("other", 16)
    rounds = [[Measurement(entry, s, s / 2, r, r)] for s, r in ((3000.0, 0.5), (1000.0, 0.9), (2000.0, 0.1))]
    table = benchmark.table_of(rounds, "throughput", "the command", 1.0)
    assert table.rows == (("other batch of 16 none", "2.0", "1.0 - 3.0", "1.0", "0.50", "50%"),)
    assert "Medians of 3 rounds" in table.notes[0]
    assert "Made by `the command`." in table.notes


@pytest.mark.parametrize("name", SPEED)
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_screen_fits_80_columns(name, share, capsys):
    entries = suites.load(name).measurements
    table = benchmark.table_of([[Measurement(e, 98_765_432.1, 9e7, 123.45, share) for e in entries]], name, "", 1.0)
    benchmark.brief(table).show()
    lines = [line for line in capsys.readouterr().out.splitlines() if line[:1] in "┏┃│└"]
    assert len(lines) >= len(entries) + 3
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    assert ("environment" in lines[1]) == (share < 1)
    assert len(table.columns) == 6


def test_it_writes_every_measurement_and_the_table(small, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    run(small, BenchmarkSettings(out=str(out), steps=60, repeats=2), "python -m lam_env.benchmark")
    assert sorted(os.listdir(out)) == ["throughput.csv", "throughput.md"]
    rows = results.read(out / "throughput.csv")
    assert len(rows) == 2 * len(SMALL) * 4
    assert all(math.isfinite(r.value) and r.value > 0 for r in rows)
    assert {r.seed for r in rows} == {0, 1}
    own = [r for r in rows if (r.scenario, r.variant, r.metric) == (YARDSTICK, "single", "ratio_to_cartpole")]
    assert [r.value for r in own] == [1.0, 1.0]
    steps, points = ({r[:5]: r.value for r in rows if r.metric == f"{m}_per_cpu_s"} for m in ("steps", "epochs"))
    assert steps.keys() == points.keys()
    assert all(points[key] <= steps[key] for key in steps)
    text = (out / "throughput.md").read_text()
    assert all(f"| {e.name} |" in text for e in SMALL)
    assert "python -m lam_env.benchmark" in text
    said = capsys.readouterr().out
    assert "SmartHome" in said
    assert f"written: {out}" in said.replace("\n", "")


def test_a_measurement_that_fails_leaves_no_folder(small, tmp_path, monkeypatch):
    def broken(*args, **how):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(BatchMeasurement, "play", broken)
    with pytest.raises(RuntimeError, match="no such luck"):
        run(small, BenchmarkSettings(out=str(tmp_path / "out"), steps=20, repeats=1), "")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def never(monkeypatch):
    """Nothing may be measured."""
    monkeypatch.setattr(benchmark, "measure", lambda *a: pytest.fail("measured"))


def test_a_used_folder_is_refused_before_anything_is_measured(tmp_path, capsys, never):
    (tmp_path / "mine.txt").write_text("keep me")
    assert "is not empty; give another folder" in refused(main, capsys, "suite=throughput", f"out={tmp_path}")
    assert os.listdir(tmp_path) == ["mine.txt"]
    assert "is a file; give another folder" in refused(main, capsys, "suite=throughput", f"out={tmp_path / 'mine.txt'}")


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_written_is_refused(capsys, never):
    assert re.search("out=/proc/new: .* is not writable", refused(main, capsys, "suite=throughput", "out=/proc/new"))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("suite=troughput", "no suite 'troughput'; did you mean 'throughput'?"),
        ("suite=x", "no suite 'x'; there are default, fine_tuning, full, overfitting, prediction, quick, throughput"),
        ("steps=0", "steps: expected at least 1"),
        ("repeats=two", "repeats: expected a whole number"),
        ("seeds=3", "no setting 'seeds'"),
        ("suite=throughput run=x", "suite throughput measures speed: leave run= away"),
        ("suite=throughput agents=none", "suite throughput measures speed: leave agents= away"),
        ("suite=nowhere.yaml", "suite nowhere.yaml: cannot be read (No such file or directory)"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(argument, message, capsys, never):
    assert message in refused(main, capsys, *argument.split())


def test_help_names_every_setting_and_writes_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lam_env.benchmark", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(
        f"  {name}=" in done.stdout for name in ("suite", "out", "scenario", "agents", "agent", "steps", "repeats")
    )
    assert os.listdir(tmp_path) == []


def test_a_user_error_while_measuring_is_one_line(small, tmp_path, capsys, monkeypatch):
    def broken(*args, **how):
        raise UserError("the world is gone")

    monkeypatch.setattr(Single, "play", broken)
    assert (
        refused(main, capsys, "suite=throughput", f"out={tmp_path / 'out'}", "steps=5", "repeats=1")
        == "error: the world is gone"
    )
