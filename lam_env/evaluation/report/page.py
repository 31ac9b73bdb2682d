"""The report of a run as one HTML page that needs nothing else."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lam_env.config.cli import command_line
from lam_env.config.convert import count
from lam_env.core.catalogue import Metric
from lam_env.core.events import BAD, GOOD
from lam_env.envs.scene import RGB, Roles, check_roles, palette
from lam_env.evaluation.report import sections_episodes as episodes
from lam_env.evaluation.report import sections_scores as scores
from lam_env.evaluation.report.elements import Section
from lam_env.evaluation.report.reader import RunFiles, missing_replays
from lam_env.evaluation.report.sections_habits import habits_section
from lam_env.evaluation.report.sections_predictions import more_of_predictions
from lam_env.evaluation.report.trace import Trace
from lam_env.evaluation.tables import VARIANTS, span

KINDS = {
    "typical": ("A typical episode", "of the middle half by lift, the one with most acts"),
    "worst": ("The worst episode", "that of least lift over doing nothing"),
    "first": ("An episode", "the first evaluation world"),
}

OF_LOG = ("prediction", "more", "confusion", "calibration", "habits")  # sections of a run that only predicts
PREDICTS = "`predict` judges no agents: `lam run` does."
AGAIN = "The run's command, with out=FOLDER, plays the episode again."


@dataclass(frozen=True)
class ScenarioNotes:
    """What a scenario says of itself: its key figures, weights of reward terms, rungs of its information
    ladder, the usual settings of its worlds, which are not shown, and colours for traces that hold none."""

    figures: Sequence[Metric] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    ladder: Sequence[str] = ()
    world: Mapping[str, object] = field(default_factory=dict)
    roles: Roles = field(default_factory=dict)


def render(run: RunFiles, about: ScenarioNotes) -> str:
    """The page as HTML. The templates take figures, which escape their words, and scripts as they are."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    loader = PackageLoader("lam_env.evaluation.report", "")
    env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    env.filters["prose"] = lambda text: Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))
    made = sections(run, about)
    return env.get_template("page.html.j2").render(
        title=run.name if run.config.get("predict") else f"{run.scenario.replace('_', ' ')}: {run.name}",
        subtitle=_subtitle(run),
        unfinished=run.config.get("finished") is False,
        tiles=scores.tiles(run),
        sections=_paired([s for s in made if not s.missing]),
        left_out=_left_out(made),
        asked=heading(run, about),
        failed=run.failed,
        replays=[_replay(trace) for trace in run.replays],
        roles=_roles(run, about.roles),
        good=GOOD,
        bad=(*BAD, "switch_off", "mute"),
        again=command_line("python -m lam_env report", [f"run={run.path}"]),
    )


def sections(run: RunFiles, about: ScenarioNotes) -> list[Section]:
    """In the order of the page."""
    made = _sections(run, about)
    if not run.config.get("predict"):
        return made
    return [dataclasses.replace(s, missing=PREDICTS) if s.missing and s.id not in OF_LOG else s for s in made]


def _sections(run: RunFiles, about: ScenarioNotes) -> list[Section]:
    prediction, reward, figures = scores.tables(run, about.figures)
    gates = scores.gates_section(run)
    return [
        replay(run),
        *lost(run),
        *([] if gates.missing else [gates]),  # before what is won
        scores.overview(run),
        episodes.acts(run),
        prediction,
        more_of_predictions(run),
        reward,
        scores.tuned(run),
        scores.curves(run),
        episodes.confusion(run),
        episodes.calibration(run),
        scores.ladder(run, about.ladder),
        scores.terms(run, about.weights),
        habits_section(run),
        episodes.hours_section(run),
        figures,
        episodes.failures(run),
        *([gates] if gates.missing else []),
    ]


def _left_out(made: Sequence[Section]) -> list[tuple[str, str]]:
    """(titles, why) of what is left out, each reason once."""
    titles: dict[str, list[str]] = {}
    for section in made:
        if section.missing:
            titles.setdefault(section.missing, []).append(section.title)
    return [(", ".join(of), why) for why, of in titles.items()]


def replay(run: RunFiles) -> Section:
    head = ("replay", "Watch an episode")
    if run.replays:
        marks = "Purple marks show where the agent acts; below them, green what was welcome and red what was not."
        return Section(*head, text=f"Move the slider or press Play. {marks}")
    if missing_replays(run):
        return Section(*head, missing="None of the episodes that the run has kept is in its folder.")
    why = "The run has kept no replay: it is kept once agents have been judged in the scenario's worlds."
    return Section(*head, missing=why)


def lost(run: RunFiles) -> list[Section]:
    """A section left out for each episode whose file is missing."""
    return [
        Section(f"replay-{kind}", KINDS.get(kind, KINDS["first"])[0], missing=f"There is no {file}. {AGAIN}")
        for kind, file in missing_replays(run).items()
    ]


def heading(run: RunFiles, about: ScenarioNotes) -> list[tuple[str, str]]:
    """What stands at the head of the page."""
    c = run.config
    world, agents, seeds, judge = c.get("world"), c.get("agents_judged"), c.get("seed"), c.get("eval")
    seconds, versions = c.get("seconds"), c.get("versions")
    rows = [("Command", str(c.get("command", "unknown")))]
    rows += [("Scenario", run.scenario)] if not c.get("predict") else []  # nobody acts, in any
    changed = {k: v for k, v in world.items() if about.world.get(k) != v} if isinstance(world, dict) else {}
    if changed:
        rows.append(("World", ", ".join(f"{k}={_brief(v)}" for k, v in sorted(changed.items()))))
    if isinstance(agents, list):
        rows.append(("Agents", ", ".join(map(str, agents))))
    if isinstance(seeds, list):
        rows.append(("Training seeds", span(sorted(seeds))))
    if isinstance(judge, dict) and run.judged:
        worlds = f"{count(judge['seeds'], 'evaluation seed')} of {count(judge['worlds'], 'world')} each"
        rows.append(("Judged on", f"{worlds}, split {judge['split']}"))
    if c.get("logs"):
        rows.append(("Log", f"{c['logs']} ({c.get('format')})"))
    rows.append(("Device", str(c.get("device", "unknown"))))
    if isinstance(seconds, int | float):
        rows.append(("Wall time", f"{seconds:,.0f} s"))
    if isinstance(versions, dict):
        rows.append(("Versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    return rows


def _brief(value: object) -> str:
    """Of a list that was read from a file only that there is one."""
    listed = isinstance(value, dict | list) or str(value).startswith(("{", "["))
    return "(a list: config.json has it)" if listed else str(value)


def _subtitle(run: RunFiles) -> str:
    agent = scores.shown_agent(run)
    if any(r.agent == agent and r.variant == run.variant for r in run.rows):
        return f"About {agent}, judged on {VARIANTS.get(run.variant, run.variant)}."
    return "Predictions on a log; no agent has acted." if run.rows else f"{run.scenario}, as far as the run has got."


def _replay(trace: Trace) -> dict[str, str]:
    title, why = KINDS.get(str(trace["kind"]), KINDS["first"])
    days = "all of it" if trace["whole"] else "its busiest part"
    text = f"World {trace['seed']}: {why}; shown is {days}, in {len(trace['frames'])} pictures."
    predictor = str(trace.get("predictor") or "nobody")
    data = json.dumps(trace, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return {"heading": title, "text": text, "agent": str(trace["agent"]), "predictor": predictor, "json": data}


def _roles(run: RunFiles, own: Roles) -> list[tuple[str, tuple[str, str]]]:
    """Colours of the replays' roles, light and dark; of a role that nobody knows any more, those of muted text."""
    used, own = {"text"}, dict(own)
    for trace in run.replays:
        used |= {
            trace["background"],
            *(role for style in trace["styles"] for role in style[:2] if isinstance(role, str)),
        }
        own |= trace.get("roles", {})
    check_roles({**dict.fromkeys(used, ("000000", "000000")), **own})  # names go into the style sheet
    light, dark = palette("light", own), palette("dark", own)

    def colours(role: str) -> tuple[str, str]:
        return _hex(light.get(role, light["muted"])), _hex(dark.get(role, dark["muted"]))

    return [(role, colours(role)) for role in sorted(used)]


def _paired(sections: list[Section]) -> list[Section]:
    """A half section without another half beside it is a whole one."""
    left = False  # whether there is room beside the one before
    for k, section in enumerate(sections):
        if section.half and not left:
            left = k + 1 < len(sections) and sections[k + 1].half
            sections[k] = dataclasses.replace(section, half=left)
        else:
            left = False
    return sections


def _hex(colour: RGB) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
