"""N worlds in one process, written into preallocated arrays: the batched twin of `LamEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from lam_env.config.convert import short
from lam_env.core.errors import UserError
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.seeds import checked, unseeded
from lam_env.envs.scenario import Scenario
from lam_env.envs.single import check_reveal, find_scenario, totals
from lam_env.envs.spaces import observation_space
from lam_env.sim.world import World

AT_ONCE = 64  # worlds; more of them follow finished ones: the longest life may be 20 times the mean one


def _array(actions: object) -> np.ndarray:
    """Empty if it is none."""
    try:
        return np.asarray(actions)
    except ValueError:  # lists of different lengths
        return np.zeros(0)


class LamVectorEnv(VectorEnv[dict[str, np.ndarray], np.ndarray, np.ndarray]):
    """World i of `reset(seed=s)` is that of `LamEnv.reset(seed=s + i)`, step for step.

    `autoreset` False: a finished world stays finished and does nothing more (for evaluation). With
    `reset(options={"then": seeds})` the next of these seeds' worlds takes its place first, as long as there are any:
    lives of very different length are lived side by side at no loss. Otherwise a finished world starts anew in the same
    step, and `final_obs` and `final_info` hold its end (Gymnasium's SAME_STEP).
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012 (gymnasium's form)

    def __init__(
        self,
        num_envs: int = 1,
        scenario: str | Scenario = "smart_home",
        reveal: Sequence[str] = (),
        record: bool = False,
        autoreset: bool = True,
        render_mode: str | None = None,
        **settings: object,
    ):
        if num_envs < 1:
            raise UserError(f"num_envs must be at least 1, not {num_envs}")
        self.scenario = find_scenario(scenario, settings)
        self.num_envs, self.reveal, self.record, self.autoreset = num_envs, check_reveal(reveal), record, autoreset
        self.render_mode = render_mode
        self.vocabulary = self.scenario.vocabulary
        n_latent = len(self.scenario.latent_names) if "latent" in reveal else 0
        self.single_observation_space = observation_space(self.vocabulary, n_latent, "plan" in reveal)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.single_action_space = Discrete(len(self.vocabulary))
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.rows = ObservationRows(num_envs, self.vocabulary, n_latent, "plan" in reveal)
        self._views = [self.rows.row(i) for i in range(num_envs)]
        self.worlds: list[World] = []
        self._seeds: list[int] = []
        self._day = 0

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        options = options or {}
        each = [checked(s) for s in seed] if isinstance(seed, Sequence | np.ndarray) else None
        first = None if seed is None or isinstance(seed, Sequence | np.ndarray) else checked(seed)
        then = [checked(s) for s in options.get("then", ())]
        super().reset(seed=first)
        if each is None and (first is not None or not self._seeds):
            first = unseeded(self.np_random) if first is None else first
            each = [checked(first + i) for i in range(self.num_envs)]
        if each is not None:
            if len(each) != self.num_envs:
                raise UserError(f"reset needs {self.num_envs} seeds, not {len(each)}")
            self._seeds, self._episode = each, [-1] * self.num_envs
        self._day = options.get("day", 0)
        self._then = then[::-1]
        self.finished = np.zeros(self.num_envs, bool)
        self.worlds = [self._make(i) for i in range(self.num_envs)]
        return self.rows.observe(), {}

    def _make(self, i: int) -> World:
        self._episode[i] += 1
        return self.scenario.make_world(
            Streams(self._seeds[i], self._episode[i]),
            self._views[i],
            day=self._day,
            record=self.record,
            reveal=self.reveal,
        )

    def step(
        self, actions: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Actions (N,), an impossible one (`action_masks`) is carried out as none."""
        chosen = _array(actions)
        whole = chosen.dtype.kind in "iu" and chosen.shape == (self.num_envs,)
        if not whole or chosen.min() < 0 or chosen.max() >= len(self.vocabulary):
            give = f"give an array of {self.num_envs} whole numbers from 0 to {len(self.vocabulary) - 1}"
            raise UserError(f"step: actions {short(actions)} are not in the action space; {give}, one for each world")
        if not self.worlds:
            raise ResetNeeded("call reset before step")
        rewards, truncated = np.zeros(self.num_envs), np.zeros(self.num_envs, bool)
        ended, finished = [], self.finished.tolist()
        for i, (world, action) in enumerate(zip(self.worlds, chosen.tolist(), strict=True)):
            if not finished[i]:
                if world.step(action):
                    ended.append(i)
                rewards[i] = world.reward
        truncated[ended] = True
        info = self._end(ended, truncated.copy()) if ended else {}
        return self.rows.observe(), rewards, np.zeros(self.num_envs, bool), truncated, info

    def _end(self, ended: list[int], mask: np.ndarray) -> dict[str, object]:
        """`final_obs`, `final_info` (object arrays (N,), None where not ended) and their masks, as in Gymnasium."""
        final_obs, final_info = np.full((2, self.num_envs), None, object)
        for i in ended:
            world = self.worlds[i]
            final_obs[i] = self._views[i].observe()
            scores = totals(self.scenario, world)
            final_info[i] = {"reward_terms": world.reward_terms, "masked": world.masked, "totals": scores}
            if self._then and not self.autoreset:
                self._seeds[i], self._episode[i] = self._then.pop(), -1
                self.worlds[i] = self._make(i)
            elif self.autoreset:
                self.worlds[i] = self._make(i)
            else:
                self.finished[i] = True
        return {"final_obs": final_obs, "_final_obs": mask, "final_info": final_info, "_final_info": mask}

    def turns(self) -> np.ndarray:
        """(2, N): whose decision it is in each world, and the reward of their step before; zeros where one stream."""
        return np.array([(w.person, w.credit) for w in self.worlds]).T

    def action_masks(self) -> np.ndarray:
        """(N, A) bool: what is possible now in each world."""
        return self.rows.mask.astype(bool)
