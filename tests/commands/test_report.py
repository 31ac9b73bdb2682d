"""The report of a real run, and its page in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import LONG

from lam_env.commands import report
from lam_env.commands.run import main as run_main
from lam_env.core import registry
from lam_env.evaluation.episode import Moment, episode
from lam_env.evaluation.report.page import ScenarioNotes, render
from lam_env.evaluation.report.reader import RunFiles
from lam_env.evaluation.report.trace import trace
from lam_env.experiment import replays

SMALL = {"traffic": {"days": 2, "travellers": 30, "burn_in": 5}, "smart_home": {"days": 1}, "game": {"days": 3}}
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
in_a_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine (apt-get install chromium)")


def test_a_run_leaves_its_report_and_all_that_it_is_made_of(small_run: Path) -> None:
    text = (small_run / "report.html").read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    found = {p.name for p in (small_run / "report").iterdir()}
    judged = {f"judged-{a}-0.json" for a in ("none", "prior", "ppo_prior", "oracle")}
    assert found == {*judged, "about.json", "replay-0.json", *(f for f in found if f == "replay-1.json")}
    ids = set(re.findall(r'<section id="([\w-]+)"', text))
    assert {
        "asked",
        "replay",
        "overview",
        "prediction",
        "reward",
        "tuned",
        "calibration",
        "confusion",
        "failures",
    } <= ids
    replay = json.loads((small_run / "report/replay-0.json").read_text(encoding="utf-8"))
    assert replay["agent"] == "ppo_prior"
    assert any("expected" in frame for frame in replay["frames"])
    assert "http://" not in re.sub(r"http://www\.w3\.org/2000/svg", "", text)
    assert "https://" not in text


def test_the_report_is_made_again_from_the_folder_alone(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "small"
    shutil.copytree(small_run, copy, ignore=shutil.ignore_patterns("model", "log", "report.html"))
    assert report.main([f"run={copy}"]) == 0
    assert "written" in capsys.readouterr().out
    before, after = (p.read_text(encoding="utf-8") for p in (small_run / "report.html", copy / "report.html"))
    assert after == before.replace(f"run={small_run}", f"run={copy}").replace(f"agent={small_run}", f"agent={copy}")
    assert report.main([f"run={copy}", f"out={tmp_path / 'page.html'}"]) == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == after


def test_a_report_made_again_from_traces_without_colours_has_those_of_the_scenario(
    small_run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "small"
    shutil.copytree(small_run, copy, ignore=shutil.ignore_patterns("model", "log", "report.html"))
    for file in (copy / "report").glob("replay-*.json"):
        replay = json.loads(file.read_text(encoding="utf-8"))
        assert replay.pop("roles")
        file.write_text(json.dumps(replay), encoding="utf-8")
    assert report.main([f"run={copy}"]) == 0
    texts = [(folder / "report.html").read_text(encoding="utf-8") for folder in (small_run, copy)]
    one, other = (re.findall(r"--s-\w+: #\w+", text) for text in texts)
    assert one == other


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which run"),
        (["run=nowhere"], "not a run folder"),
        (["run={small_run}", "out=nowhere/a.html"], "its folder is not there"),
        (["run={small_run}", "out={small_run}"], "is a folder"),
        (["rum=x"], "did you mean"),
    ],
)
def test_what_is_wrong_is_one_line(
    small_run: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        report.main([word.format(small_run=small_run) for word in words])
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_spoilt_file_leaves_the_old_report_as_it_was(small_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "small"
    shutil.copytree(small_run, copy)
    before = (copy / "report.html").read_bytes()
    (copy / "report/judged-ppo_prior-0.json").write_text('{"agent": "ppo_prior", "train_seed": 0, "episodes": 3}')
    with pytest.raises(SystemExit):
        report.main([f"run={copy}"])
    assert (copy / "report.html").read_bytes() == before
    assert not list(copy.rglob("*.part"))


def test_what_is_not_there_is_said(small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "small"
    shutil.copytree(small_run, copy)
    assert "Judged on" in (copy / "report.html").read_text(encoding="utf-8")
    (copy / "results.csv").unlink()
    for file in (copy / "report").iterdir():
        file.unlink()
    assert report.main([f"run={copy}"]) == 0
    assert f"left out: all scores: {copy}/results.csv is not there or empty. " in capsys.readouterr().err
    assert "Judged on" not in (copy / "report.html").read_text(encoding="utf-8")


def test_an_episode_whose_file_is_missing_is_told_of_and_played_again(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "small"
    shutil.copytree(small_run, copy)
    whole = (copy / "report/replay-0.json").read_bytes()
    (copy / "report/replay-0.json").unlink()
    assert report.main([f"run={copy}"]) == 0
    assert f"there is no {copy}/report/replay-0.json. The run's command" in capsys.readouterr().err
    text = (copy / "report.html").read_text(encoding="utf-8")
    assert "There is no report/replay-0.json." in text[text.index('id="left-out"') :]
    command = json.loads((copy / "config.json").read_text(encoding="utf-8"))["command"].split()[3:]
    assert run_main([word for word in command if not word.startswith("out=")] + [f"out={copy}"]) == 0
    assert (copy / "report/replay-0.json").read_bytes() == whole
    capsys.readouterr()
    assert report.main([f"run={copy}"]) == 0
    assert capsys.readouterr().err == ""
    assert "There is no report" not in (copy / "report.html").read_text(encoding="utf-8")


def test_a_run_without_a_tuned_policy_shows_the_oracle_and_one_whose_replay_fails_goes_on(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"model={small_run}", "agents=none", "eval.seeds=1", "eval.worlds=1", "workers=1"]
    assert run_main([*words, f"out={tmp_path / 'a'}"]) == 0
    replay = json.loads((tmp_path / "a/report/replay-0.json").read_text(encoding="utf-8"))
    assert replay["agent"] == "oracle"
    assert any("action" in frame for frame in replay["frames"])

    def fails(work: Any, report: Any) -> None:
        raise KeyError("scene")

    monkeypatch.setattr(replays, "keep_replays", fails)
    capsys.readouterr()
    assert run_main([*words, f"out={tmp_path / 'b'}"]) == 0
    assert "left out: replay: KeyError: 'scene'" in capsys.readouterr().err
    text = (tmp_path / "b/report.html").read_text(encoding="utf-8")
    assert 'id="overview"' in text
    assert 'id="replay"' not in text
    assert "The run has kept no replay" in text
    assert (tmp_path / "a/results.csv").read_bytes() == (tmp_path / "b/results.csv").read_bytes()


# -- in a browser ----------------------------------------------------------------------------------------------------

# moves the first replay's slider, plays it, and writes down what is to be seen
TRY = """<pre id="tried"></pre><script>
addEventListener("load", () => {
  const $ = s => document.querySelector(s), slider = $(".slider"), picture = () => $(".stage svg > g").innerHTML;
  const found = {frames: +slider.max + 1, first: picture(), title: $(".when").textContent};
  slider.value = slider.max; slider.dispatchEvent(new Event("input"));
  found.last = picture();
  found.last_title = $(".when").textContent; found.label = slider.getAttribute("aria-valuetext");
  slider.value = 0; slider.dispatchEvent(new Event("input"));
  found.again = picture();
  $(".act").click(); found.act = $(".does").textContent; found.at = +slider.value;
  $(".zoom").click(); found.large = $(".zoom").getAttribute("aria-pressed");
  slider.value = 0; slider.dispatchEvent(new Event("input"));
  $(".pace").value = "8"; $(".play").click(); found.button = $(".play").textContent;
  setTimeout(() => { found.played = +slider.value; $("#tried").textContent = JSON.stringify(found); }, 900);
});
</script>"""


# opens all that is folded, on a page as wide as a phone, and writes down which tables have to be scrolled sideways
PHONE = """<pre id="tried"></pre><style>body { width: 390px; }</style><script>
addEventListener("load", () => {
  const all = s => [...document.querySelectorAll(s)];
  all("details").forEach(part => { part.open = true; });
  const tables = all(".scroll"), wide = tables.filter(part => part.scrollWidth > part.clientWidth + 1);
  const found = {tables: tables.length, sideways: wide.map(part => part.getAttribute("aria-label"))};
  document.querySelector("#tried").textContent = JSON.stringify(found);
});
</script>"""


def browse(page: str, folder: Path, tries: str = TRY) -> tuple[dict[str, Any], list[str]]:
    """What `tries` has found, and what the console has said."""
    file = folder / "page.html"
    file.write_text(page.replace("</body>", f"{tries}</body>"), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000"]
    options += ["--window-size=500,900"] if tries == PHONE else []  # no narrower ones are made
    command = [str(BROWSER), *options, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONG)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    tried = re.search(r'<pre id="tried">(.*?)</pre>', done.stdout, re.S)
    assert tried is not None, done.stderr[-2000:]
    import html

    return json.loads(html.unescape(tried[1]) or "{}"), said


def looked_at(found: dict[str, Any]) -> None:
    assert found["frames"] > 2
    assert found["first"] != found["last"]
    assert found["title"] != found["last_title"]
    assert found["again"] == found["first"]
    assert f"picture {found['frames']} of {found['frames']}" in found["label"]
    assert found["button"] == "Pause"
    assert found["played"] >= 1
    assert found["large"] == "true"


@in_a_browser
def test_a_browser_has_nothing_to_complain_of_and_the_slider_moves_the_picture(small_run: Path, tmp_path: Path) -> None:
    found, said = browse((small_run / "report.html").read_text(encoding="utf-8"), tmp_path)
    assert said == []
    looked_at(found)


@in_a_browser
def test_on_a_phone_no_table_is_scrolled_sideways(small_run: Path, tmp_path: Path) -> None:
    found, _ = browse((small_run / "report.html").read_text(encoding="utf-8"), tmp_path, PHONE)
    assert found["tables"] > 10
    assert found["sideways"] == []


class Busy:
    """Acts whenever it can, every third minute."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Any:
        every = (observation["epoch"][:, 0] // 60) % 3 == 0
        return np.where(every, observation["action_mask"][:, 1:].argmax(1) + 1, 0), state


@in_a_browser
@pytest.mark.parametrize("name", registry.scenario_names())
def test_every_scenarios_replay_plays_in_a_browser(name: str, tmp_path: Path) -> None:
    scenario = registry.scenario(name)(**SMALL.get(name, {}))

    def play(telling: bool) -> Iterator[Moment]:
        return episode(Busy(), scenario, 2_000_001)

    made = trace(play, scenario, {"kind": "first", "agent": "busy", "seed": 2_000_001, "predictor": None}, most=12)
    found, said = browse(render(RunFiles("a", {"scenario": name}, [], replays=[made]), ScenarioNotes()), tmp_path)
    assert said == []
    looked_at(found)
    assert found["act"] != "nothing"
    acts = [k for k, frame in enumerate(made["frames"]) if "action" in frame]
    assert found["at"] in acts


@in_a_browser
def test_the_browser_would_tell_what_is_wrong(tmp_path: Path) -> None:
    """The test of the tests above: an error of the page, and something fetched, are both heard."""
    policy = "default-src 'none'; script-src 'unsafe-inline'"
    page = f"<html><meta http-equiv='Content-Security-Policy' content=\"{policy}\"><body>"
    page += "<input class='slider' max=1><div class='stage'><svg></svg></div><i class='when'></i><img src='x.png'>"
    _, said = browse(page + "<script>nonsense()</script></body></html>", tmp_path)
    assert any("nonsense is not defined" in line for line in said)
    assert any("Content Security Policy" in line for line in said)
