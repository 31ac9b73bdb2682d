"""What advice came to, looked at in the evening: what it saved, ratings, trust."""

from __future__ import annotations

import numpy as np

from ..words import MUTED, RATING
from .profile import Profile
from .state import TrafficState


def answer(world: TrafficState, today: Profile, cost: np.ndarray, time: np.ndarray, advised: np.ndarray) -> None:
    """Books the day's savings and feedback. `cost`, `time`: (N,) [min] of everybody's trip; `advised`: (N,)
    bool.

    A saving is what the trip cost less than the one left because of advice would have cost today: on the day on which
    the traveller follows, and on every later one on which they keep to it. Marginal savings are small once the moves
    have helped, so all who may be advised and travel are also paid for what the mean trip has become cheaper by since
    nobody was advised.
    """
    people, params, n = world.people, world.params, world.people.n_advised
    rest, mute_below = people.compliance.trust, people.compliance.mute_below
    silent = np.flatnonzero(people.goes[:n] & ~advised[:n])
    people.trust[silent] += params.trust_silence * np.maximum(rest[silent] - people.trust[silent], 0)
    went = np.flatnonzero(people.goes[:n])
    unadvised = world.cost_unadvised[world.weekend]
    if unadvised and len(went):
        saved_by_all = float(np.mean(unadvised) - cost[people.goes].mean())
        for i in went.tolist():
            world.earn_from(i, "everybody", saved_by_all)
    left, chosen = people.instead(went), world.chosen[went]
    moves = world.followed[went] | (left != chosen)  # today, or lately and they keep to it
    if moves.any():
        moved, left, chosen = went[moves], left[moves], chosen[moves]
        each = np.arange(len(moved))
        time_today, extra_today, external = people.by_option(today.tables, moved)
        would = people.costs(time_today, extra_today, moved)
        published = world.published[world.weekend]
        promised = people.by_option(published.time + published.extra, moved)[each, chosen]
        figures = (
            moved,
            chosen,
            would[each, left] - cost[moved],
            would[each, people.natural[moved]] - cost[moved],
            external[each, left] - external[each, chosen],
            time[moved] + world.extra[moved] - promised,
            people.draws("rating", world.day)[moved],
        )
        for i, option, own, today_own, saved, broken, noise in zip(*(f.tolist() for f in figures), strict=True):
            world.earn_from(i, "own", own)
            world.earn_from(i, "external", saved)
            if not world.followed[i]:
                continue
            world.earn_from(i, "regret", max(0.0, -today_own))
            world.tally.moved(today_own)
            people.trust[i] -= params.trust_broken * min(10.0, max(0.0, broken))
            thumb = 1.0 if (broken <= 2.0) != (noise < params.rating_noise) else -1.0
            people.rated[i] += 0.2 * (thumb - people.rated[i])
            world.earn_from(i, "rating", thumb)
            world.feedback_event(i, RATING, option + 1, world.answer_to[i], thumb, None)
    np.minimum(np.maximum(people.trust, 0.0, out=people.trust), 1.0, out=people.trust)
    awake = people.muted_until[:n] < world.day
    for i in np.flatnonzero(awake & (people.trust[:n] < mute_below[:n])).tolist():
        people.muted_until[i] = world.day + params.mute_days
        people.trust[i] = (rest[i] + mute_below[i]) / 2
        world.tally.muted += 1
        world.earn_from(i, "muted")
        world.feedback_event(i, MUTED, world.advice[i], world.answer_to[i], -1.0, None)
