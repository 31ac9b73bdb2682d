"""Tables of decisions that other systems have logged: what is read of them, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bandits import COLUMNS, NAMES, bandit, table

from lam_env.core.events import LogError
from lam_env.evaluation.off_policy.decision_table import LEVELS, DecisionTable

PLAIN = "action:a,propensity:p,reward:r"


def read(tmp_path: Path, text: str, columns: str = PLAIN) -> DecisionTable:
    path = tmp_path / "some.csv"
    path.write_text(text)
    return DecisionTable.load(str(path), columns)


def alike(one: DecisionTable, other: DecisionTable) -> None:
    assert one.actions == other.actions
    assert list(one.context) == list(other.context)
    for name, column in one.context.items():
        np.testing.assert_array_equal(other.context[name], column)
    for name in ("action", "prob", "reward", "trajectory"):
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name))


def test_decimal_commas_are_read_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "a;p;r;x\nb;0,5;1,25;1,5 kg\nc;0,5;0;2\n", f"{PLAIN},context:x")
    assert (found.prob.tolist(), found.reward.tolist()) == ([0.5, 0.5], [1.25, 0])
    assert found.about().endswith("; decimal commas: 0,5 is read as 0.5.")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    found = DecisionTable.load(str(table(tmp_path / "t.csv", 50)), f"{COLUMNS},policy:p_better")
    x, _, logged, action, reward = bandit(50, np.random.default_rng(0))
    assert [found.actions[a] for a in found.action] == NAMES[action].tolist()
    np.testing.assert_array_equal(found.context["x"], x)
    assert set(found.context["device"]) == {"phone", "desk"}
    np.testing.assert_array_equal(found.prob, logged[np.arange(50), action])
    np.testing.assert_array_equal(found.reward, reward)
    assert set(found.policies) == {"p_better"}
    assert found.alone
    assert found.about().endswith("t.csv: 50 decisions, 3 actions.")


def test_all_kinds_of_tables_are_read_alike(tmp_path: Path) -> None:
    first = DecisionTable.load(str(table(tmp_path / "t.csv", 30)), COLUMNS)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    cells = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    numbers = [{k.upper(): v if k in ("offer", "device") else float(v) for k, v in row.items()} for row in cells]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, numbers)))
    pq.write_table(pa.Table.from_pylist(numbers), tmp_path / "t.parquet")
    (tmp_path / "t.tsv").write_text("\n".join(lines).replace(",", "\t"))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    for name in ("t.jsonl", "t.parquet", "t.tsv", "t.csv.gz"):
        alike(first, DecisionTable.load(str(tmp_path / name), COLUMNS))
    (tmp_path / "bare.csv").write_text("\n".join(lines[1:]))
    bare = DecisionTable.load(str(tmp_path / "bare.csv"), "context:1+2,action:3,propensity:4,reward:5")
    np.testing.assert_array_equal(bare.context["1"], first.context["x"])
    for i in (0, 1):
        (tmp_path / f"part{i}.csv").write_text("\n".join([lines[0], *lines[1 + 15 * i : 16 + 15 * i]]))
    alike(first, DecisionTable.load(f"{tmp_path}/part*.csv", COLUMNS))


def test_several_columns_are_named_by_plus_and_star(tmp_path: Path) -> None:
    text = "f_1,f_2,a,p,r,other,a+b\n1,2,x,.5,1,u,7\n2,2,y,.5,0,v,8\n"
    for told, names in (
        ("f_*", ["f_1", "f_2"]),
        ("f_2 + other", ["f_2", "other"]),
        ("other+f_*", ["other", "f_1", "f_2"]),
        ("a+b", ["a+b"]),  # a name that is there as it stands
        ("*", ["f_1", "f_2", "other", "a+b"]),  # what no other role has
    ):
        assert list(read(tmp_path, text, f"context:{told},{PLAIN}").context) == names
    assert read(tmp_path, text, "action:{a}/{other},propensity:p,reward:r").actions == ("x/u", "y/v")


def test_decisions_without_a_reward_or_an_action_are_left_out_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "a,p,r\nx,.5,1\n,.5,1\ny,.5,\ny,.5,0\n\n,.5,\n")
    assert found.reward.tolist() == [1, 0]
    assert found.left_out == {"decision(s) without an action": 2, "decision(s) without a reward": 1, "empty line(s)": 1}
    said = "(left out: 1 empty line; 2 decisions without an action; 1 decision without a reward)."
    assert found.about().endswith(said)


@pytest.mark.parametrize("form", ["{}", "2026-01-05T07:00:0{}", "2026-01-05T07:00:0{}+01:00"])
def test_rows_of_a_user_lie_together_in_order_of_time(tmp_path: Path, form: str) -> None:
    rows = [("ann", 2, 12), ("bob", 1, 21), ("ann", 1, 11), ("bob", 3, 23), ("bob", 2, 22), ("ann", 3, 13)]
    text = "who,t,a,p,r\n" + "".join(f"{who},{form.format(t)},x,.5,{r}\n" for who, t, r in rows)
    found = read(tmp_path, text, f"{PLAIN},user:who,time:t")
    assert found.reward.tolist() == [11, 12, 13, 21, 22, 23]
    assert found.trajectory.tolist() == [0, 0, 0, 1, 1, 1]
    in_file = read(tmp_path, text, f"{PLAIN},user:who")
    assert in_file.reward.tolist() == [12, 11, 13, 21, 23, 22]
    assert in_file.about().endswith("6 decisions in 2 trajectories, 1 action.")


def test_features_are_numbers_what_is_missing_and_frequent_texts(tmp_path: Path) -> None:
    text = "n,t,a,p,r\n1,u,x,.5,1\n3,v,y,.5,0\n,u,x,.5,1\n2,u,x,.5,1\n"
    found = read(tmp_path, text, f"context:n+t,{PLAIN}").features()
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-12)
    wanted = np.array([[-1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]], float)
    wanted = (wanted - wanted.mean(0)) / wanted.std(0)
    np.testing.assert_allclose(found[:, 1:], wanted, atol=1e-12)  # the first says nothing
    many = "t,a,p,r\n" + "".join(f"w{i // 2},x,.5,1\n" for i in range(200))
    assert read(tmp_path, many, f"context:t,{PLAIN}").features().shape == (200, 1 + LEVELS)
    assert read(tmp_path, "a,p,r\nx,.5,1\n").features().tolist() == [[0]]


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ("x,.5,1", "action:a,reward:r", "no propensity; write columns=context:age"),
        ("x,.5,1", f"{PLAIN},when:t", "no role 'when'; there are context, action"),
        ("x,.5,1", f"{PLAIN},time:a", "time without a user says nothing; name whose, or leave it away"),
        ("x,.5,1", f"context:f_*,{PLAIN}", "no column 'f_*'; there are a, p, r"),
        ("x,.5,1", "action:a,propensity:prop,reward:r", "no column 'prop'; there are a, p, r"),
        ("x,.5,1\ny,,0", PLAIN, "line 3: no propensity; a decision without a probability cannot be weighed"),
        ("x,.5,1\ny,0,0", PLAIN, "line 3: propensity 0 of what was chosen; it must be 1e-12 at least"),
        ("x,-.7,1\ny,-.1,0", PLAIN, "line 2: propensity -0.7; it must be a probability from 0 to 1, not its logarithm"),
        ("x,50,1\ny,.5,0", PLAIN, "line 2: propensity 50; it must be a probability from 0 to 1, neither percent nor 1"),
        ("x,half,1", PLAIN, "line 2: propensity 'half' is not a finite number; correct the line"),
        ("x,1,1\ny,1.0,0", PLAIN, "all propensities are 1: nothing was left to chance"),
        ("x,.5,good", PLAIN, "line 2: reward 'good' is not a finite number"),
        ("x,.5,\n,.5,1", PLAIN, "holds no decision with an action and a reward"),
        ("", PLAIN, "holds no decision with an action and a reward"),
        ("x,.5,1\ny,.5", PLAIN, "line 3: 2 cells but 3 columns; correct the line"),
        ("x,.5,1\ny,.5,1", f"{PLAIN},policy:r+a", "line 2: policy:a 'x' is not a finite number"),
        ("x,.5,1\ny,.5,3", f"{PLAIN},policy:r", "line 3: policy:r 3; it must be a probability"),
        ("x,.5,1\n,.5,1\ny,.5,1", "action:p,propensity:p,reward:r,user:a", "line 3: no user; correct the line"),
        ("x,.5,1\ny,.5,1", f"{PLAIN},user:a,time:a", "line 2: 'x' is not an ISO 8601 time"),
        ('"x\ny",.5,1\nz,2,1', PLAIN, "line 4: propensity 2; it must be a probability"),
        ("1,.5,1\n,.5,1", "action:p,propensity:p,reward:r,user:p,time:a", "line 3: no time; correct the line"),
    ],
)
def test_says_in_one_line_what_is_wrong_with_a_table(tmp_path: Path, rows: str, columns: str, said: str) -> None:
    with pytest.raises(LogError) as caught:
        read(tmp_path, f"a,p,r\n{rows}\n", columns)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_says_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "page.csv").write_text("<html></html>")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "twice.csv").write_text("a,p,r,A\n1,.5,1,2\n")
    table(tmp_path / "t.csv", 5)
    (tmp_path / "other.csv").write_text("x,offer,p,paid\n1,red,.5,1\n")
    for name, columns, said in (
        ("nowhere.csv", PLAIN, "no such file; give the path of a file"),
        ("page.csv", PLAIN, "page.csv: no table; give one of CSV, JSON lines or Parquet"),
        ("empty.csv", PLAIN, "empty.csv: the file is empty; its first line must name the columns"),
        ("twice.csv", PLAIN, "twice.csv: a column name occurs twice; rename one"),
        ("oth*.csv", PLAIN, "other.csv: no column 'a'"),
        ("oth*.csv", COLUMNS, "other.csv: no column 'device'"),
    ):
        with pytest.raises(LogError) as caught:
            DecisionTable.load(str(tmp_path / name), columns)
        assert said in str(caught.value)
    with pytest.raises(LogError, match=r"t.csv: has not the columns of other.csv; give them the same"):
        DecisionTable.load(
            f"{tmp_path}/other.csv,{tmp_path}/t.csv", "context:[!p]*,action:offer,propensity:p,reward:paid"
        )
