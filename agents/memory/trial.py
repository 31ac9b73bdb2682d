"""A trial in which households answer, and the network that learns from their answers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from lam_env.core.contracts import Observation, Training
from lam_env.core.events import FEEDBACK
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.play import play, world_days

from ..carry import Carried
from ..fine_tuning.features import PriorFeatures
from ..fine_tuning.heads import AnticipationHead
from ..fine_tuning.policy import TunedPolicy
from .heard import IN_VAIN, MEANINGS
from .network import FEATURES, AnswerNet

ROUNDS = 2  # of trials
WORLDS = 24  # households of each
HELD = 8  # one in so many pairs of households, of which one is heard, validates
BATCH, PASSES, PATIENCE, RATE = 512, 120, 15, 3e-3


class ActAnswers(NamedTuple):
    """Acts and how they were taken: x (n, FEATURES) of `AnswerNet.features`, action (n,), answer (n,) ACCEPTED,
    REJECTED, OVERRIDDEN or IN_VAIN, world (n,)."""

    x: np.ndarray
    action: np.ndarray
    answer: np.ndarray
    world: np.ndarray


def learn_answers(policy_of: Callable[[AnswerNet], TunedPolicy], net: AnswerNet, training: Training) -> AnswerNet:
    """Trials by turns with fits to all answers so far: what a network takes for good and is not, it meets in the next
    round (as DAgger does, Ross, Gordon and Bagnell 2011). `policy_of`: what acts by a network."""
    rounds: list[ActAnswers] = []
    learned = net
    for k in range(ROUNDS):
        rounds.append(try_acts(policy_of(learned), training, WORLDS, k * WORLDS))
        learned = fit(net, ActAnswers(*map(np.concatenate, zip(*rounds, strict=True))), training.seed)
    return learned


def try_acts(policy: TunedPolicy, training: Training, worlds: int, first: int = 0) -> ActAnswers:
    """Act, as the policy samples, in fresh worlds from number `first` on. In every second one it never hears an answer
    and goes on with what is refused: what follows from answers cannot be learned where everybody minds them."""
    env = training.make_worlds(worlds, autoreset_mode="Disabled", record=True)
    deaf, done = np.arange(worlds) % 2 == 1, np.zeros(worlds, int)
    words, features, head = training.vocabulary.feedback, policy.features, policy.head
    assert isinstance(features, PriorFeatures)
    assert isinstance(head, AnticipationHead)
    acts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def choose(seen: Observation, state: Carried, start: np.ndarray) -> tuple[np.ndarray, Carried]:
        nothing = {name: np.where(deaf[:, None], 0, seen[name]) for name in ("feedback", "heard")}
        return policy.predict(seen | nothing, state, start, False)

    for step in play(choose, env, world_seeds(Use.PLUGIN_TRIAL, first + worlds, training.seed)[first:]):
        rows = np.flatnonzero((step.actions > 0) & step.running)
        if len(rows) and step.state is not None:
            with torch.no_grad():
                vector = torch.from_numpy(features.vector(step.observation, step.state.said))
                seen_of_acts = head.answer_features(vector)[1][rows, step.actions[rows]]
            acts.append((seen_of_acts.numpy(), step.actions[rows], rows, done[rows].copy()))
            done[rows] += 1
        training.progress("trial of acts", *world_days(step.worlds), "")
    if not acts:
        none = np.zeros(0, int)
        return ActAnswers(np.zeros((0, FEATURES), np.float32), none, none, none)
    x, action, world, number = map(np.concatenate, zip(*acts, strict=True))
    said: dict[tuple[int, int], int] = {}
    for i, played in enumerate(env.worlds):
        for event in played.records or ():
            if event.kind == FEEDBACK and (word := words[event.token]) in MEANINGS:
                said.setdefault((i, event.answers), MEANINGS[word])
    answer = np.array([said.get(key, IN_VAIN) for key in zip(world.tolist(), number.tolist(), strict=True)])
    return ActAnswers(x, action, answer, first + world)


def fit(net: AnswerNet, answers: ActAnswers, seed: int = 0) -> AnswerNet:
    """Maximum likelihood with early stopping on held-out worlds; the best of all passes, the untrained one included: so
    it stays where there are too few answers to hold some out."""
    net, generator = copy.deepcopy(net).requires_grad_(True), torch.Generator().manual_seed(seed)
    x, action, answer = (torch.from_numpy(part) for part in answers[:3])
    held = torch.from_numpy(answers.world // 2 % HELD == HELD - 1)
    rows, valid = (~held).nonzero()[:, 0], held.nonzero()[:, 0]
    if not len(rows) or not len(valid):
        return net
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, weight_decay=1e-5)

    def loss(at: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.nll_loss(net(x[at], action[at]), answer[at])

    best, state, since = float("inf"), copy.deepcopy(net.state_dict()), 0
    for _ in range(PASSES):
        with torch.no_grad():
            now = float(loss(valid))
        since = 0 if now < best - 1e-4 else since + 1
        if now < best:
            best, state = now, copy.deepcopy(net.state_dict())
        if since >= PATIENCE:
            break
        for batch in rows[torch.randperm(len(rows), generator=generator)].split(BATCH):
            optimizer.zero_grad()
            loss(batch).backward()
            optimizer.step()
    net.load_state_dict(state)
    return net
