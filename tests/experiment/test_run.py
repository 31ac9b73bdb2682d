"""The whole pipeline, on next to nothing."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lam_env.commands.run import main
from lam_env.config.cli import parse
from lam_env.core.events import SENSOR, USER, ActionLog
from lam_env.evaluation.results import read
from lam_env.experiment.inputs import earlier_run, usual
from lam_env.experiment.policies import scenario_made
from lam_env.experiment.settings import RunSettings

TINY = ["predictor.passes=1", "predictor.hidden=16", "train.steps=256", "workers=1"]
TINY += ["eval.seeds=2", "eval.worlds=1", "world.days=1", "train.trial=2"]
LOG = ["log.worlds=3", "log.days=2"]
Fails = Callable[..., str]


# -- one real run, and what is made from it ----------------------------------------------------------------------------

AGENTS = '''
import os
import sys


class Plain:
    """Gives predict only."""

    needs = ()

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return observation["action_mask"].argmax(1), state


class Bold(Plain):
    """Needs no prior, so once it has been tried it does not wait for torch."""

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        assert observation["epoch"][0, 0] < 40_000 or "torch" not in sys.modules
        return super().predict(observation, state)


class Learner:
    def fit(self, training):
        assert training.prior is not None and len(training.train) and training.make_env(1).num_envs == 1
        training.progress("learn", 1, 1, "")
        return Plain()


class Late(Plain):
    """Fails in the middle of a run."""

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        if observation["epoch"][0, 0] > 40_000:
            raise RuntimeError("too\\nlate")
        return super().predict(observation, state)


class Leaves(Plain):
    """Ends its process in the middle of a run, and would have it look well."""

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        if observation["epoch"][0, 0] > 40_000:
            os._exit(0)
        return super().predict(observation, state)
'''
AGENTS_OF_THE_KIT = "agents=random,ppo_prior,timer,ladder_activity,informed"
OWN = "agent=own_agents:Bold,own_agents:Learner,own_agents:Late,own_agents:Leaves"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A run with all sorts of agents; its folder, and what it has said on both channels."""
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("run")
    (folder / "own_agents.py").write_text(AGENTS)
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.syspath_prepend(folder)
        assert main([*TINY, *LOG, "seed=3,4", AGENTS_OF_THE_KIT, OWN, f"out={folder / 'a'}"]) == 1
    return folder / "a", out.getvalue(), err.getvalue()


def test_a_run_leaves_results_tables_models_and_its_settings(done: tuple[Path, str, str]) -> None:
    path, said, _ = done
    rows = read(path / "results.csv")
    kit, own = ["none", "random", "ppo_prior", "timer", "ladder_activity"], ["own_agents:Bold", "own_agents:Learner"]
    assert list(dict.fromkeys(r.agent for r in rows if r.variant == "sim")) == [*kit, *own, "informed", "oracle"]
    seeds = {a: {r.train_seed for r in rows if r.agent == a} for a in {r.agent for r in rows}}
    for agent, trained in seeds.items():
        assert trained == ({0} if agent in ("none", "random", "timer", "oracle") else {3, 4}), agent
    assert {r.seed for r in rows} == {0, 1}
    assert {r.agent for r in rows if r.variant == "sim-later"} == {"ppo_prior"}
    assert {r.agent for r in rows if r.metric == "pred.top1"} == {"ppo_prior", "ladder_activity", "informed"}
    config = json.loads((path / "config.json").read_text())
    assert config["finished"] is True
    assert config["seconds"] > 0
    assert config["device"] in ("cpu", "cuda")
    assert config["command"].startswith("python -m lam_env.run predictor.passes=1")
    assert {"torch", "numpy", "lam-env"} <= set(config["versions"])
    text = (path / "tables.md").read_text()
    assert "auto" not in text
    assert "| own_agents:Bold |" in text
    assert {p.name for p in (path / "model").iterdir()} == {
        "prior",
        "prior-seed4",
        "informed",
        "informed-seed4",
        "policy",
    }
    assert not list(path.rglob("*.part"))
    assert json.loads((path / "report/replay-0.json").read_text())["agent"] == "ppo_prior"
    assert "own_agents:Late" in (path / "report.html").read_text()
    assert "my_module" not in said  # it has agents of its own
    assert f"device {config['device']}" in said


def test_an_agent_that_fails_in_mid_run_is_named_and_left_out(done: tuple[Path, str, str]) -> None:
    path, _, said = done
    assert "left out: own_agents:Late: RuntimeError: too late (own_agents.py line" in said
    assert "Traceback" not in said
    assert not [r for r in read(path / "results.csv") if r.agent in ("own_agents:Late", "own_agents:Leaves")]
    assert "left out: own_agents:Leaves: its process ended itself with exit code 0 in the middle of its work" in said
    text = (path / "tables.md").read_text()
    assert "own_agents:Late: RuntimeError: too late" in text
    assert "| own_agents:Leaves | failed |" in text


def test_progress_says_what_it_counts_and_which_step_it_is(done: tuple[Path, str, str]) -> None:
    said = done[2]
    steps = re.findall(r"^\[(\d+)/(\d+)\] ", said, re.MULTILINE)
    assert [int(k) for k, _ in steps] == sorted(int(k) for k, _ in steps)
    (total,) = {int(n) for _, n in steps}
    assert steps[0] == ("1", str(total))
    assert re.search(rf"^\[{total}/{total}\] replay: ", said, re.MULTILINE)
    # log; 2 priors, none, random, timer, oracle; with 2 seeds each ppo_prior, the ladder's, informed, 4 of one's own
    assert total == 1 + 2 + 4 + 2 * 7 + 1
    for part in (
        "simulate: 6 world-days (",
        "pre-training, seed 4: ",
        " updates (",
        "fine-tune of ppo_prior, seed 3: 256 steps (",
        "learn of own_agents:Learner, seed 3: 1 step (",
    ):
        assert part in said


def test_one_log_serves_all_training_seeds(done: tuple[Path, str, str]) -> None:
    log = ActionLog.load(done[0] / "log" / "train")
    assert len(log.worlds) == 3
    assert log.meta["seeds"] == [30_100_000, 30_100_001, 30_100_002]
    assert log.meta["days"] == 2


def test_two_processes_and_a_second_time_give_the_same_bytes(
    done: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = done[0]
    monkeypatch.syspath_prepend(path.parent)
    settings = [a for a in TINY if not a.startswith("workers")]
    main([*settings, *LOG, "workers=2", "seed=3,4", AGENTS_OF_THE_KIT, OWN, f"out={tmp_path / 'b'}"])
    assert (tmp_path / "b/results.csv").read_bytes() == (path / "results.csv").read_bytes()
    for name in (
        "model/prior/model.safetensors",
        "model/policy/policy.safetensors",
        "model/informed-seed4/model.safetensors",
    ):
        assert (tmp_path / "b" / name).read_bytes() == (path / name).read_bytes()
    kept = sorted(p.name for p in (path / "report").iterdir())
    assert kept == sorted(p.name for p in (tmp_path / "b/report").iterdir())
    for name in kept:
        assert (tmp_path / "b/report" / name).read_bytes() == (path / "report" / name).read_bytes()


GO_ON = [a for a in TINY if not a.startswith(("world", "predictor"))]


def test_a_run_goes_on_from_another_ones_log_and_models(
    done: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, after = done[0], tmp_path / "after"
    taken: list[dict[str, object]] = []
    import lam_env.agents.fine_tuning.ppo as ppo

    start = ppo._take_over

    def watched(head: object, training: object) -> None:
        start(head, training)  # type: ignore[arg-type]
        taken.append({k: v.clone() for k, v in head.state_dict().items()})  # type: ignore[attr-defined]

    monkeypatch.setattr(ppo, "_take_over", watched)
    main([*GO_ON, f"model={path}", "seed=3", "agents=ppo_prior,informed", f"out={after}"])
    from safetensors.torch import load_file

    said = capsys.readouterr().err
    assert "pre-training" not in said
    assert "simulate:" not in said
    for name in ("model/prior/model.safetensors", "model/informed/model.safetensors", "log/train/events.parquet"):
        assert (after / name).read_bytes() == (path / name).read_bytes()
    weights = load_file(path / "model/policy/policy.safetensors")
    assert len(taken) == 1
    assert all((taken[0][k] == v).all() for k, v in weights.items())  # type: ignore[attr-defined]
    moved = load_file(after / "model/policy/policy.safetensors")
    assert moved.keys() == weights.keys()  # the best head met on the way, be it the first
    # the log and the prior are the same, and so are the worlds in which it is judged
    judged = [("ppo_prior", 3), ("informed", 3)]
    mine, theirs = (
        {r[1:6]: r.value for r in read(p / "results.csv") if r.metric.startswith("pred.") and r[2:4] in judged}
        for p in (after, path)
    )
    assert mine == theirs
    assert json.loads((after / "config.json").read_text())["world"]["days"] == 1


@pytest.fixture
def copy(done: tuple[Path, str, str], tmp_path: Path) -> Path:
    shutil.copytree(done[0], tmp_path / "earlier")
    return tmp_path / "earlier"


def spoil_cut(run: Path) -> None:
    file = run / "model/prior/model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


class Trap:
    """Unpickling it leaves a file behind."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def spoil_pickle(run: Path) -> None:
    """With a manifest that agrees, as whoever made it would see to."""
    import hashlib
    import pickle

    for folder, name in (("prior", "model.safetensors"), ("policy", "policy.safetensors")):
        content = pickle.dumps(Trap(run.parent / "sprung"))
        (run / "model" / folder / name).write_bytes(content)
        manifest = json.loads((run / "model" / folder / "manifest.json").read_text())
        manifest["sha256"][name] = hashlib.sha256(content).hexdigest()
        (run / "model" / folder / "manifest.json").write_text(json.dumps(manifest))


def spoil_tokens(run: Path) -> None:
    log = ActionLog.load(run / "log/train")
    log.columns["token"][5] = 30_000
    log.save(run / "log/train")


def spoil_config(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "world": "x"}))


def test_settings_of_the_predictor_hold_for_a_training_seed_that_an_earlier_run_has_not(copy: Path) -> None:
    words = [f"model={copy}", "predictor.hidden=8", "seed=3,5"]
    settings = parse(RunSettings, words, "run", usual)
    assert set(earlier_run(settings, scenario_made("smart_home", settings.world)).models) > {"prior", "prior-seed4"}


SPOILT: dict[str, Callable[[Path], object]] = {
    "sha256 differs": spoil_cut,
    "not a readable model": spoil_pickle,
    "is none of this vocabulary": spoil_tokens,
    "holds no settings": spoil_config,
    "config.json holds no settings; give another run": lambda run: (run / "config.json").write_text("{}"),
    "has no model/prior": lambda run: shutil.rmtree(run / "model/prior"),
    "has no log/train": lambda run: shutil.rmtree(run / "log"),
    "not a readable log": lambda run: (run / "log/train/events.parquet").write_bytes(b"PAR1" * 9),
    "cannot be read": lambda run: (run / "config.json").write_text("{"),
    "policy.safetensors is not the file that was saved": lambda run: (
        run / "model/policy/policy.safetensors"
    ).write_bytes(b""),
    "another prior": lambda run: [
        shutil.rmtree(run / "model/prior"),
        shutil.copytree(run / "model/prior-seed4", run / "model/prior"),
    ],
}


@pytest.mark.parametrize(("said", "spoil"), SPOILT.items(), ids=SPOILT)
def test_a_spoilt_run_is_never_gone_on_from(
    copy: Path, fails: Fails, said: str, spoil: Callable[[Path], object]
) -> None:
    spoil(copy)
    assert said in fails(*GO_ON, f"model={copy}", "seed=3", "agents=prior")
    assert not (copy.parent / "sprung").exists()


def test_what_does_not_go_together_with_an_earlier_run(copy: Path, fails: Fails) -> None:
    assert "leave log.* away" in fails(*GO_ON, f"model={copy}", "log.worlds=9")
    for seeds in ("seed=3", "seed=3,4"):  # all of whose predictors that run brings
        assert "leave predictor.* away" in fails(*GO_ON, f"model={copy}", "predictor.hidden=8", seeds)
    other = fails(*GO_ON, f"model={copy}", "scenario=traffic")
    assert f"{copy}: is a run of smart_home, not of traffic; say scenario=smart_home" in other
    assert "leave logs= away" in fails(*GO_ON, f"model={copy}", "logs=x.csv", "format=csv")
    assert "of another home" in fails(*GO_ON, f"model={copy}", "world.rooms=4")


# -- real logs ---------------------------------------------------------------------------------------------------------


def as_csv(log: ActionLog, path: Path) -> None:
    """The commands and motions of a simulated home's first house, as its owner could have exported them."""
    import datetime

    monday = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["time", "user", "action", "kind"])
        for e in log.events():
            if e.world == log.worlds[0] and e.kind in (USER, SENSOR):
                names = log.vocabulary.actions if e.kind == USER else log.vocabulary.sensors
                when = (monday + datetime.timedelta(seconds=e.time)).isoformat()
                out.writerow([when, "ann", names[e.token], "user" if e.kind == USER else "sensor"])


def test_a_log_of_device_commands_makes_one_predictor_for_itself_and_the_simulated_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lam_env.core import registry
    from lam_env.envs.recording import simulate_log

    log, _ = simulate_log(registry.scenario("smart_home")(), [77], 7)
    as_csv(log, tmp_path / "mine.csv")
    out = tmp_path / "out"
    given = [f"logs={tmp_path / 'mine.csv'}", "format=csv", "zone=UTC", "agents=plugin", "world.timer=600"]
    main([*TINY, *LOG, *given, f"out={out}"])
    rows = read(out / "results.csv")
    of_log = {("log", row) for row in ("prior", "prior.nets", "prior.counts", "prior.boosting", "prior_boosted")}
    assert {(r.variant, r.agent) for r in rows if r.metric == "pred.top1"} == ({*of_log, ("sim", "plugin")})
    assert {r.agent for r in rows if r.metric == "utility.total"} == {"none", "plugin", "oracle"}
    assert {p.name for p in (out / "model").iterdir()} == {"prior"}
    kept = ActionLog.load(out / "log/train")
    assert kept.vocabulary == registry.scenario("smart_home")().vocabulary
    assert kept.timer == 600  # the home's
    assert (kept.kind == USER).sum() == (log.kind == USER).sum()
    assert "user events are commands of the scenario's home" in capsys.readouterr().out


def test_a_log_that_shares_no_command_gives_predictions_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = (("08", "rise"), ("09", "eat"), ("10", "sleep"))
    rows = [f"2024-01-0{day}T{hour}:00:00+01:00,ann,{action}" for day in range(1, 10) for hour, action in hours]
    (tmp_path / "mine.csv").write_text("\n".join(["time,user,action", *rows]))
    out = tmp_path / "out"
    main([*TINY, f"logs={tmp_path / 'mine.csv'}", "format=csv", f"out={out}"])
    rows = read(out / "results.csv")
    assert {r.variant for r in rows} == {"log"}
    assert {"prior", "markov2", "markov_online"} <= {r.agent for r in rows}
    said = capsys.readouterr().out
    assert "no agent can act in it" in said
    assert "agent=my_module:MyAgent" not in said  # there is nothing to act in


def test_help_comes_without_torch() -> None:
    code = "import sys\nfrom lam_env.commands.run import main\ntry:\n    main(['--help'])\n"
    code += "except SystemExit:\n    print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "train.steps=" in said
    assert said.endswith("False\n")


def test_a_run_goes_on_from_one_whose_log_was_not_the_usual(tmp_path: Path) -> None:
    config = {"scenario": "traffic", "world": {"days": 3}, "log": {"worlds": 2, "days": 5}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    given = parse(RunSettings, ["scenario=traffic", f"model={tmp_path}", "world.slots=5"], "run", usual)
    assert (given.world.days, given.world.slots, given.log.worlds, given.log.days) == (3, 5, 2, 5)
