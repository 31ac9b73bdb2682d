"""Golden playthroughs: one seeded day of each scenario as readable text.

`python tests/golden/make.py` writes them anew: do so when a world is meant to change, and read the difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lam_env.core import registry
from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, Event, Vocabulary
from lam_env.envs.single import LamEnv

FOLDER = Path(__file__).parent
SEED = 7
SCENARIOS = Path(__file__).parents[2] / "scenarios"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def names() -> list[str]:
    """The scenarios of this checkout; others' may be installed too."""
    return [name for name in registry.scenario_names() if (SCENARIOS / name).is_dir()]


def playthrough(name: str, seed: int = SEED, **settings: object) -> str:
    """A day of a scenario's world in which the oracle acts, where there is one: what happened, then what it came to."""
    scenario = registry.scenario(name)(days=1, **settings)
    oracle = scenario.baselines().get("oracle")
    policy: Any = oracle(None) if oracle else None
    env = LamEnv(scenario, reveal=getattr(policy, "reveal", ()), record=True)
    observation, _ = env.reset(seed=seed)
    over, points, info, state = False, 0, dict[str, Any](), None
    while not over:
        action = 0
        if policy is not None:
            chosen, state = policy.predict({k: v[None] for k, v in observation.items()}, state, None, True)
            action = int(chosen[0])
        observation, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        points += 1
    world = env.world
    assert world is not None
    assert world.records is not None
    lines = [f"{name}, seed {seed}, one day, {'oracle' if policy else 'nobody'} acting: {points} decision points", ""]
    acts = 0
    for event in world.records:
        if event.kind != READING or event.user <= 0:  # of personal readings those of the first person stand for all
            lines.append(_line(event._replace(time=event.time // world.second), env.vocabulary, acts))
        acts += event.kind == AGENT
    return "\n".join([*lines, "", *(f"{k} {round(v, 4) + 0.0:.4f}" for k, v in sorted(info["totals"].items()))]) + "\n"


def _line(event: Event, words: Vocabulary, acts: int) -> str:
    t = event.time
    when = f"{DAYS[t // 86_400 % 7]} {t // 3600 % 24:02}:{t // 60 % 60:02}:{t % 60:02}"
    if event.kind == READING:
        return f"{when}           {words.readings[event.token]} = {event.value:.10g}"
    if event.kind == AGENT:
        return f"{when}  agent    {words.actions[event.token]}  #{acts}"
    answered = f"  answers #{event.answers}" if event.answers >= 0 else ""
    if event.kind == FEEDBACK:
        return f"{when}  user {event.user}   * {words.feedback[event.token]} {event.value:+g}{answered}"
    if event.kind == SENSOR:
        return f"{when}  sensor   {words.sensors[event.token]}"
    assert event.kind == USER
    return f"{when}  user {event.user}   {words.actions[event.token]}{answered}"


if __name__ == "__main__":
    for found in names():
        path = FOLDER / f"{found}.txt"
        path.write_text(playthrough(found), encoding="utf-8")
        print(f"wrote {path.name}")
