"""The contract that every scenario keeps, as a check that anybody can run on her own."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from lam_env.catalogue import KPI, UTILITY_TERM
from lam_env.contracts import Observation
from lam_env.envs import draw
from lam_env.envs.scenario import Scenario
from lam_env.envs.scene import Scene
from lam_env.envs.single import LamEnv, find_scenario
from lam_env.envs.vector import LamVectorEnv
from lam_env.errors import UserError
from lam_env.rng import Stream, key_of
from lam_env.rows import EPOCH_FIELDS

WORLDS = 8  # in which an element of the observation must move
ACTING = 0.05  # share of epochs at which the random agent acts: more, and people give it up
REVEAL = ("latent", "plan")


class ScenarioError(UserError):
    """A scenario breaks the contract; the message names the scenario and what is wrong."""


def check_scenario(scenario: str | Scenario, seeds: Sequence[int] = (0, 1), steps: int = 400) -> None:
    """Raise ScenarioError where a scenario (a name, `module:Attribute`, or an object) breaks the contract.

    Plays `steps` epochs of each world of `seeds` (at least two) with random actions, possible and impossible ones, then whole episodes.
    No element of the observation may be constant, but for those whose names ("context.outdoor.sun") match a pattern in
    the scenario's `constant_ok`.
    """
    found = find_scenario(scenario, {})
    try:
        _declared(found)
        for seed in seeds:
            _play(found, seed, steps)
        _seeds_differ(found, seeds, steps)
        _batched(found, seeds[0], steps)
        _to_the_end(found, seeds[0])
        _nothing_constant(found, seeds[0])
        _drawn(found, seeds[0])
    except UserError:
        raise
    except Exception as error:  # whatever the scenario's own code raises
        raise ScenarioError(f"scenario {_name(found)}: {type(error).__name__}: {error}") from error


def _name(found: Scenario) -> str:
    return str(getattr(found, "id", type(found).__name__))


def _require(holds: Any, found: Scenario, what: str) -> None:
    if not holds:
        raise ScenarioError(f"scenario {_name(found)}: {what}")


def _declared(found: Scenario) -> None:
    """What it says of itself."""
    for name in ("id", "vocabulary", "reward_weights", "utility_weights"):
        _require(hasattr(found, name), found, f"has no {name}")
    _require(
        found.interaction in ("anticipate", "advise"),
        found,
        f"interaction {found.interaction!r} is neither anticipate nor advise",
    )
    v = found.vocabulary
    _require(len(v) > 1, found, "its vocabulary holds no action but none")
    _require(len(v.patience) == len(v), found, "patience needs one number per action")
    _require(min(v.patience) >= 0, found, "patience must not be negative")
    _require(found.n_users >= 1, found, f"n_users is {found.n_users}")
    _require(found.days > 0, found, f"an episode lasts {found.days} days")
    for weights in (found.reward_weights, found.utility_weights):
        _require(
            weights and np.isfinite(list(weights.values())).all(),
            found,
            "reward and utility need terms with finite weights",
        )
    clash = [k for k in found.utility_weights if not UTILITY_TERM.name(UTILITY_TERM.prefix + k)]
    _require(
        not clash, found, f"a term of utility must not be called {', '.join(clash)}: so is a metric of all scenarios"
    )
    names = found.latent_names
    _require(len(set(names)) == len(names), found, "latent_names holds a name twice")


def _choices(found: Scenario, seed: int, often: float) -> Iterator[tuple[float, float]]:
    """Pairs of draws for an agent: does it act, and how."""
    stream = Stream(key_of(seed, "check", _name(found)))
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
            found,
            "the same seed and actions give another trajectory, or an impossible action is not carried out as none",
        )
        mask = observation["action_mask"]
        action = int(which * len(mask)) if acts < 1 else 0
        masked = env.world.masked if env.world else 0
        observation, reward, terminated, truncated, info = env.step(action)
        other, its_reward, _, _, _ = twin.step(action if mask[action] else 0)
        _require(
            reward == its_reward, found, f"action {found.vocabulary.actions[action]} is masked and changes the reward"
        )
        _require(
            info["masked"] - masked == (not mask[action]), found, "impossible actions are not counted in info['masked']"
        )
        _judged(found, reward, terminated, info)
        if truncated:
            break
        kept.append(observation)
        copies.append(_copy(observation))
        shared = [k for k in observation if np.may_share_memory(observation[k], kept[-2][k])]
        _require(not shared, found, f"{', '.join(shared)} of two steps share memory")
    _require(
        all(_same(a, b) for a, b in zip(kept, copies, strict=True)), found, "an observation changes after it was given"
    )


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
        _require(twin == seed, found, f"seeds {twin} and {seed} give the same world")


def _copy(observation: Observation) -> Observation:
    return {k: v.copy() for k, v in observation.items()}


def _same(a: Observation, b: Observation) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def _sound(found: Scenario, env: LamEnv, observation: Observation) -> None:
    space = cast(spaces.Dict, env.observation_space)
    for key, value in observation.items():
        _require(
            np.isfinite(value).all(),
            found,
            f"observation {key} holds a number that is not finite: {', '.join(_names(found, key, ~np.isfinite(value)))}",
        )
        _require(space[key].contains(value), found, f"observation {key} is outside its space {space[key]}: {value}")
    _require(
        space.contains(observation), found, f"the observation has keys {sorted(observation)}, its space {sorted(space)}"
    )
    _require(observation["action_mask"][0] == 1, found, "none (index 0 of the mask) must always be possible")


def _judged(found: Scenario, reward: Any, terminated: bool, info: dict[str, Any]) -> None:
    terms = info["reward_terms"]
    unknown = sorted(set(terms) - set(found.reward_weights))
    _require(not unknown, found, f"reward terms without a weight: {', '.join(unknown)}")
    total = sum(found.reward_weights[k] * v for k, v in terms.items())
    _require(
        np.isfinite(reward) and abs(reward - total) < 1e-9,
        found,
        f"a reward of {reward} is not the weighted sum {total} of its terms",
    )
    _require(not terminated, found, "an episode is terminated; the time limit truncates and nothing terminates")


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
                found,
                f"{[k for k in one if not np.array_equal(one[k], row[k])]} of a batch differs from that of a single environment",
            )
        action = int(which * len(found.vocabulary)) if acts < 1 else 0
        many, rewards, _, truncated, _ = batch.step(np.array([action, action]))
        results = [env.step(action) for env in singles]
        _require(
            [r[1] for r in results] == rewards.tolist(),
            found,
            "the rewards of a batch differ from those of a single environment",
        )
        _require(
            [r[3] for r in results] == truncated.tolist(),
            found,
            "the end of a batch differs from that of a single environment",
        )
        if truncated.any():
            break
        ones = [r[0] for r in results]


def _to_the_end(found: Scenario, seed: int) -> None:
    """A whole episode without an agent: it ends by truncation, and its totals are numbers."""
    env = LamEnv(found)
    observation, _ = env.reset(seed=seed)
    truncated, info, time = False, dict[str, Any](), int(observation["epoch"][0])
    while not truncated:
        observation, reward, terminated, truncated, info = env.step(0)
        _judged(found, reward, terminated, info)
        _require(observation["epoch"][0] >= time, found, "time runs backwards")
        time = int(observation["epoch"][0])
    assert env.world is not None
    end = env.world.end // env.world.second
    _require(time == end, found, f"the episode ends at second {time} and not at {end}")
    odd = [k for k, v in info["totals"].items() if not np.isfinite(v)]
    _require(not odd, found, f"not finite at the end of an episode: {', '.join(odd)}")
    kpis = found.kpis(env.world)
    clash = [k for k in kpis if k.startswith(KPI.prefix)]
    _require(not clash, found, f"KPIs are named without the prefix {KPI.prefix}: {', '.join(clash)}")
    if found.params == found.Params():  # a shorter episode may lack some
        missing = [k for k in found.key_figures if k not in kpis]
        _require(not missing, found, f"key figures that are no KPIs: {', '.join(missing)}")


def _nothing_constant(found: Scenario, seed: int) -> None:
    """Every element that an agent sees moves in some episode of a few worlds; of feedback, which a random agent hears
    little of, some acceptance and some refusal."""
    env = LamVectorEnv(WORLDS, found, autoreset=False)
    observation, _ = env.reset(seed=seed)
    first = _copy(observation)
    moved = {k: np.zeros(v.shape[1:], bool) for k, v in first.items()}
    draws = Stream(key_of(seed, "check", "constant"))
    for step in range(10**9):
        mask = observation["action_mask"]
        u = draws.block(step * WORLDS, WORLDS)
        kth = (u / ACTING * mask.sum(1)).astype(int)  # the k-th possible action, of which the first is none
        chosen = (np.cumsum(mask, 1) > kth[:, None]).argmax(1)
        observation, *_ = env.step(np.where(u < ACTING, chosen, 0))
        for k, v in observation.items():
            moved[k] |= (v != first[k][:1]).any(0)
        if env.finished.all():
            break
    for heard, what in zip(np.split(moved.pop("feedback"), 2), ("acceptance", "refusal"), strict=True):
        _require(heard.any(), found, f"no {what} of a random agent's action in {WORLDS} whole episodes")
    allowed = ("action_mask.none", *getattr(found, "constant_ok", ()))
    still = [name for k in moved for name in _names(found, k, ~moved[k])]
    still = [n for n in still if not any(fnmatch.fnmatchcase(n, pattern) for pattern in allowed)]
    _require(not still, found, f"constant in {WORLDS} whole episodes (constant_ok may except them): {', '.join(still)}")


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


def _drawn(found: Scenario, seed: int) -> None:
    env = LamEnv(found)
    env.reset(seed=seed)
    for _ in range(20):
        env.step(0)
    assert env.world is not None
    scene = found.scene(env.world)
    _require(isinstance(scene, Scene), found, f"scene gives a {type(scene).__name__} and not a Scene")
    image = draw.rgb_array(scene, width=240)
    _require(image.std() > 0, found, "scene draws an empty picture")
    _require(draw.ansi(scene).strip(), found, "scene draws an empty text")
