"""N worlds in one process, written into preallocated arrays: the batched twin of `LamEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

from lam_env.config.convert import short
from lam_env.core.errors import UserError
from lam_env.core.observation import ObservationRows
from lam_env.core.seeds import MOST, checked, unseeded
from lam_env.envs.batch_info import Info, batched, batched_steps, merged
from lam_env.envs.copies import Copied, Lived, Past
from lam_env.envs.render import MODES, Frame, Renderer, check_mode
from lam_env.envs.scenario import Scenario
from lam_env.envs.single import (
    LamEnv,
    check_open,
    check_options,
    check_reveal,
    find_scenario,
    reset_info,
    step_info,
    whole,
)
from lam_env.envs.spaces import observation_space
from lam_env.sim.world import World

AT_ONCE = 64  # worlds; more of them follow finished ones: the longest life may be 20 times the mean one


def _array(actions: object) -> np.ndarray:
    """Empty if it is none."""
    try:
        return np.asarray(actions)
    except ValueError:  # lists of different lengths
        return np.zeros(0)


class LamVectorEnv(Copied, VectorEnv[dict[str, np.ndarray], np.ndarray, np.ndarray]):
    """Does what Gymnasium's `SyncVectorEnv` of `LamEnv` does, observations and `info` alike, and is many times faster.

    World i of `reset(seed=s)` is that of `LamEnv.reset(seed=s * N + i)`: two seeds share no world. A list gives each
    its own seed; None there goes on to the world's next episode, as without a seed.

    `autoreset_mode`, one of Gymnasium's or its value as text:
      SAME_STEP  a world that is over begins anew in the same step; `final_obs` and `final_info` hold its end. With
                 `reset(options={"then": seeds})` the worlds of these seeds follow, one after another, and when there
                 are no more a world stays as it is: lives of different length are lived side by side at no loss
      NEXT_STEP  it begins anew in the next step, whose action is for nothing
      DISABLED   it stays as it is until `reset(options={"reset_mask": which})`, (N,) bool
    `finished` (N,) bool: the worlds that stay as they are; a step changes nothing in them and brings no reward.
    `max_episode_steps`: an episode is truncated after so many, as by Gymnasium's `TimeLimit`.
    """

    metadata = {"render_modes": list(MODES), "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    _place = "worlds"

    def __init__(
        self,
        num_envs: int = 1,
        scenario: str | Scenario = "smart_home",
        reveal: Sequence[str] = (),
        record: bool = False,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **settings: object,
    ):
        if whole(num_envs) < 1:
            raise UserError(f"num_envs must be a whole number from 1 on, not {short(num_envs)}")
        if max_episode_steps is not None and whole(max_episode_steps) < 1:
            raise UserError(f"max_episode_steps must be a whole number from 1 on, not {short(max_episode_steps)}")
        self.scenario = find_scenario(scenario, settings)
        self.num_envs, self.reveal, self.record = num_envs, check_reveal(reveal), record or bool(render_mode)
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.render_mode, self.max_episode_steps = check_mode(render_mode), max_episode_steps
        self.vocabulary = self.scenario.vocabulary
        n_latent = len(self.scenario.latent_names) if "latent" in reveal else 0
        self.single_observation_space = observation_space(self.vocabulary, n_latent, "plan" in reveal)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.single_action_space = Discrete(len(self.vocabulary))
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.rows = ObservationRows(num_envs, self.vocabulary, n_latent, "plan" in reveal)
        self._views = [self.rows.row(i) for i in range(num_envs)]
        self._renderers = [Renderer(self.scenario, render_mode) for _ in range(num_envs)]
        self.worlds: list[World] = []
        self._lived: list[Lived] = []
        self._all, self._nobody = list(range(num_envs)), np.zeros(num_envs, bool)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], Info]:
        check_open(self)
        day = check_options(options, ("day", "then", "reset_mask"))
        options, seeds = options or {}, self._checked(seed)
        which = self._which(options.get("reset_mask"))
        then = None if options.get("then") is None else [checked(s) for s in options["then"]][::-1]
        if then is not None and self.autoreset_mode != AutoresetMode.SAME_STEP:
            raise UserError('reset: "then" goes with the autoreset mode SAME_STEP')
        super().reset(seed=None if seed is None or isinstance(seed, Sequence | np.ndarray) else checked(seed))
        if not self._lived:
            first = unseeded(self.np_random)
            self._lived = [Lived.none(first + i) for i in self._all]
            self.worlds = [None] * self.num_envs  # type: ignore[list-item]
        for i in which:
            if (given := seeds[i]) is not None:
                self._lived[i] = Lived.none(given)
        if len(which) == self.num_envs:
            self._then, self._then_day, self.finished = then, 0 if then is None else day, np.zeros(self.num_envs, bool)
        self.finished[which] = False
        self._look()
        for i in which:
            self._begin(i, day)
        info = batched({i: reset_info(self.scenario, self.worlds[i]) for i in which}, self.num_envs)
        return self.rows.observe(), info

    def _checked(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        """Each world's seed."""
        n = self.num_envs
        if seed is None:
            return [None] * n
        if not isinstance(seed, Sequence | np.ndarray):
            first = checked(seed) * n
            if first + n > MOST:
                raise UserError(
                    f"seed {short(seed)}: a batch of {n} worlds takes seeds from 0 to {MOST // n - 1:,}; give one"
                )
            return [first + i for i in range(n)]
        if len(seed) != n:
            raise UserError(f"reset needs {n:,} seeds, not {len(seed):,}")
        return [None if s is None else checked(s) for s in seed]

    def _which(self, mask: object) -> list[int]:
        """The worlds that a reset is about: all, or those of Gymnasium's `reset_mask`."""
        if mask is None:
            return self._all
        if not (isinstance(mask, np.ndarray) and mask.dtype == bool and mask.shape == (self.num_envs,) and mask.any()):
            raise UserError(f"reset: reset_mask has to be ({self.num_envs},) bool with at least one True")
        if not self.worlds:
            raise UserError("reset: reset_mask goes on from a first reset of all worlds; leave it out")
        return np.flatnonzero(mask).tolist()

    def _look(self) -> None:
        """Whether in the next step all worlds make one, and nothing else is to be done."""
        self._simple = self.render_mode != "rgb_array_list" and not self.finished.any()

    def _begin(self, i: int, day: int = 0) -> None:
        """World i's next episode."""
        self._lived[i] = self._lived[i].next(day)
        self.worlds[i] = self._world(i)
        self._renderers[i].begin(self.worlds[i])

    def _world(self, i: int) -> World:
        return self._lived[i].world(self.scenario, self._views[i], self.record, self.reveal)

    def past(self) -> list[Past]:
        """Each world's running episode as plain data, which may be saved as JSON and given to `live_again`."""
        if not self.worlds:
            raise ResetNeeded("call reset before past")
        if self.finished.any():
            raise UserError("past: some of the worlds are over; reset them first")
        return [lived.past() for lived in self._lived]

    def live_again(self, past: Sequence[Past]) -> tuple[dict[str, np.ndarray], Info]:
        """Come to where those episodes of the same settings were, one for each world, as by `reset` and their actions.
        No others follow them."""
        check_open(self)
        self._checked([one["seed"] for one in past])
        self._lived = [Lived(**one) for one in past]
        self._then, self._then_day, self.finished = None, 0, np.zeros(self.num_envs, bool)
        self._look()
        self._live_again()
        for renderer, world in zip(self._renderers, self.worlds, strict=True):
            renderer.begin(world)
        info = {i: reset_info(self.scenario, world) for i, world in enumerate(self.worlds)}
        return self.rows.observe(), batched(info, self.num_envs)

    def _quick(self) -> bool:
        return not self.worlds or self.worlds[0].quick

    def _live_again(self) -> None:
        self.worlds = [self._world(i) for i in self._all]

    def step(self, actions: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, Info]:
        """Actions (N,), an impossible one (`action_masks`) is carried out as none."""
        check_open(self)
        array, n = _array(actions), self.num_envs
        chosen = array.tolist() if array.dtype.kind in "iu" and array.shape == (n,) else [-1]
        if min(chosen) < 0 or max(chosen) >= len(self.vocabulary):
            raise UserError(
                f"step: actions {short(actions)} are not in the action space; give"
                f" an array of {n} whole numbers"
                f" from 0 to {len(self.vocabulary) - 1}, one for each world"
            )
        if not self.worlds:
            raise ResetNeeded("call reset before step")
        worlds = self.worlds
        if self._simple:
            stepped = self._all
            for lived, action in zip(self._lived, chosen, strict=True):
                lived.actions.append(action)
            over = [i for i, world in enumerate(worlds) if world.step(chosen[i])]
            rewards = np.array([world.reward for world in worlds])
        else:
            stepped, over, rewards = self._step_some(chosen)
        cut = self._cut(stepped) if self.max_episode_steps else []
        terminated, truncated = self._nobody.copy(), self._nobody.copy()
        if over or cut or len(stepped) < n:
            terminated[over] = [worlds[i].terminated for i in over]
            truncated[over] = ~terminated[over]
            truncated[cut] = True
            info = self._ended(stepped, over, cut)
        else:
            info = batched_steps(worlds, stepped, self.scenario.personal)
        return self.rows.observe(), rewards, terminated, truncated, info

    def _step_some(self, actions: list[int]) -> tuple[list[int], list[int], np.ndarray]:
        """Where not all make a step, or pictures are kept: which did, which of them are over, rewards."""
        stepped, over, rewards = np.flatnonzero(~self.finished).tolist(), list[int](), np.zeros(self.num_envs)
        for i in stepped:
            world, before = self.worlds[i], self.worlds[i].now
            self._lived[i].actions.append(actions[i])
            if world.step(actions[i]):
                over.append(i)
            rewards[i] = world.reward
            self._renderers[i].step(world, before)
        return stepped, over, rewards

    def _cut(self, stepped: list[int]) -> list[int]:
        """The worlds that `max_episode_steps` ends."""
        return [i for i in stepped if len(self._lived[i].actions) >= self.max_episode_steps]  # type: ignore[operator]

    def _ended(self, stepped: list[int], over: list[int], cut: list[int]) -> Info:
        """`info` of a step that ends an episode or that some worlds sit out; worlds begin anew."""
        ended, infos = sorted({*over, *cut}), dict[int, Info]()
        for i in ended:
            infos[i] = step_info(self.scenario, self.worlds[i], i in over)
        if self.autoreset_mode == AutoresetMode.SAME_STEP:
            for i in ended:
                infos[i] = {"final_obs": self._views[i].observe(), "final_info": infos[i]}
                if self._then:
                    self._lived[i] = Lived.none(self._then.pop())
                elif self._then is not None:
                    self.finished[i] = True
                    continue
                self._begin(i, self._then_day)
                infos[i] |= reset_info(self.scenario, self.worlds[i])
        else:
            if self.autoreset_mode == AutoresetMode.NEXT_STEP:
                for i in np.flatnonzero(self.finished).tolist():
                    self._begin(i)
                    infos[i] = reset_info(self.scenario, self.worlds[i])
                self.finished[:] = False
            self.finished[ended] = True
        self._look()
        going = [i for i in stepped if i not in infos]
        info = batched_steps(self.worlds, going, self.scenario.personal) if going else {}
        return merged(info, batched(infos, self.num_envs))

    def render(self) -> tuple[Frame, ...] | None:  # type: ignore[override]
        """One frame a world."""
        if self.render_mode is None or not self.worlds:
            return None
        return tuple(r.render(w) for r, w in zip(self._renderers, self.worlds, strict=True))

    def action_masks(self) -> np.ndarray:
        """(N, A) bool: what is possible now in each world."""
        masks: np.ndarray = self.rows.mask.astype(bool)
        return masks


def _mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        modes = ", ".join(m.value for m in AutoresetMode)
        raise UserError(f"autoreset_mode {mode!r}: there are {modes}") from None


def worlds_of(env: Any) -> tuple[Scenario, int]:
    """The scenario of an environment of the kit's, wrapped or not, and how many worlds it holds; of a `SyncVectorEnv`
    of such, too. UserError for another."""
    own = getattr(env, "unwrapped", env)
    if isinstance(own, LamEnv | LamVectorEnv):
        return own.scenario, getattr(own, "num_envs", 1)
    if isinstance(own, SyncVectorEnv):
        kinds = [worlds_of(one)[0] for one in own.envs]
        if all((type(kind), kind.params) == (type(kinds[0]), kinds[0].params) for kind in kinds):
            return kinds[0], len(kinds)
        raise UserError("the environments of the SyncVectorEnv differ; give copies of one")
    raise UserError(f"the environment is {type(own).__name__}; give one of the kit's, such as lam/SmartHome-v1")
