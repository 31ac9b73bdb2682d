"""The command that estimates from a table of another system's decisions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bandits import BEST, COLUMNS, table
from scipy.stats import binom

from lam_env.commands import off_policy
from lam_env.core import registry
from lam_env.evaluation import results
from lam_env.evaluation.decisions import record_decisions
from lam_env.evaluation.off_policy.decision_table import DecisionTable
from lam_env.evaluation.off_policy.estimates import estimate_policy
from lam_env.evaluation.off_policy.reward_model import cross_fitted
from lam_env.experiment.logs import decisions
from lam_env.experiment.logs.decisions import Estimates, ForeignTable, OwnLog

WITH_COLUMN = f"{COLUMNS},policy:p_better"
Refused = Callable[..., str]


def judged(path: Path, policy: str, columns: str = WITH_COLUMN, window: int = 1, horizon: int = 10) -> Estimates:
    source = ForeignTable(DecisionTable.load(str(path), columns))
    return source.judge(policy, source.policy(policy), False, window, horizon)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """The one line with which the command ends."""

    def run(*argv: str) -> str:
        with pytest.raises(SystemExit) as caught:
            off_policy.main([*argv, f"out={tmp_path / 'out'}"])
        assert caught.value.code == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert not (tmp_path / "out").exists()
        return lines[0]

    return run


def test_rows_that_cannot_be_read_are_refused_or_left_out(
    tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path / "t.csv", n=200)
    lines = path.read_text(encoding="utf-8").splitlines()
    much, p = lines[1].split(","), lines[0].split(",").index("p")
    much[p] = "much"
    path.write_bytes("\n".join([*lines, ",".join(much), "1,phone"]).replace("phone", "Gerät").encode("cp1252"))
    told = [f"table={path}", f"columns={COLUMNS}", "encoding=cp1252"]
    assert "line 203: 2 cells but 6 columns; correct the line, or say wrong_rows=skip" in refused(*told)
    assert off_policy.main([*told, "wrong_rows=skip"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "t.csv: 200 decisions, 3 actions (left out: 1 row with a cell too many or too few, the first in line 203"
        in said
    )
    assert "1 row that cannot be read, the first in t.csv, line 202: propensity 'much' is not a finite number" in said
    path.write_bytes(path.read_bytes().rpartition(b"\n")[0])
    assert "line 202: propensity 'much' is not a finite number; correct the line, or say wrong_rows" in refused(*told)


def test_estimates_are_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path / "t.csv")
    assert off_policy.main([f"table={path}", f"columns={WITH_COLUMN}", f"out={tmp_path / 'out'}"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "t.csv: 2,000 decisions, 3 actions." in said
    assert "p_better: only the chosen action's probability is known" in said
    assert "WARNING" not in said
    assert "PDIS" not in said  # nobody's decisions hang together
    rows = {(r.agent, r.metric): r.value for r in results.read(tmp_path / "out" / "off_policy.csv")}
    assert {agent for agent, _ in rows} == {"p_better", "random"}
    assert rows["p_better", "off_policy.dr"] == pytest.approx(BEST, abs=0.05)
    assert rows["random", "off_policy.dr"] == pytest.approx((0.5 + 0.5 + 0.4) / 3, abs=0.05)
    text = (tmp_path / "out" / "off_policy.md").read_text()
    assert "95 % intervals over decisions" in text
    assert "`python -m lam_env off_policy table=" in text


def test_intervals_hold_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    """Of a policy whose choices are known, and of the same as a column: 60 tables of 400 decisions each."""
    truth = {"p_better": BEST, "always:blue": 0.4}
    held = dict.fromkeys([(p, e) for p in truth for e in ("ips", "snips", "dr")], 0)
    for seed in range(60):
        path = table(tmp_path / "t.csv", 400, seed)
        for policy, true in truth.items():
            one = judged(path, policy).one
            for name in ("ips", "snips", "dr"):
                interval = getattr(one, name)
                held[policy, name] += interval.low <= true <= interval.high
    least = binom.ppf(0.001, 60, 0.95)
    assert all(count >= least for count in held.values()), held


def test_a_column_and_the_policy_itself_weigh_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its model knows less, so its interval is wider."""
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Better:\n    def predict(self, context):\n"
        "        return np.where(context['x'] > .5, 'red', 'green')\n"
        "class Golden:\n    def predict(self, context):\n"
        "        return np.where(context['x'] > .25, 'red', 'gold')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    path, out = table(tmp_path / "t.csv"), tmp_path / "out"
    policies = "policy=p_better,mine:Better,mine:Golden"
    assert off_policy.main([f"table={path}", f"columns={WITH_COLUMN}", policies, f"out={out}"]) == 0
    rows = {(r.agent, r.metric): r.value for r in results.read(out / "off_policy.csv")}
    for metric in ("ips", "snips", "effective", "mean_weight"):
        assert rows["p_better", f"off_policy.{metric}"] == rows["mine:Better", f"off_policy.{metric}"]
    assert rows["p_better", "off_policy.dr"] == pytest.approx(rows["mine:Better", "off_policy.dr"], abs=0.02)
    said = " ".join(capsys.readouterr().out.split())
    x = DecisionTable.load(str(path), COLUMNS).context["x"]
    share = f"{100 * (x <= 0.25).mean():.3g} %"
    assert f"WARNING: mine:Golden: {share} of its choices are actions that were never logged." in said
    assert "WARNING: mine:Golden: the mean weight is 0." in said
    assert "WARNING: mine:Better" not in said


def test_where_a_user_is_named_sequences_are_judged_and_windows_count(tmp_path: Path) -> None:
    path, columns = table(tmp_path / "t.csv", 900, users=300), f"{WITH_COLUMN},user:who,time:step"
    source = ForeignTable(DecisionTable.load(str(path), columns))
    mean, whole = source.fact(window=1, horizon=3)
    assert whole is not None
    assert (whole.trajectories, whole.horizon) == (300, 3)
    assert whole.value.value == pytest.approx(3 * mean.value)
    found = judged(path, "p_better", columns, window=2, horizon=3)
    assert found.sequence is not None
    assert found.sequence.value.low < 3 * BEST < found.sequence.value.high
    # of two decisions, the first is the policy's own and the second the logged one's; a third of all have no second
    logged = source.table.reward.mean()
    assert found.one.dr.low < BEST + 2 / 3 * logged < found.one.dr.high


def test_a_policy_with_the_logged_propensities_has_what_was_earned(tmp_path: Path) -> None:
    path, columns = table(tmp_path / "t.csv", 200), f"{COLUMNS},policy:p"
    one = judged(path, "p", columns).one
    earned = DecisionTable.load(str(path), columns).reward.mean()
    assert one.ips.value == one.snips.value == pytest.approx(earned)
    assert one.gain.value == pytest.approx(0, abs=1e-12)
    assert one.doubts() == []


@pytest.mark.parametrize("policy", ["random", "none"])
def test_the_kits_own_decisions_are_worth_the_same_as_a_table(tmp_path: Path, policy: str) -> None:
    """Weights, and all that rests on them alone: with more than two actions the two models of the reward differ."""
    scenario = registry.scenario("game")()
    logged_by = registry.agent("random")().fit(dataclasses.make_dataclass("Nothing", [("seed", int, 0)])())
    found = record_decisions(logged_by, scenario, [11, 12, 13], seed=5)
    own = OwnLog("log", found)
    wanted = own.judge(policy, own.policy(policy), False, 3, 4)
    log, rows, mask = found.log, found.rows, found.observation["action_mask"]
    actions = mask.shape[1]
    p = (
        np.where(mask > 0, 1 / mask.sum(1, keepdims=True), 0)
        if policy == "random"
        else np.eye(actions)[[0] * len(mask)]
    )
    columns = {"world": found.trajectory, "action": log.token[rows], "p": log.prob[rows].astype(float)}
    columns |= {"reward": log.value[rows].astype(float), "other": p[np.arange(len(rows)), log.token[rows]]}
    lines = (",".join(map(str, cells)) for cells in zip(*columns.values(), strict=True))
    (tmp_path / "t.csv").write_text("\n".join([",".join(columns), *lines]))
    told = "user:world,action:action,propensity:p,reward:reward,policy:other"
    again = judged(tmp_path / "t.csv", "other", told, 3, 4)
    for name in ("ips", "snips", "effective", "weight", "n"):
        assert getattr(again.one, name) == pytest.approx(getattr(wanted.one, name), rel=1e-9, nan_ok=True), name
    assert again.sequence is not None
    assert wanted.sequence is not None
    assert again.sequence.value == pytest.approx(wanted.sequence.value, rel=1e-9)
    assert again.sequence.effective == pytest.approx(wanted.sequence.effective)


def test_with_two_actions_all_estimates_are_those_of_an_environments_decisions(tmp_path: Path) -> None:
    rng, n = np.random.default_rng(7), 300
    context, action, reward = rng.normal(size=(n, 2)), rng.integers(0, 2, n), rng.normal(size=n)
    prob, each = np.where(action > 0, 0.3, 0.7), np.arange(n)
    shapes = {"clock": 4, "feedback": 4, "ages": 16, "epoch": 5, "since": 2, "action_mask": 2}
    observation = {name: np.zeros((n, width)) for name, width in shapes.items()} | {"context": context}
    model = cross_fitted(observation, action, reward, each)
    wanted = estimate_policy(np.tile([0.0, 1.0], (n, 1)), action, prob, reward, model, each)
    rows = zip(*context.T.tolist(), np.array(["still", "go"])[action], prob, reward, strict=True)
    (tmp_path / "t.csv").write_text("c1,c2,a,p,r\n" + "\n".join(",".join(map(str, row)) for row in rows))
    found = judged(tmp_path / "t.csv", "always:go", "context:c*,action:a,propensity:p,reward:r").one
    for name in ("ips", "snips", "dr", "gain", "weight", "effective"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-9), name


def test_bad_input_is_one_line(tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "t.csv", 50)
    here, told = f"table={path}", f"columns={WITH_COLUMN}"
    assert f"{here}: columns= is missing: what is in which column of the table, columns=context:age" in refused(here)
    assert "log=runs/x: is read without table=" in refused(here, told, "log=runs/x")
    assert "log=runs/x: is read without columns=" in refused(told, "log=runs/x")
    assert "or table=FILE" in refused(told)
    assert "policy=: give one or several" in refused(here, told, "policy=")
    assert "did you mean 'p_better'" in refused(here, told, "policy=p_beter")
    assert "window=2: decisions stand alone; name whose they are" in refused(here, told, "window=2")
    assert "t.csv: no column 'age'" in refused(here, "columns=context:age,action:offer,propensity:p,reward:paid")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "theirs.py").write_text(
        "class Broken:\n    def predict(self, context):\n        return context['height']\n"
        "class Nothing:\n    pass\n"
        "class Leaves:\n    def predict(self, context):\n        __import__('os')._exit(0)\n"
    )
    assert "policy theirs:Broken: KeyError: 'height'" in refused(here, told, "policy=theirs:Broken")
    assert "policy theirs:Nothing: it has neither predict nor" in refused(here, told, "policy=theirs:Nothing")
    assert "policy theirs:Leaves: its process ended itself" in refused(here, told, "policy=theirs:Leaves")
    monkeypatch.setattr(decisions, "MOST", 100)
    assert "3 actions in 50 decisions are too many to ask for" in refused(here, told, "policy=random")
