"""The contract that every scenario keeps, as a check that anybody can run on their own."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from lam_env.core import registry
from lam_env.core.catalogue import KPI, UTILITY_TERM
from lam_env.core.contracts import Observation
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, KINDS
from lam_env.core.observation import EPOCH_FIELDS
from lam_env.core.rng import Stream, key_of
from lam_env.envs.pixels import rgb_array
from lam_env.envs.recording import log_of
from lam_env.envs.scenario import Scenario
from lam_env.envs.scene import Scene
from lam_env.envs.single import LamEnv, find_scenario
from lam_env.envs.terminal import ansi
from lam_env.envs.vector import LamVectorEnv
from lam_env.logs.decision_points import decision_points, from_observation
from lam_env.sim.world import World

WORLDS = 8  # in which an element of the observation must move
ACTING = 0.05  # share of decision points at which the random agent acts: more, and people give it up
OFTEN = 0.5  # to hear every answer that there is
REVEAL = ("latent", "plan")


class ScenarioError(UserError):
    """A scenario breaks the contract; the message names the scenario and what is wrong."""


def check_scenario(scenario: str | Scenario, seeds: Sequence[int] = (0, 1), steps: int = 400) -> None:
    """Raise ScenarioError where a scenario (a name, `module:Attribute`, or an object) breaks the contract.

    Plays `steps` decision points of each world of `seeds` (at least two) with random actions, possible and impossible ones, then
    whole episodes. No element of the observation may be constant, but for those whose names ("context.outdoor.sun")
    match a pattern in the scenario's `constant_ok`.
    """
    name = scenario if isinstance(scenario, str) else getattr(scenario, "id", type(scenario).__name__)
    try:
        found = find_scenario(scenario, {})
        _declared(found)
        for seed in seeds:
            _play(found, seed, steps)
        _seeds_differ(found, seeds, steps)
        _batched(found, seeds[0], steps)
        _to_the_end(found, seeds[0])
        _nothing_constant(found, seeds[0])
        _logged(found, seeds[0], steps)
        if timer := vars(found.params).get("timer"):
            _logged(found.with_params(timer=2 * timer), seeds[0], steps)
        _drawn(found, seeds[0])
    except ScenarioError as error:
        raise ScenarioError(f"scenario {name}: {error}") from None
    except UserError:
        raise
    except Exception as error:  # whatever the scenario's own code raises
        kind = "" if isinstance(error, NotImplementedError) and str(error) else f"{type(error).__name__}: "
        raise ScenarioError(f"scenario {name}: {kind}{error}") from error


def _require(holds: Any, what: str) -> None:
    if not holds:
        raise ScenarioError(what)


def _declared(found: Scenario) -> None:
    """What it says of itself."""
    for name in ("id", "vocabulary", "reward_weights", "utility_weights"):
        _require(hasattr(found, name), f"has no {name}")
    _require(
        found.interaction in ("anticipate", "advise"),
        f"interaction {found.interaction!r} is neither anticipate nor advise",
    )
    v = found.vocabulary
    _require(len(v) > 1, "its vocabulary holds no action but none")
    _require(len(v.patience) == len(v), "patience needs one number per action")
    _require(min(v.patience) >= 0, "patience must not be negative")
    _require(found.n_users >= 1, f"n_users is {found.n_users}")
    _require(found.days > 0, f"an episode lasts {found.days} days")
    for weights in (found.reward_weights, found.utility_weights):
        _require(
            weights and np.isfinite(list(weights.values())).all(), "reward and utility need terms with finite weights"
        )
    clash = [k for k in found.utility_weights if not UTILITY_TERM.name(UTILITY_TERM.prefix + k)]
    _require(not clash, f"a term of utility must not be called {', '.join(clash)}: so is a metric of all scenarios")
    names = found.latent_names
    _require(len(set(names)) == len(names), "latent_names holds a name twice")
    days, longer = int(found.days) + 1, found.with_params(days=int(found.days) + 1).days
    _require(longer == days, f"an episode of {days} days lasts {longer}; `days` has to be one of its settings")
    own = {**found.baselines(), **found.rungs(), **found.exploits()}
    known = {*registry.agent_names(without="" if names else "latent"), *own}
    unknown = [agent for agent in found.ladder.values() if agent not in known]
    without = "" if names else ", for want of latent_names"
    _require(not unknown, f"its ladder holds {', '.join(unknown)}, which is no agent here{without}")


def _choices(found: Scenario, seed: int, often: float) -> Iterator[tuple[float, float]]:
    """Pairs of draws for an agent: does it act, and how."""
    stream = Stream(key_of(seed, "check", found.id))
    for i in range(10**9):
        yield stream.uniform(2 * i) / often, stream.uniform(2 * i + 1)


def _reveal(found: Scenario) -> tuple[str, ...]:
    return REVEAL if found.latent_names else ("plan",)


def _play(found: Scenario, seed: int, steps: int) -> None:
    """One world. Beside it runs its twin, which gets none in place of every impossible action."""
    env, twin = (LamEnv(found, reveal=_reveal(found)) for _ in range(2))
    observation, _ = env.reset(seed=seed)
    other, _ = twin.reset(seed=seed)
    kept, copies = [observation], [_copy(observation)]
    for _, (acts, which) in zip(range(steps), _choices(found, seed, 0.3), strict=False):
        _sound(found, env, observation)
        _require(
            _same(observation, other),
            "the same seed and actions give another trajectory, or an impossible action is not carried out as none",
        )
        mask = observation["action_mask"]
        action = int(which * len(mask)) if acts < 1 else 0
        masked = env.world.masked if env.world else 0
        observation, reward, terminated, truncated, info = env.step(action)
        other, its_reward, _, _, _ = twin.step(action if mask[action] else 0)
        _require(reward == its_reward, f"action {found.vocabulary.actions[action]} is masked and changes the reward")
        _require(info["masked"] - masked == (not mask[action]), "impossible actions are not counted in info['masked']")
        _judged(found, reward, terminated, info)
        if truncated:
            break
        kept.append(observation)
        copies.append(_copy(observation))
        shared = [k for k in observation if np.may_share_memory(observation[k], kept[-2][k])]
        _require(not shared, f"{', '.join(shared)} of two steps share memory")
    _require(all(_same(a, b) for a, b in zip(kept, copies, strict=True)), "an observation changes after it was given")


def _seeds_differ(found: Scenario, seeds: Sequence[int], steps: int) -> None:
    """With nobody acting, what happens depends on the seed."""
    before: dict[tuple[int, ...], int] = {}
    for seed in seeds:
        env, times, truncated = LamEnv(found), list[int](), False
        env.reset(seed=seed)
        while len(times) < steps and not truncated:
            observation, _, _, truncated, _ = env.step(0)
            times.append(int(observation["epoch"][0]))
        twin = before.setdefault(tuple(times), seed)
        _require(twin == seed, f"seeds {twin} and {seed} give the same world")


def _copy(observation: Observation) -> Observation:
    return {k: v.copy() for k, v in observation.items()}


def _same(a: Observation, b: Observation) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def _sound(found: Scenario, env: LamEnv, observation: Observation) -> None:
    space = cast(spaces.Dict, env.observation_space)
    for key, value in observation.items():
        _require(
            np.isfinite(value).all(),
            f"observation {key} holds a number that is not finite: "
            f"{', '.join(_names(found, key, ~np.isfinite(value)))}",
        )
        _require(space[key].contains(value), f"observation {key} is outside its space {space[key]}: {value}")
    _require(space.contains(observation), f"the observation has keys {sorted(observation)}, its space {sorted(space)}")
    always = "none (index 0 of the mask) must always be possible: a world writes row.mask[0] = 1, from the start"
    _require(observation["action_mask"][0] == 1, always)


def _judged(found: Scenario, reward: Any, terminated: bool, info: dict[str, Any]) -> None:
    terms = info["reward_terms"]
    unknown = sorted(set(terms) - set(found.reward_weights))
    _require(not unknown, f"reward terms without a weight: {', '.join(unknown)}")
    total = sum(found.reward_weights[k] * v for k, v in terms.items())
    _require(
        np.isfinite(reward) and abs(reward - total) < 1e-9,
        f"a reward of {reward} is not the weighted sum {total} of its terms",
    )
    _require(not terminated, "an episode is terminated; the time limit truncates and nothing terminates")


def _batched(found: Scenario, seed: int, steps: int) -> None:
    """Two worlds side by side are two single ones."""
    batch = LamVectorEnv(2, found, reveal=_reveal(found))
    singles = [LamEnv(found, reveal=_reveal(found)) for _ in range(2)]
    many, _ = batch.reset(seed=seed)
    ones = [env.reset(seed=seed + i)[0] for i, env in enumerate(singles)]
    for _, (acts, which) in zip(range(steps), _choices(found, seed + 1, 0.3), strict=False):
        for i, one in enumerate(ones):
            row = {k: v[i] for k, v in many.items()}
            _require(
                _same(row, one),
                f"{[k for k in one if not np.array_equal(one[k], row[k])]} of a batch differs from a single world's",
            )
        action = int(which * len(found.vocabulary)) if acts < 1 else 0
        many, rewards, _, truncated, _ = batch.step(np.array([action, action]))
        results = [env.step(action) for env in singles]
        _require(
            [r[1] for r in results] == rewards.tolist(),
            "the rewards of a batch differ from those of a single environment",
        )
        _require(
            [r[3] for r in results] == truncated.tolist(),
            "the end of a batch differs from that of a single environment",
        )
        if truncated.any():
            break
        ones = [r[0] for r in results]


def _to_the_end(found: Scenario, seed: int) -> None:
    """A whole episode, recorded: it ends by truncation, and its totals are numbers."""
    env, choices = LamEnv(found, record=True), _choices(found, seed, OFTEN)
    observation, _ = env.reset(seed=seed)
    truncated, info, time = False, dict[str, Any](), int(observation["epoch"][0])
    while not truncated:
        acts, which = next(choices)
        action = int(which * len(found.vocabulary)) if acts < 1 else 0
        observation, reward, terminated, truncated, info = env.step(action)
        _judged(found, reward, terminated, info)
        _require(observation["epoch"][0] >= time, "time runs backwards")
        time = int(observation["epoch"][0])
    assert env.world is not None
    end = env.world.end // env.world.second
    _require(time == end, f"the episode ends at second {time} and not at {end}")
    odd = [k for k, v in info["totals"].items() if not np.isfinite(v)]
    _require(not odd, f"not finite at the end of an episode: {', '.join(odd)}")
    kpis = found.kpis(env.world)
    clash = [k for k in kpis if k.startswith(KPI.prefix)]
    _require(not clash, f"KPIs are named without the prefix {KPI.prefix}: {', '.join(clash)}")
    if found.params == found.Params():  # a shorter episode may lack some
        missing = [k for k in found.key_figures if k not in kpis]
        _require(not missing, f"key_figures that kpis does not give: {', '.join(missing)}")
    differ = set(env.world.utility_totals).symmetric_difference(found.utility_weights)
    _require(not differ, f"utility_totals and utility_weights differ in {', '.join(sorted(differ))}")
    _recorded(found, env.world)


def _recorded(found: Scenario, world: World) -> None:
    """What an episode leaves in a log can be read: events speak of persons, names and acts that there are."""
    v, log = found.vocabulary, log_of([world])
    for kind, names in enumerate((v.actions, v.actions, v.feedback, v.sensors, v.readings)):
        most = int(log.token[log.kind == kind].max(initial=-1))
        _require(most < len(names), f"{KINDS[kind]} {most} is recorded, and the vocabulary holds {len(names)}")
    most = int(log.user.max(initial=0))
    _require(most < found.n_users, f"an event of user {most} is recorded, and n_users is {found.n_users}")
    ahead = (log.answers >= np.cumsum(log.kind == AGENT)).any()
    _require(not ahead, "an act is answered before it is done: its id is `agent_acts` while `act` is called")


def _nothing_constant(found: Scenario, seed: int) -> None:
    """Every element that an agent sees moves in some episode of a few worlds; of feedback, which a random agent hears
    little of, some acceptance and some refusal: if need be, of one that acts more often."""
    moved, possible = _moving(found, seed, ACTING)
    _require(possible[1:].any(), "nothing is ever possible: a world writes row.mask[action] = 1 where it is")
    hidden = moved.pop("latent", np.ones(1, bool))
    _require(hidden.any(), 'latent never moves: a world writes row.latent where `reveal` holds "latent"')
    feedback = moved.pop("feedback")
    if not all(half.any() for half in np.split(feedback, 2)):
        feedback |= _moving(found, seed, OFTEN)[0]["feedback"]
    for heard, what, good in zip(np.split(feedback, 2), ("acceptance", "refusal"), (True, False), strict=True):
        where = f"of a random agent's action in {WORLDS} whole episodes"
        _require(heard.any(), f"no {what} {where}: say it by feedback_event(..., good={good})")
    allowed = ("action_mask.none", *found.constant_ok)
    still = [name for k in moved for name in _names(found, k, ~moved[k])]
    still = [n for n in still if not any(fnmatch.fnmatchcase(n, pattern) for pattern in allowed)]
    _require(not still, f"constant in {WORLDS} whole episodes (constant_ok may except them): {', '.join(still)}")


def _moving(found: Scenario, seed: int, often: float) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What differs in whole episodes from the first observation, and (A,) what was ever possible; it acts `often`."""
    env = LamVectorEnv(
        WORLDS, found, reveal=("latent",) if found.latent_names else (), autoreset_mode=AutoresetMode.DISABLED
    )
    observation, _ = env.reset(seed=seed)
    first = _copy(observation)
    moved = {k: np.zeros(v.shape[1:], bool) for k, v in first.items()}
    possible = np.zeros(len(found.vocabulary), bool)
    draws = Stream(key_of(seed, "check", "constant"))
    for step in range(10**9):
        mask = observation["action_mask"]
        possible |= mask.any(0)
        u = draws.block(step * WORLDS, WORLDS)
        kth = (u / often * mask.sum(1)).astype(int)  # the k-th possible action, of which the first is none
        chosen = (np.cumsum(mask, 1) > kth[:, None]).argmax(1)
        observation, *_ = env.step(np.where(u < often, chosen, 0))
        for k, v in observation.items():
            moved[k] |= (v != first[k][:1]).any(0)
        if env.finished.all():
            break
    return moved, possible


def _names(found: Scenario, key: str, which: np.ndarray) -> list[str]:
    """Names of the elements of one part of the observation for which `which` holds."""
    v = found.vocabulary
    tokens = [v.token_name(i) for i in range(v.n_tokens)]
    actions = list(v.actions)
    known: dict[str, Sequence[str]] = {
        "epoch": EPOCH_FIELDS,
        "context": v.readings,
        "since": tokens,
        "action_mask": actions,
        "latent": found.latent_names,
    }
    names = known.get(key, [str(i) for i in range(len(which))])
    return [f"{key}.{names[i]}" for i in np.flatnonzero(which).tolist()]


def _logged(found: Scenario, seed: int, steps: int) -> None:
    """The decision points of a recorded log are those that were shown, whatever the agent does."""
    env = LamEnv(found, record=True)
    observation, _ = env.reset(seed=seed)
    world, shown, truncated = env.world, [observation], False
    assert world is not None
    _require(
        found.personal or (world.now == world.start and not observation["epoch"][EPOCH_FIELDS.index("new")]),
        "its world has run to an event when it is made; leave run_until_decision to the environment's first step",
    )
    for _, (acts, which) in zip(range(steps), _choices(found, seed, 0.3), strict=False):
        observation, _, _, truncated, _ = env.step(int(which * len(found.vocabulary)) if acts < 1 else 0)
        if truncated:
            break
        if not observation["epoch"][4]:  # a follow-up is none of its own
            shown.append(observation)
    seen = from_observation({k: np.stack([o[k] for o in shown]) for k in observation}, found.vocabulary)
    stream, logged = seen.user * found.personal, decision_points(log_of([world]))
    for one in np.unique(stream):
        mine = seen.select(stream == one)
        its = logged.select(np.flatnonzero(logged.world == one)[: len(mine)])  # the log goes on to the world's end
        differ = [
            k for k in ("time", "gap", "tokens", "context") if not np.array_equal(getattr(mine, k), getattr(its, k))
        ]
        _require(not differ, f"the decision points of a recorded log differ from those shown in {', '.join(differ)}")


def _drawn(found: Scenario, seed: int) -> None:
    env = LamEnv(found)
    env.reset(seed=seed)
    for _ in range(20):
        env.step(0)
    assert env.world is not None
    scene = found.scene(env.world)
    _require(isinstance(scene, Scene), f"scene gives a {type(scene).__name__} and not a Scene")
    image = rgb_array(scene, width=240)
    _require(image.std() > 0, "scene draws an empty picture")
    _require(ansi(scene).strip(), "scene draws an empty text")
