"""Everything that may be wrong with what a run is given: one line, and nothing is written."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from lam_env.commands.run import main
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.experiment.agent_check import try_agent
from lam_env.experiment.inputs import real_log
from lam_env.experiment.settings import RunSettings

TINY = ["predictor.passes=1", "predictor.hidden=16", "train.steps=256", "workers=1"]
TINY += ["eval.seeds=2", "eval.worlds=1", "world.days=1", "train.trial=2"]
Fails = Callable[..., str]


# -- bad settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("train.step=3", "did you mean 'train.steps'"),
        ("seeds=3", "no setting 'seeds'"),
        ("train.steps=many", "train.steps"),
        ("train.steps=0", "train.steps"),
        ("log.worlds=1", "log.worlds"),
        ("device=tpu", "device"),
        ("seed=", "seed=: give one or several"),
        ("seed=1,1", "different"),
        ("seed=-1", "from 0"),
        ("scenario=smart_hom", "did you mean 'smart_home'"),
        ("agents=pror", "no agent 'pror'; did you mean 'prior'?"),
        ("agents=xyz", "there are none, random"),
        ("agents=refug", "did you mean 'refuge'?"),
        ("agent=no_such_module:Mine", "error: agent: no_such_module cannot be imported"),
        ("agent=no_such_module:Mine", "is there a file of that name in this folder?"),
        ("world.heat_delay=3", "world.heat_delay: expected 2 numbers"),
        ("world.trust.start=2", "world.trust.start: expected at least 0 and at most 1"),
        ("config=nowhere.yaml", "No such file or directory); give a YAML file"),
        ("agent=mine.py:Mine", "agent 'mine.py:Mine': write mine:Mine, the module without .py"),
        ("seed=1", "seed is given twice: write seed=0,1"),
        ("log.days=99999999999999999999", "log.days: '99999999999999999999' is too large a number"),
        ("eval.seeds=99999999999999999999", "eval.seeds: expected at least 1 and at most"),
        ("train.learning_rate=1e999", "train.learning_rate: expected at least"),
        ("train.entropy=1e999", "train.entropy: '1e999' is too large a number"),
        ("agent=prior", "agents=prior picks one of the kit's"),
        (
            "agent=./mine:Mine",
            "agent=./mine:Mine: write module:Class for one of your own, the module as it is imported",
        ),
        ("agents=./mine:Mine", "write module:Class for one of your own"),
        ("world.residents=9", "world.residents"),
        ("world.resident=1", "world.residents"),
        ("predictor.core=rnn", "predictor.core"),
        ("format=csv", "logs=PATH"),
        ("logs=x.csv", "say its format, format=activitywatch|answers|casas_text|casas_xes|clicks|csv|"),
        ("model=nowhere", "not a run folder"),
    ],
)
def test_a_bad_setting_is_one_line(fails: Fails, argument: str, said: str) -> None:
    assert said in fails(*(["seed=0"] if "twice" in said else []), argument)


@pytest.mark.parametrize("name", ["out", "logs", "model", "scenario", "ray.address"])
def test_an_empty_name_or_path_is_not_the_current_folder(fails: Fails, name: str) -> None:
    assert f"{name}: a name or path is empty; give one, or leave {name}= away" in fails(f"{name}=", out=None)


@pytest.mark.parametrize("name", ["smart_home", "traffic"])
def test_every_setting_of_a_scenario_has_a_sentence_of_its_own_in_its_help(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        main([f"scenario={name}", "--help"])
    said = capsys.readouterr().out
    assert "world.KEY" not in said
    rows = [line for line in said.splitlines() if line.startswith("  world.")]
    assert len(rows) > 15
    for row in rows:
        setting, _, sentence = row.strip().partition(" ")
        assert len(sentence.split()) > 1 or setting.startswith("world.nests"), row
        assert sentence.split()[:1] not in (["and"], ["of"], ["for"], ["against,"], ["its"], ["added"]), row


def test_settings_of_the_predictor_that_do_not_fit_together_are_found_before_anything_is_written(fails: Fails) -> None:
    assert "multiple of heads" in fails("predictor.core=transformer", "predictor.hidden=15")


def test_settings_that_contradict_each_other(fails: Fails, tmp_path: Path) -> None:
    assert "no such file" in fails("logs=none.csv", "format=csv")
    (tmp_path / "x.csv").write_text("time,user,action\n")
    assert "did you mean 'csv'" in fails("logs=x.csv", "format=cvs")


def test_a_list_that_is_given_twice_is_refused_wherever_it_stands(fails: Fails) -> None:
    said = fails("eval.world=households=alike", "eval.world=trust.start=0.5")
    assert "eval.world is given twice: write eval.world=households=alike,trust.start=0.5" in said


def test_an_agent_that_cannot_be_tuned_so_is_refused_before_anything_is_simulated(fails: Fails) -> None:
    assert "agent ppo_prior: train.start=silent is for plain heads" in fails("agents=ppo_prior", "train.start=silent")


def test_an_output_folder_in_use_is_refused(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "config.json").write_text("{}")
    assert "out=used: already holds a run" in fails("agents=prior", out="used")
    assert "is not empty" in fails("agents=prior", out=".")
    assert "is a file" in fails("agents=prior", out="used/config.json")
    assert "is a file" in fails("agents=prior", out="used/config.json/run")
    assert [p.name for p in (tmp_path / "used").iterdir()] == ["config.json"]


# -- bad logs ----------------------------------------------------------------------------------------------------------


def lines_of(days: int, *actions: str) -> list[str]:
    rows = ["time,user,action"]
    for day in range(1, days + 1):
        rows += [f"2024-01-{day:02}T{8 + i:02}:00:00+01:00,ann,{a}" for i, a in enumerate(actions)]
    return rows


GOOD = lines_of(9, "rise", "eat", "sleep")
BAD_LOGS = {
    "is empty": b"",
    "only one action": "\n".join(lines_of(9, "eat", "eat")).encode(),
    "a header and no rows; it needs lines": GOOD[0].encode(),
    "not UTF-8": "\n".join(GOOD).encode() + b"\n\xff\xfe",
    "is before that of the line above": "\n".join([GOOD[0], *GOOD[:0:-1]]).encode(),
    "3 days are too few": "\n".join(lines_of(3, "rise", "eat")).encode(),
    "2 cells but 3 columns": "\n".join([*GOOD, "2024-01-31T08:00:00+01:00,ann"]).encode(),
    "cut short": gzip.compress("\n".join(GOOD).encode())[:-9],
    "no column": b"when,who,what\n1,2,3\n",
    "has no offset": "\n".join(GOOD).replace("+01:00", "").encode(),
}


@pytest.mark.parametrize(("said", "content"), BAD_LOGS.items(), ids=BAD_LOGS)
def test_a_bad_log_is_one_line(fails: Fails, tmp_path: Path, said: str, content: bytes) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    line = fails("logs=log.csv", "format=csv", *TINY)
    assert said in line
    assert "log.csv" in line


def activities(days: int, people: tuple[str, ...]) -> str:
    rows = ["time,user,action,duration"]
    for day in range(1, days + 1):
        for hour, action in ((0, "sleep"), (8, "eat"), (12, "work"), (19, "eat"), (22, "sleep")):
            rows += [f"2024-01-{day:02}T{hour:02}:00:00+01:00,{who},{action},3000" for who in people]
    return "\n".join(rows)


def test_activities_of_several_people_are_predicted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.csv").write_text(activities(20, ("ann", "bob")))
    path = str(tmp_path / "log.csv")
    for split, said in (
        ("per_user", "split=per_user: each user is a stream; the last days of each test; else split=days, split=users"),
        ("days", "activities of 2 people in one stream: so they are predicted and nobody acts; split=per_user makes"),
    ):
        found = real_log(RunSettings(logs=path, format="csv", split=split), registry.scenario("smart_home")())
        assert found is not None
        assert (len(found.tables), found.acts) == (2 * (split == "per_user"), False)
        assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("days", "people", "said"),
    [
        (
            20,
            tuple("abcde"),
            "no simulated likeness of 5 people, so they are predicted and nobody acts: world.residents",
        ),
        (
            7,
            ("ann", "bob"),
            "no simulated likeness of 2 people, so they are predicted and nobody acts: of ann, calibrate",
        ),
    ],
)
def test_people_who_cannot_be_housed_are_predicted(
    days: int, people: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log.csv").write_text(activities(days, people))
    found = real_log(RunSettings(logs=str(tmp_path / "log.csv"), format="csv"), registry.scenario("smart_home")())
    assert found is not None
    assert found.tables == ()
    assert said in " ".join(capsys.readouterr().out.split())


def test_a_log_that_no_twin_can_be_made_of(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(activities(7, ("ann",)))
    assert "a twin needs about ten days" in fails("logs=log.csv", "format=csv", *TINY)


# -- bad agents --------------------------------------------------------------------------------------------------------

HEAD = "import numpy as np\nclass Mine:\n"
HEAD += "    def predict(self, observation, state=None, episode_start=None, deterministic=True):\n"
BAD_AGENTS = {
    "cannot be imported: ModuleNotFoundError": "import no_such_module",
    "cannot be imported: SyntaxError": "class Mine(:",
    "cannot be imported: SystemExit": "raise SystemExit('bye')",
    "has no Mine": "x = 1",
    "is a function that asks for observation: give a class": "def Mine(observation):\n    return 0",
    "give a class or object with predict or fit": "Mine = 3",
    "it is made without arguments: missing a required argument: 'x'; give its __init__ defaults": HEAD
    + "        return 0\n    def __init__(self, x): ...",
    "Mine has neither fit nor predict": "class Mine:\n    pass",
    "must return an object with predict, not NoneType": "class Mine:\n    def fit(self, training):\n        pass",
    "predict must return (actions, state), not ndarray": HEAD + "        return np.zeros(3, int)",
    "actions of shape (4,); it must be (3,)": HEAD + "        return np.zeros(4, int), None",
    "actions of type float64": HEAD + "        return np.zeros(3), None",
    "returned action -1, outside the space: 0 to": HEAD + "        return np.full(3, -1), None",
    "returned action 999, outside the space: 0 to": HEAD + "        return np.full(3, 999), None",
    "KeyboardInterrupt: (bad_": HEAD + "        raise KeyboardInterrupt",  # its own doing, and nobody's Ctrl-C
    "KeyboardInterrupt: no signal (bad_": "raise KeyboardInterrupt('no signal')",
    "GeneratorExit: (bad_": "class Mine:\n    def fit(self, training):\n        raise GeneratorExit",
    "KeyError: 'nothing' (": HEAD + "        return observation['nothing'], None",
    "its predict cannot be called as predict(self, observation": "class Mine:\n    def predict(self):\n        pass",
    "ZeroDivisionError: division by zero (bad_": "class Mine:\n    def fit(self, training):\n        return 1 / 0",
}


OF_ITS_PROCESS = [said for said in BAD_AGENTS if "Exit" in said or "KeyboardInterrupt" in said or "-1" in said]


def bad_agent(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"bad_{list(BAD_AGENTS).index(said)}"
    (tmp_path / f"{name}.py").write_text(BAD_AGENTS[said])
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize("said", OF_ITS_PROCESS)
def test_a_bad_agent_is_found_before_anything_is_written(
    fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    name = bad_agent(said, tmp_path, monkeypatch)
    line = fails(f"agent={name}:Mine", *TINY)
    assert said in line
    assert name in line.partition(said)[0]


@pytest.mark.parametrize("said", [said for said in BAD_AGENTS if said not in OF_ITS_PROCESS])
def test_what_is_wrong_with_a_bad_agent_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    name = bad_agent(said, tmp_path, monkeypatch)
    with pytest.raises(UserError) as caught:
        try_agent(registry.scenario("smart_home")(days=1), f"{name}:Mine")
    assert said in (line := str(caught.value))
    assert name in line.partition(said)[0]
    assert "\n" not in line


def test_no_real_log_is_read_into_a_scenario_of_persons(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("\n".join(GOOD))
    assert "no real log is read into traffic" in fails("scenario=traffic", "logs=log.csv", "format=csv")


def test_a_shape_that_fits_one_batch_by_chance_is_found(
    fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "by_chance.py").write_text(HEAD + "        return np.zeros(3, int), None")
    monkeypatch.syspath_prepend(tmp_path)
    assert "actions of shape (3,); it must be (1,)" in fails("agent=by_chance:Mine", *TINY)


def test_a_term_that_no_world_books_is_found_before_anything_is_written(
    fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dear_home.py").write_text(
        "from lam_env.scenarios.smart_home import SmartHome\n\n\n"
        "class Dear(SmartHome):\n    reward_weights = SmartHome.reward_weights | {'overide': -5.0}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    said = fails("scenario=dear_home:Dear", *TINY)
    assert "reward_weights holds 'overide', which its world does not book; did you mean 'override'?" in said
