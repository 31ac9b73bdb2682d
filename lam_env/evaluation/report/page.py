"""The report of a run as one HTML page that needs nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lam_env.config.convert import count
from lam_env.envs.scene import RGB, check_roles, palette
from lam_env.evaluation.report import sections_episodes as kept
from lam_env.evaluation.report import sections_scores as scores
from lam_env.evaluation.report.elements import Section
from lam_env.evaluation.report.reader import RunFiles, missing_replays
from lam_env.evaluation.tables import VARIANTS, span

GOOD, BAD = ("accept", "follow"), ("override", "reject", "refuse", "ignore", "annoyed", "switch_off", "mute")
KINDS = {
    "typical": ("A typical episode", "of the middle half by lift, the one with most acts"),
    "worst": ("The worst episode", "that of least lift over doing nothing"),
    "first": ("An episode", "the first evaluation world"),
}

AGAIN = "The run's command, with out=FOLDER, plays the episode again."


@dataclass(frozen=True)
class ScenarioNotes:
    """What a scenario says of itself: headings of key figures, weights of reward terms, rungs of its information ladder, and the usual settings
    of its worlds, which are not shown."""

    figures: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    ladder: Sequence[str] = ()
    world: Mapping[str, Any] = field(default_factory=dict)


def render(run: RunFiles, about: ScenarioNotes) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    env = Environment(
        loader=PackageLoader("lam_env.evaluation.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    env.filters["prose"] = lambda text: Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(text))))
    made = sections(run, about)
    replays = [_replay(trace) for trace in run.replays]
    style = env.get_template("style.css.j2").render(roles=_roles(run))
    script = env.get_template("replay.js.j2").render(good=Markup(json.dumps(GOOD)), bad=Markup(json.dumps(BAD)))
    # figures escape what they are given when they are drawn
    safe = [_with_markup(s, Markup) for s in made]
    return env.get_template("page.html.j2").render(
        title=f"{run.scenario.replace('_', ' ')}: {run.name}",
        subtitle=_subtitle(run),
        unfinished=run.config.get("finished") is False,
        tiles=scores.tiles(run),
        sections=_paired([s for s in safe if not s["missing"]]),
        left_out=[s for s in safe if s["missing"]],
        asked=asked(run, about),
        failed=run.failed,
        replays=[{**r, "json": Markup(r["json"])} for r in replays],
        style=Markup(style),
        script=Markup(script) if replays else "",
        again=f"python -m lam_env report run={run.path}",
    )


def sections(run: RunFiles, about: ScenarioNotes) -> list[Section]:
    """In the order of the page."""
    prediction, reward, figures = scores.tables(run, about.figures)
    return [
        replay(run),
        *lost(run),
        scores.overview(run),
        kept.acts(run),
        prediction,
        reward,
        scores.tuned(run),
        scores.curves(run),
        kept.confusion(run),
        kept.calibration(run),
        scores.ladder(run, about.ladder),
        scores.terms(run, about.weights),
        kept.hours_section(run),
        figures,
        kept.failures(run),
        scores.gates_section(run),
    ]


def replay(run: RunFiles) -> Section:
    head = ("replay", "Watch an episode")
    if not run.replays and missing_replays(run):
        return Section(*head, missing="None of the episodes that the run has kept is in its folder.")
    if not run.replays:
        return Section(
            *head,
            missing="The run has kept no replay: it is kept once agents have been judged in the scenario's worlds.",
        )
    return Section(
        *head,
        text="Move the slider or press Play. Purple marks show where the agent acts; below them, green what was welcome and red what was not.",
    )


def lost(run: RunFiles) -> list[Section]:
    """A section left out for each episode whose file is missing."""
    return [
        Section(f"replay-{kind}", KINDS.get(kind, KINDS["first"])[0], missing=f"There is no {file}. {AGAIN}")
        for kind, file in missing_replays(run).items()
    ]


def asked(run: RunFiles, about: ScenarioNotes) -> list[tuple[str, str]]:
    """What stands at the head of the page."""
    c = run.config
    found = [("Command", str(c.get("command", "unknown"))), ("Scenario", run.scenario)]
    world = c.get("world")
    changed = {k: v for k, v in world.items() if about.world.get(k) != v} if isinstance(world, dict) else {}
    if changed:
        found.append(("World", ", ".join(f"{k}={v}" for k, v in sorted(changed.items()))))
    agents = c.get("agents_judged")
    if isinstance(agents, list):
        found.append(("Agents", ", ".join(map(str, agents))))
    seeds = c.get("seed")
    judge = c.get("eval")
    if isinstance(seeds, list):
        found.append(("Training seeds", span(sorted(seeds))))
    if isinstance(judge, dict):
        found.append(
            (
                "Judged on",
                f"{count(judge['seeds'], 'evaluation seed')} of {count(judge['worlds'], 'world')} each, split {judge['split']}",
            )
        )
    if c.get("logs"):
        found.append(("Log", f"{c['logs']} ({c.get('format')})"))
    found.append(("Device", str(c.get("device", "unknown"))))
    if isinstance(c.get("seconds"), int | float):
        found.append(("Wall time", f"{c['seconds']:,.0f} s"))
    if isinstance(c.get("versions"), dict):
        found.append(("Versions", ", ".join(f"{k} {v}" for k, v in c["versions"].items())))
    return found


def _subtitle(run: RunFiles) -> str:
    agent = scores.shown_agent(run)
    if any(r.agent == agent and r.variant == run.variant for r in run.rows):
        return f"About {agent}, judged on {VARIANTS.get(run.variant, run.variant)}."
    return (
        f"{run.scenario}, as far as the run has got." if not run.rows else "Predictions on a log; no agent has acted."
    )


def _replay(trace: Mapping[str, Any]) -> dict[str, str]:
    title, why = KINDS.get(str(trace["kind"]), KINDS["first"])
    days = "all of it" if trace["whole"] else "its busiest part"
    text = f"World {trace['seed']}: {why}; shown is {days}, in {len(trace['frames'])} pictures."
    predictor = str(trace.get("predictor") or "nobody")
    data = json.dumps(trace, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return {"heading": title, "text": text, "agent": str(trace["agent"]), "predictor": predictor, "json": data}


def _roles(run: RunFiles) -> list[tuple[str, tuple[str, str]]]:
    """Colours of the replays' roles, light and dark."""
    used, own = {"text"}, dict[str, tuple[str, str]]()
    for trace in run.replays:
        used |= {trace["background"], *(role for style in trace["styles"] for role in style[:2] if role)}
        own |= trace.get("roles", {})  # it may be older than its scenario's own colours
    check_roles(own)
    light, dark = palette("light", own), palette("dark", own)
    return [(role, (_hex(light[role]), _hex(dark[role]))) for role in sorted(used & light.keys())]


def _paired(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A half section without another half beside it is a whole one."""
    left = False  # whether there is room beside the one before
    for k, section in enumerate(found):
        if section["half"] and not left:
            section["half"] = k + 1 < len(found) and found[k + 1]["half"]
            left = section["half"]
        else:
            left = False
    return found


def _hex(colour: RGB) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _with_markup(section: Section, markup: Any) -> Any:
    figures = [{"svg": markup(f.svg), "caption": f.caption, "data": f.data} for f in section.figures]
    return {
        **{k: getattr(section, k) for k in ("id", "title", "text", "tables", "notes", "missing", "half")},
        "figures": figures,
    }
