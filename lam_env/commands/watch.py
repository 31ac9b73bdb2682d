"""python -m lam_env watch scenario=smart_home agent=runs/smart_home-1

Plays an episode in the terminal, or writes it as a GIF.
"""

from __future__ import annotations

import importlib.util
import io
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lam_env.config.cli import cli_errors, parse, setting
from lam_env.core.errors import UserError
from lam_env.core.files.outputs import output_file, write_whole
from lam_env.core.progress import Progress
from lam_env.core.seeds import Use
from lam_env.experiment.settings import UNTRAINED
from lam_env.launch.job import one_thread

if TYPE_CHECKING:
    from PIL.Image import Image

    from lam_env.core.contracts import Policy
    from lam_env.envs.scenario import Scenario
    from lam_env.envs.scene import Scene
    from lam_env.evaluation.episode import Expect, Moment

LEAST_COLUMNS, MOST_COLUMNS = 60, 110
PLAIN = 20  # moments that are printed where the output is no terminal, unless more are asked for


@dataclass(frozen=True)
class WatchSettings:
    """Play an episode in the terminal, or write it as a GIF."""

    scenario: str | None = setting(None, "the scenario, by name (default: that of the run, or smart_home)", code=True)
    agent: str = setting(
        "none",
        "a run folder (its tuned policy), trained/SCENARIO, which comes with the kit, or the folder of save_policy;"
        f" {' or '.join(UNTRAINED)}, or one of the scenario's that needs no training, or oracle@RUN in the worlds of"
        " a run; your own, module:Class, or module:Class@RUN with what that run has kept of it",
    )
    seed: int | None = setting(None, "which world (default: the first on which runs judge)", low=0)
    day: int = setting(
        0,
        "day of the calendar on which the episode begins, 0 a Monday; it lasts world.days from there",
        low=0,
        high=100_000,
    )
    skip: bool = setting(True, "leave out moments at which nobody does anything")
    moments: int | None = setting(None, "stop after so many moments (default: the whole episode; 200 of a GIF)", low=1)
    pace: float = setting(3.0, "moments a second", low=0.05, high=50)
    gif: str | None = setting(None, "write a GIF to this file instead")
    width: int = setting(720, "width of the GIF [pixels]", low=120, high=1920)
    theme: Literal["light", "dark"] = setting("light", "colours of the GIF")
    world: Any = setting({}, "settings of the scenario, such as world.days=2; scenario=NAME --help lists them")


class Playback(NamedTuple):
    """Who plays where, and who says what is expected."""

    scenario: Scenario
    policy: Policy
    expect: Expect | None


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(WatchSettings, argv, "python -m lam_env watch", watch_defaults)
        if settings.gif is not None:
            check_gif(Path(settings.gif))
        elif needless := [word for word in argv if word.partition("=")[0] in ("width", "theme")]:
            raise UserError(f"{needless[0]}: is of a GIF; give gif=FILE.gif too, or leave it away")
        player = playback_of(settings)
        if settings.gif is not None:
            n = write_gif(settings, player)
            print(f"written: {settings.gif} ({n} pictures, {Path(settings.gif).stat().st_size / 1e3:,.0f} kB)")
        else:
            play(settings, player)
    return 0


def watch_defaults(settings: WatchSettings) -> WatchSettings:
    """In the world of the run, or of the scenario."""
    from lam_env.experiment.acting import world_for

    of, world = world_for(settings.agent, settings.scenario)
    return WatchSettings(scenario=of, world=world)


def playback_of(settings: WatchSettings) -> Playback:
    """The scenario and who acts in it; UserError says what is wrong with either."""
    from lam_env.core.contracts import complete
    from lam_env.experiment import acting, models

    scenario = acting.scenario_for(settings.agent, str(settings.scenario), settings.world)
    policy = acting.policy_of(settings.agent, scenario.vocabulary, "world that world.* asks for", scenario)
    kept = acting.policy_alone(settings.agent) or acting.run_of(settings.agent) is not None
    predictor: Any = complete(policy).predictor if kept else None
    return Playback(scenario, policy, None if predictor is None else models.expectation(predictor))


# -- what is shown ---------------------------------------------------------------------------------------------------


class Frame(NamedTuple):
    """One moment, drawn: pictures of the time before and of now, the same as plain text, and what happened in words."""

    scenes: list[Scene]
    text: str
    words: list[str]


def frames(settings: WatchSettings, player: Playback) -> Iterator[Frame]:
    """The moments of the episode; quiet ones may be left out."""
    from lam_env.evaluation.episode import EventFormatter, episode

    seed = Use.TEST.first if settings.seed is None else settings.seed
    words_of = EventFormatter(player.scenario)
    since: list[tuple[str, str]] = []
    for k, m in enumerate(episode(player.policy, player.scenario, seed, player.expect, settings.day)):
        since += words_of(m.since)
        scenes = m.scenes()
        if settings.skip and k and not (since or m.action or len(scenes) > 1):
            continue
        yield Frame(scenes, player.scenario.text(m.world), _words(m, player, since))
        since = []


def _words(m: Moment, player: Playback, since: list[tuple[str, str]]) -> list[str]:
    from lam_env.evaluation.episode import likeliest

    scenario, lines = player.scenario, []
    if since:
        events = (what if who == "feedback" else f"{who}: {what}" for who, what in since[-4:])
        lines.append("since then   " + "; ".join(events))
    if m.expected is not None:
        likely = likeliest(m.expected, scenario.vocabulary)
        lines.append("expected     " + "   ".join(f"{name} {p:.0%}" for name, p in likely))
    to = f" to {scenario.person(m.person)}" if scenario.personal and scenario.n_users > 1 else ""
    lines.append(f"agent{to}   {scenario.vocabulary.actions[m.action] if m.action else 'nothing'}")
    return lines


def play(settings: WatchSettings, player: Playback) -> None:
    """In the terminal, in place; where the output is no terminal, one moment under the other and without waiting."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        limit = settings.moments or PLAIN
        for k, moment in enumerate(frames(settings, player)):
            if k == limit:
                print(f"... stopped after {limit} moments; moments=N shows more")
                return
            print("\n".join([moment.text.rstrip(), *moment.words, ""]))
        return
    from lam_env.envs.scenario import Scenario
    from lam_env.envs.terminal import ansi

    # unless the scenario writes text of its own for a terminal
    pictured = console.color_system is not None and type(player.scenario).text is Scenario.text
    with Live(console=console, screen=True, auto_refresh=False) as live:
        for moment in itertools.islice(frames(settings, player), settings.moments):
            scene = moment.scenes[-1]
            columns = max(LEAST_COLUMNS, min(console.width, MOST_COLUMNS, 2 * (console.height - 12)))
            text = ansi(scene, columns, colour=True) if pictured else moment.text
            # words first: what does not fit is cut off below
            live.update(Group(Text("\n".join(moment.words), style="bold"), Text.from_ansi(text)), refresh=True)
            time.sleep(1 / settings.pace)
    for line in moment.words:  # of the last one, for the screen is given back
        console.print(line, markup=False, highlight=False)


# -- GIF -------------------------------------------------------------------------------------------------------------

GIF_MOMENTS = 200
SEEN = 24  # pixels of a picture that make a colour one to be kept


def check_gif(path: Path) -> None:
    """UserError, before anything is played, where no GIF could be written."""
    if path.suffix.lower() != ".gif":
        raise UserError(f"gif={path}: give a file that ends in .gif")
    if importlib.util.find_spec("PIL") is None:
        raise UserError(f"gif={path}: pillow, which writes it, is not installed: pip install pillow")
    output_file(path, "gif")


def write_gif(settings: WatchSettings, player: Playback) -> int:
    """The episode as a GIF, whole or not at all; says how many pictures it has."""
    from PIL import Image

    from lam_env.envs.pixels import rgb_array

    path, drawn, colours = Path(str(settings.gif)), list[io.BytesIO](), Counter[Any]()
    limit, images, stage = settings.moments or GIF_MOMENTS, list[Image.Image](), "draw [pictures]"
    with Progress() as progress:
        progress(stage, 0, limit)
        for moment in frames(settings, player):
            for scene in moment.scenes:
                image = Image.fromarray(rgb_array(scene, settings.width, settings.theme))
                found: Any = image.getcolors(image.width * image.height)  # (pixels, colour) each
                colours.update(colour for n, colour in found if n >= SEEN)
                image.save(whole := io.BytesIO(), "PNG", compress_level=1)
                drawn.append(whole)
            if len(drawn) >= limit:
                break
            progress(stage, len(drawn), limit)
        progress(stage, len(drawn), len(drawn))
        palette, stage = palette_of(colours), "colour [pictures]"
        for k, whole in enumerate(drawn):
            progress(stage, k, len(drawn))
            images.append(Image.open(whole).quantize(palette=palette, dither=Image.Dither.NONE))
        progress(stage, len(drawn), len(drawn))
    more = {"save_all": True, "append_images": images[1:], "duration": max(20, round(1000 / settings.pace))}  # [ms]
    write_whole(path, lambda part: images[0].save(part, "GIF", loop=0, **more), "gif")
    return len(images)


def palette_of(colours: Counter[Any]) -> Image:
    """One set of 256 colours for all pictures: what stands still keeps its colour, and takes no room in the file. A
    colour counts by how many pictures have it, however small what has it."""
    from PIL import Image

    sheet = Image.new("RGB", (max(1, colours.total()), 1))
    sheet.putdata(sorted(colours.elements()))
    return sheet.quantize(256, dither=Image.Dither.NONE)
