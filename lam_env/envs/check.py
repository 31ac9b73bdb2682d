"""The contract that every scenario keeps, as a check that anybody can run on their own."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from lam_env.config.convert import short
from lam_env.core import registry
from lam_env.core.catalogue import KPI, UTILITY_TERM
from lam_env.core.contracts import Observation
from lam_env.core.errors import UserError, last_place
from lam_env.core.events import AGENT, BAD, FEEDBACK, GOOD, KINDS
from lam_env.core.observation import EPOCH_FIELDS
from lam_env.core.rng import Stream, key_of
from lam_env.envs.batch_info import infos_of
from lam_env.envs.pixels import rgb_array
from lam_env.envs.recording import log_of
from lam_env.envs.scenario import Scenario, ScenarioError
from lam_env.envs.scene import Scene
from lam_env.envs.single import LamEnv, find_scenario
from lam_env.envs.terminal import ansi
from lam_env.envs.vector import LamVectorEnv
from lam_env.logs.decision_points import decision_points, from_observation
from lam_env.sim.persons import PersonalWorld
from lam_env.sim.world import World

WORLDS = 8  # in which an element of the observation must move
ACTING = 0.05  # share of decision points at which the random agent acts: more, and people give it up
OFTEN = 0.5  # to hear every answer that there is
COPIES, AFTER = 3, 200  # how many copies are made of a world, and for how many decision points each is watched
REVEAL = ("latent", "plan")


def check_scenario(scenario: str | Scenario, seeds: Sequence[int] = (0, 1), steps: int = 400) -> bool:
    """Raise ScenarioError where a scenario (a name, `module:Attribute`, or an object) breaks the contract.

    Plays `steps` decision points of each world of `seeds` (at least two) with random actions, possible and impossible
    ones, then whole episodes. No element of the observation may be constant, but for those whose names
    ("context.outdoor.sun") match a pattern in the scenario's `constant_ok`.

    Returns whether copies of its worlds as they stand go on alike, so that the worlds may say `quick = True`.
    """
    name = scenario if isinstance(scenario, str) else getattr(scenario, "id", type(scenario).__name__)
    try:
        scenario = find_scenario(scenario, {})
        _declared(scenario)
        for seed in seeds:
            _play(scenario, seed, steps)
        _seeds_differ(scenario, seeds, steps)
        _batched(scenario, seeds[0], steps)
        _to_the_end(scenario, seeds[0])
        _nothing_constant(scenario, seeds[0])
        _logged(scenario, seeds[0], steps)
        if timer := vars(scenario.params).get("timer"):
            _logged(scenario.with_params(timer=2 * timer), seeds[0], steps)
        _drawn(scenario, seeds[0])
        return copies_hold(scenario, seeds[0])
    except ScenarioError as error:
        raise ScenarioError(f"scenario {name}: {error}") from None
    except (Exception, SystemExit) as error:  # whatever the scenario's own code raises
        own = {type(scenario).__module__.partition(".")[0]} - {"lam_env", "builtins"}
        place = last_place(error, own)
        if isinstance(error, UserError) and place is None:
            raise
        said = isinstance(error, UserError) or (isinstance(error, NotImplementedError) and str(error))
        kind = "" if said else f"{type(error).__name__}: "
        raise ScenarioError(f"scenario {name}: {kind}{error}{f' ({place[1]})' if place else ''}") from error


def _require(holds: object, what: str) -> None:
    if not holds:
        raise ScenarioError(what)


def _declared(scenario: Scenario) -> None:
    """What it says of itself."""
    for name in ("id", "vocabulary", "reward_weights", "utility_weights"):
        _require(hasattr(scenario, name), f"has no {name}")
    known = scenario.interaction in ("anticipate", "advise")
    _require(known, f"interaction {scenario.interaction!r} is neither anticipate nor advise")
    v = scenario.vocabulary
    _require(len(v) > 1, "its vocabulary holds no action but none")
    for words, what in ((GOOD, "acceptance"), (BAD, "refusal")):
        known = not v.feedback or any(word in words for word in v.feedback)
        no_such = f"no word of its feedback ({', '.join(v.feedback)}) is known as {what}"
        _require(known, f"{no_such} where an agent serves: take {' or '.join(words)}")
    _require(min(v.patience) >= 0, "patience must not be negative")
    _require(scenario.n_users >= 1, f"n_users is {scenario.n_users:,}")
    _require(scenario.days > 0, f"an episode lasts {scenario.days} days")
    for weights in (scenario.reward_weights, scenario.utility_weights):
        finite = weights and np.isfinite(list(weights.values())).all()
        _require(finite, "reward and utility need terms with finite weights")
    figures = scenario.key_figures
    headings = isinstance(figures, dict) and all(isinstance(text, str) for text in (*figures, *figures.values()))
    _require(
        headings, f'key_figures is {short(figures)}: give a dictionary of name and heading, {{"cups": "cups a day"}}'
    )
    clash = [k for k in scenario.utility_weights if not UTILITY_TERM.name(UTILITY_TERM.prefix + k)]
    _require(not clash, f"a term of utility must not be called {', '.join(clash)}: so is a metric of all scenarios")
    names = scenario.latent_names
    _require(len(set(names)) == len(names), "latent_names holds a name twice")
    days, longer = int(scenario.days) + 1, scenario.with_params(days=int(scenario.days) + 1).days
    _require(longer == days, f"an episode of {days} days lasts {longer}; `days` has to be one of its settings")
    own = {**scenario.baselines(), **scenario.rungs(), **scenario.exploits()}
    agents = {*registry.agent_names(without=scenario.lacks), *own}
    unknown = [agent for agent in scenario.ladder.values() if agent not in agents]
    without = "" if names else ", for want of latent_names"
    _require(not unknown, f"its ladder holds {', '.join(unknown)}, which is no agent here{without}")


def _choices(scenario: Scenario, seed: int, often: float) -> Iterator[tuple[float, float]]:
    """Pairs of draws for an agent: does it act, and how."""
    stream = Stream(key_of(seed, "check", scenario.id))
    for i in range(10**9):
        yield stream.uniform(2 * i) / often, stream.uniform(2 * i + 1)


def _reveal(scenario: Scenario) -> tuple[str, ...]:
    return REVEAL if scenario.latent_names else ("plan",)


def _play(scenario: Scenario, seed: int, steps: int) -> None:
    """One world. Beside it runs its twin, which gets none in place of every impossible action."""
    env, twin = (LamEnv(scenario, reveal=_reveal(scenario)) for _ in range(2))
    observation, _ = env.reset(seed=seed)
    other, _ = twin.reset(seed=seed)
    observations, copies = [observation], [_copy(observation)]
    for _, (acts, which) in zip(range(steps), _choices(scenario, seed, 0.3), strict=False):
        _sound(scenario, env, observation)
        same = "the same seed and actions give another trajectory, or an impossible action is not carried out as none"
        _require(_same(observation, other), same)
        mask = observation["action_mask"]
        action = int(which * len(mask)) if acts < 1 else 0
        masked = env.world.masked if env.world else 0
        observation, reward, terminated, truncated, info = env.step(action)
        other, its_reward, _, _, _ = twin.step(action if mask[action] else 0)
        _require(reward == its_reward, f"action {scenario.vocabulary.actions[action]} is masked and changes the reward")
        _require(info["masked"] - masked == (not mask[action]), "impossible actions are not counted in info['masked']")
        _judged(scenario, reward, info)
        if terminated or truncated:
            break
        observations.append(observation)
        copies.append(_copy(observation))
        shared = [k for k in observation if np.may_share_memory(observation[k], observations[-2][k])]
        _require(not shared, f"{', '.join(shared)} of two steps share memory")
    _require(all(_same(a, b) for a, b in zip(observations, copies, strict=True)), "an observation changes afterwards")


def _seeds_differ(scenario: Scenario, seeds: Sequence[int], steps: int) -> None:
    """With nobody acting, what happens depends on the seed."""
    before: dict[tuple[int, ...], int] = {}
    for seed in seeds:
        env, times, over = LamEnv(scenario), list[int](), False
        env.reset(seed=seed)
        while len(times) < steps and not over:
            observation, _, terminated, truncated, _ = env.step(0)
            over = terminated or truncated
            times.append(int(observation["epoch"][0]))
        twin = before.setdefault(tuple(times), seed)
        _require(twin == seed, f"seeds {twin} and {seed} give the same world")


def _copy(observation: Observation) -> Observation:
    return {k: v.copy() for k, v in observation.items()}


def _same(a: Observation, b: Observation) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def _sound(scenario: Scenario, env: LamEnv, observation: Observation) -> None:
    space = cast(spaces.Dict, env.observation_space)
    for key, value in observation.items():
        odd = ", ".join(_names(scenario, key, ~np.isfinite(value)))
        _require(not odd, f"observation {key} holds a number that is not finite: {odd}")
        _require(space[key].contains(value), f"observation {key} is outside its space {space[key]}: {value}")
    _require(space.contains(observation), f"the observation has keys {sorted(observation)}, its space {sorted(space)}")
    always = "none (index 0 of the mask) must always be possible: a world writes row.mask[0] = 1, from the start"
    _require(observation["action_mask"][0] == 1, always)


def _judged(scenario: Scenario, reward: float, info: Mapping[str, Any]) -> None:
    terms = info["reward_terms"]
    unknown = sorted(set(terms) - set(scenario.reward_weights))
    _require(not unknown, f"reward terms without a weight: {', '.join(unknown)}")
    total = sum(scenario.reward_weights[k] * v for k, v in terms.items())
    right = np.isfinite(reward) and abs(reward - total) < 1e-9
    _require(right, f"a reward of {reward} is not the weighted sum {total} of its terms")


def _batched(scenario: Scenario, seed: int, steps: int) -> None:
    """Two worlds side by side are two single ones."""
    batch = LamVectorEnv(2, scenario, reveal=_reveal(scenario))
    singles = [LamEnv(scenario, reveal=_reveal(scenario)) for _ in range(2)]
    many, _ = batch.reset(seed=[seed, seed + 1])
    ones = [env.reset(seed=seed + i)[0] for i, env in enumerate(singles)]
    for _, (acts, which) in zip(range(steps), _choices(scenario, seed + 1, 0.3), strict=False):
        for i, one in enumerate(ones):
            differ = [k for k in one if not np.array_equal(one[k], many[k][i])]
            _require(not differ and one.keys() == many.keys(), f"{differ} of a batch differs from a single world's")
        action = int(which * len(scenario.vocabulary)) if acts < 1 else 0
        many, rewards, terminated, truncated, info = batch.step(np.array([action, action]))
        results = [env.step(action) for env in singles]
        for what, many_of_it, k in (("rewards", rewards, 1), ("ends", terminated, 2), ("ends", truncated, 3)):
            alike = [r[k] for r in results] == many_of_it.tolist()
            _require(alike, f"the {what} of a batch differ from those of single environments")
        if (terminated | truncated).any():
            break
        _require(
            [r[4] for r in results] == infos_of(info, 2), "info of a batch differs from that of single environments"
        )
        ones = [r[0] for r in results]


def _to_the_end(scenario: Scenario, seed: int) -> None:
    """A whole episode, recorded: it ends, by truncation or as terminated, and its totals are numbers."""
    env, choices = LamEnv(scenario, record=True), _choices(scenario, seed, OFTEN)
    observation, _ = env.reset(seed=seed)
    over, time = False, int(observation["epoch"][0])
    while not over:
        acts, which = next(choices)
        action = int(which * len(scenario.vocabulary)) if acts < 1 else 0
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        _judged(scenario, reward, info)
        _require(observation["epoch"][0] >= time, "time runs backwards")
        time = int(observation["epoch"][0])
    assert env.world is not None
    end = env.world.end // env.world.second
    _require(time == end, f"the episode ends at second {time} and not at {end}")
    odd = [k for k, v in info["totals"].items() if not np.isfinite(v)]
    _require(not odd, f"not finite at the end of an episode: {', '.join(odd)}")
    kpis = scenario.kpis(env.world)
    clash = [k for k in kpis if k.startswith(KPI.prefix)]
    _require(not clash, f"KPIs are named without the prefix {KPI.prefix}: {', '.join(clash)}")
    if scenario.params == scenario.Params():  # a shorter episode may lack some
        missing = [k for k in scenario.key_figures if k not in kpis]
        _require(not missing, f"key_figures that kpis does not give: {', '.join(missing)}")
    _recorded(scenario, env.world)


def _recorded(scenario: Scenario, world: World) -> None:
    """What an episode leaves in a log can be read: events speak of persons, names and acts that there are."""
    v, log = scenario.vocabulary, log_of([world])
    for kind, names in enumerate((v.actions, v.actions, v.feedback, v.sensors, v.readings)):
        most = int(log.token[log.kind == kind].max(initial=-1))
        _require(most < len(names), f"{KINDS[kind]} {most} is recorded, and the vocabulary holds {len(names):,}")
    most = int(log.user.max(initial=0))
    _require(most < scenario.n_users, f"an event of user {most} is recorded, and n_users is {scenario.n_users:,}")
    rows = world.persons if isinstance(world, PersonalWorld) else [world.row]
    counted = np.sum([row.feedback for row in rows], 0).reshape(2, -1).sum(1)
    for n, words, good in zip(counted, (GOOD, BAD), (True, False), strict=True):
        meant = [i for i, word in enumerate(v.feedback) if word in words]
        logged = int(np.isin(log.token[log.kind == FEEDBACK], meant).sum())
        differ = f"its feedback is {n:.0f} times good={good}, and {logged} times one of {', '.join(words)}"
        _require(n == logged, f"{differ}, by which a serving agent goes: let them agree")
    ahead = (log.answers >= np.cumsum(log.kind == AGENT)).any()
    _require(not ahead, "an act is answered before it is done: its id is `agent_acts` while `act` is called")


def _nothing_constant(scenario: Scenario, seed: int) -> None:
    """Every element that an agent sees moves in some episode of a few worlds, but for what was `heard`, which has far
    more cells than answers; of feedback some acceptance and some refusal, if need be of one that acts more often."""
    moved, possible = _moving(scenario, seed, ACTING)
    _require(possible[1:].any(), "nothing is ever possible: a world writes row.mask[action] = 1 where it is")
    hidden = moved.pop("latent", np.ones(1, bool))
    _require(hidden.any(), 'latent never moves: a world writes row.latent where `reveal` holds "latent"')
    feedback = moved.pop("feedback")
    if not all(half.any() for half in np.split(feedback, 2)):
        feedback |= _moving(scenario, seed, OFTEN)[0]["feedback"]
    where = f"of a random agent's action in {WORLDS} whole episodes"
    for half, what, good in zip(np.split(feedback, 2), ("acceptance", "refusal"), (True, False), strict=True):
        _require(half.any(), f"no {what} {where}: say it by feedback_event(..., good={good})")
    allowed = ("action_mask.none", "heard.*", *scenario.constant_ok)
    still = [name for k in moved for name in _names(scenario, k, ~moved[k])]
    still = [n for n in still if not any(fnmatch.fnmatchcase(n, pattern) for pattern in allowed)]
    _require(not still, f"constant in {WORLDS} whole episodes (constant_ok may except them): {', '.join(still)}")


def _moving(scenario: Scenario, seed: int, often: float) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What differs in whole episodes from the first observation, and (A,) what was ever possible; it acts `often`."""
    env = LamVectorEnv(WORLDS, scenario, reveal=("latent",) if scenario.latent_names else (), autoreset_mode="Disabled")
    observation, _ = env.reset(seed=seed)
    first = _copy(observation)
    moved = {k: np.zeros(v.shape[1:], bool) for k, v in first.items()}
    possible = np.zeros(len(scenario.vocabulary), bool)
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


def _names(scenario: Scenario, key: str, which: np.ndarray) -> list[str]:
    """Names of the elements of one part of the observation for which `which` holds."""
    v = scenario.vocabulary
    known: dict[str, Sequence[str]] = {"epoch": EPOCH_FIELDS, "context": v.readings, "latent": scenario.latent_names}
    known |= {"since": [v.token_name(i) for i in range(v.n_tokens)], "action_mask": v.actions}
    names = known.get(key, [str(i) for i in range(len(which))])
    return [f"{key}.{names[i]}" for i in np.flatnonzero(which).tolist()]


def _logged(scenario: Scenario, seed: int, steps: int) -> None:
    """The decision points of a recorded log are those that were shown, whatever the agent does."""
    env = LamEnv(scenario, record=True)
    observation, _ = env.reset(seed=seed)
    world, observations = env.world, [observation]
    assert world is not None
    fresh = scenario.personal or (world.now == world.start and not observation["epoch"][EPOCH_FIELDS.index("new")])
    early = "its world has run to an event when it is made; leave run_until_decision to the environment's first step"
    _require(fresh, early)
    for _, (acts, which) in zip(range(steps), _choices(scenario, seed, 0.3), strict=False):
        observation, _, *ends, _ = env.step(int(which * len(scenario.vocabulary)) if acts < 1 else 0)
        if any(ends):
            break
        if not observation["epoch"][4]:  # a follow-up is none of its own
            observations.append(observation)
    points = from_observation({k: np.stack([o[k] for o in observations]) for k in observation}, scenario.vocabulary)
    stream, logged = points.user * scenario.personal, decision_points(log_of([world]))
    for one in np.unique(stream):
        mine = points.select(stream == one)
        its = logged.select(np.flatnonzero(logged.world == one)[: len(mine)])  # the log goes on to the world's end
        parts = ("time", "gap", "tokens", "context")
        differ = [k for k in parts if not np.array_equal(getattr(mine, k), getattr(its, k))]
        _require(not differ, f"the decision points of a recorded log differ from those shown in {', '.join(differ)}")


def _drawn(scenario: Scenario, seed: int) -> None:
    env = LamEnv(scenario)
    env.reset(seed=seed)
    for _ in range(20):
        if any(env.step(0)[2:4]):
            break
    assert env.world is not None
    scene = scenario.scene(env.world)
    _require(isinstance(scene, Scene), f"scene gives a {type(scene).__name__} and not a Scene")
    image = rgb_array(scene, width=240)
    _require(image.std() > 0, "scene draws an empty picture")
    _require(ansi(scene).strip(), "scene draws an empty text")


def copies_hold(scenario: Scenario, seed: int) -> bool:
    """Copies in the middle of an episode go on like a twin that nobody copies. Returns whether the quick ones do."""
    env, twin = (LamEnv(scenario, reveal=_reveal(scenario), record=True) for _ in range(2))
    for one in (env, twin):
        one.reset(seed=seed)
    assert env.world is not None
    choices, quick, fault = _choices(scenario, seed + 2, 0.3), env.world.quick, {True: "", False: ""}
    for _ in range(COPIES):
        before = [next(choices) for _ in range(1 + int(60 * next(choices)[1]))]
        after = [next(choices) for _ in range(AFTER)]
        for one in (env, twin):
            _lived(scenario, one, before)
        told = {}
        for way in fault:
            try:
                told[way] = _lived(scenario, env.copy_in(quick=way), after)
            except Exception as error:  # whatever cannot be copied
                fault[way] = fault[way] or str(error)
        own, right = (_lived(scenario, one, after) for one in (env, twin))
        for way, its in told.items():
            fault[way] = fault[way] or ("" if its == right else "it goes on differently")
        if own != right:
            fault[True] = fault[True] or "what is done in it is felt in the original"
            break
    _require(not (quick and fault[True]), f"its worlds say quick, and a copy of one is no copy: {fault[True]}")
    both = f"copied as it stands: {fault[True]}; lived again from its seed and actions: {fault[False]}"
    _require(quick or not fault[False], f"a copy of its world is no copy. {both}. A world must be a function of both")
    return not fault[True]


def _lived(scenario: Scenario, env: LamEnv, choices: Sequence[tuple[float, float]]) -> list[str]:
    """What comes of some random actions, as text; after an episode the next one begins."""
    told = list[str]()
    for acts, which in choices:
        if env.world is None or env.world.now >= env.world.end:
            env.reset()
        observation, *rest = env.step(int(which * len(scenario.vocabulary)) if acts < 1 else 0)
        events = cast(World, env.world).records or []
        told.append(repr(([v.tobytes() for v in observation.values()], rest, events[-9:])))
    return told
