"""Play behaviour as data: when a player stops, comes back or stays away. Estimated from a log.

- A session ends with its n-th play with probability 1 / (1 + exp(-(a + b ln n + s z))), z ~ N(0, 1) a player's own.
- After the k-th session, of n plays, a player is gone for good with probability
  1 / (1 + exp(-(c + d ln k + e ln n + f z))).
- Otherwise they come back after a gap drawn from a mixture: hours and days (log-normal), and a bump about one day later
  (normal).

A simulated world in which more than that moves people takes tables that are corrected for it: they hold `shift` and
`stretch`, a log's own neither.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from lam_env.core.events import LogError
from lam_env.core.files.inputs import read_json, reason
from lam_env.core.files.outputs import write_whole
from lam_env.core.files.records import record_of
from lam_env.core.units import DAY, HOUR
from lam_env.logs.play.likelihood import coming_and_going, unseen
from lam_env.logs.play.sessions import BREAK, INDICES, Plays, check_usable, play_statistics, sessions_of

LEAST = 30  # gaps and sessions below which nothing is estimated
KINDS = ("lognormal", "normal")
MOST_ODDS = 100.0  # what lies beyond these is no table
MOST_HOURS, MOST_SPREAD = 1e6, {"lognormal": 10.0, "normal": 1e6}  # [h]; sd of the logarithm, and [h]


@dataclass(frozen=True)
class GapPart:
    """A part of the gaps' mixture. `lognormal`: median `center` [h] beyond the break, `spread` the sd of the logarithm;
    `normal`: mean and sd [h]."""

    kind: str
    weight: float
    center: float
    spread: float


@dataclass(frozen=True)
class PlayTables:
    """How players of a game come and go. `ends` (a, b, s) and `leaves` (c, d, e, f) as in the module's first lines."""

    ends: tuple[float, float, float]
    leaves: tuple[float, float, float, float]
    gaps: tuple[GapPart, ...]
    pauses: tuple[float, ...]  # quantiles [s] at equally spaced probabilities of pauses between plays of a session
    hours: tuple[float, ...]  # (24,) share of sessions that begin in each hour of the log's clock
    arrivals: tuple[float, ...]  # quantiles [days from the log's start] at equally spaced probabilities of first plays
    days: float  # [days] that the log covers
    minutes: float = BREAK  # [min] without play after which a session is over
    measured: dict[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)  # the log's own statistics
    shift: tuple[float, ...] = ()  # log-odds added to the end of a session after play 1, 2, 3, 5, .. (`plays.INDICES`)
    stretch: tuple[tuple[float, float], ...] = ()  # rising gaps [h], and factors on gaps of about that length

    def __post_init__(self) -> None:
        numbers = [*self.ends, *self.leaves, *self.pauses, *self.hours, *self.arrivals, self.days, self.minutes]
        numbers += [*self.shift, *(x for pair in self.stretch for x in pair)]
        numbers += [x for part in self.gaps for x in (part.weight, part.center, part.spread)]
        if not all(math.isfinite(x) for x in numbers):
            raise LogError("play tables: a number is not finite")
        if len(self.ends) != 3 or len(self.leaves) != 4 or self.ends[2] < 0:
            raise LogError("play tables: ends has three numbers, the last not negative, and leaves four")
        if len(self.shift) not in (0, len(INDICES)):
            raise LogError(f"play tables: shift has {len(INDICES)} numbers, or none")
        if max(map(abs, (*self.ends, *self.leaves, *self.shift))) > MOST_ODDS:
            raise LogError(f"play tables: ends, leaves and shift are log-odds; more than {MOST_ODDS:.0f} is none")
        hours = [(0.0, 0.0), *((h, h * factor) for h, factor in self.stretch)]
        if any(b <= a for x, y in pairwise(hours) for a, b in zip(x, y, strict=True)):
            raise LogError("play tables: stretch must be rising gaps [h] with factors above 0 that keep their order")
        if not self.gaps or any(p.kind not in KINDS or p.weight < 0 or min(p.center, p.spread) <= 0 for p in self.gaps):
            raise LogError(f"play tables: gaps need parts of kind {' or '.join(KINDS)} with center and spread above 0")
        if any(p.center > MOST_HOURS or p.spread > MOST_SPREAD.get(p.kind, 0) for p in self.gaps):
            raise LogError("play tables: a part of the gaps has a center or spread that no log can show")
        if abs(sum(p.weight for p in self.gaps) - 1) > 1e-6:
            raise LogError("play tables: the weights of the gaps' parts must sum to 1")
        if len(self.hours) != 24 or min(self.hours) < 0 or abs(sum(self.hours) - 1) > 1e-6:
            raise LogError("play tables: hours must be 24 shares that sum to 1")
        for name in ("pauses", "arrivals"):
            q = getattr(self, name)
            if len(q) < 2 or list(q) != sorted(q) or q[0] < 0:
                raise LogError(f"play tables: {name} must be rising quantiles")
        if self.days <= 0 or self.minutes <= 0:
            raise LogError("play tables: days and minutes must be above 0")

    def end(self, n: int) -> float:
        """Log-odds that a session ends with its n-th play, for a player like most; `shift` is linear in ln n."""
        a, b, _ = self.ends
        at = math.log(max(1, n))
        more = float(np.interp(at, np.log(INDICES), self.shift)) if self.shift else 0.0
        return a + b * at + more

    def stretched(self, gap: float) -> float:
        """A gap [h] drawn from `gaps`, made longer or shorter; between those of `stretch` the log factor is linear."""
        if not self.stretch:
            return gap
        hours, factors = np.log(self.stretch).T
        return gap * math.exp(float(np.interp(math.log(gap), hours, factors)))

    def lines(self) -> list[str]:
        """What they say, for people."""
        a, b, s = self.ends
        c, d, e, f = self.leaves
        parts = "; ".join(f"{p.kind} {p.center:.3g} h ({p.spread:.2f}), {p.weight:.2f}" for p in self.gaps)
        lines = [
            f"  a session ends with play n: logit {a:.2f} {b:+.2f} ln n, sd of players {s:.2f}",
            f"  gone after session k of n plays: logit {c:.2f} {d:+.2f} ln k {e:+.2f} ln n {f:+.2f} z",
            f"  gaps: {parts}",
        ]
        if self.shift:
            added = ", ".join(f"{n}: {x:+.2f}" for n, x in zip(INDICES, self.shift, strict=True))
            lines.append(f"  added to the end after play {added}")
        if self.stretch:
            lines.append("  gaps drawn, times " + ", ".join(f"{h:.3g} h: {x:.2f}" for h, x in self.stretch))
        return lines

    def to_json(self) -> dict[str, object]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: object) -> PlayTables:
        known = [f.name for f in dataclasses.fields(cls)]
        if not isinstance(data, dict) or not set(data) & set(known):
            raise LogError("play tables: an object with ends, leaves, gaps and so on is needed, and this is none")
        try:
            return record_of(cls, data)
        except LogError:
            raise
        except ValueError as error:
            raise LogError(f"play tables: not of this version ({error}); estimate them again") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        text = json.dumps(self.to_json(), indent=1) + "\n"
        write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PlayTables:
        try:
            return cls.from_json(read_json(path))
        except LogError as error:
            raise LogError(f"{path}: {error}") from None
        except FileNotFoundError:
            raise LogError(f"{path}: no such file") from None
        except (OSError, ValueError) as error:
            raise LogError(f"{path}: not readable play tables ({reason(error)})") from None


def estimate_play(plays: Plays, minutes: float = BREAK) -> PlayTables:
    """The tables of a log of plays; LogError where it holds too little."""
    check_usable(plays)
    cut = sessions_of(plays, minutes)
    gaps = cut.gap[~np.isnan(cut.gap)]
    if len(gaps) < LEAST or len(np.unique(cut.plays)) < 2:
        raise LogError(
            f"plays: {len(gaps)} returns, sessions of {len(np.unique(cut.plays))} lengths: too little to estimate "
            f"from; at least {LEAST} returns and 2 lengths are needed: give a log of more players or days"
        )
    start = int(plays.time.min())
    steps = np.linspace(0, 1, 41)
    within = np.diff(plays.time)[(np.diff(plays.player) == 0) & (np.diff(plays.time) <= minutes * 60)]
    share = np.bincount(cut.start // HOUR % 24, minlength=24) / len(cut.start)
    weight = unseen(cut, plays.end)
    ends, leaves = coming_and_going(cut, plays.end, weight)
    return PlayTables(
        ends=ends,
        leaves=leaves,
        gaps=gap_mixture(gaps, minutes / 60, weight[~np.isnan(cut.gap)]),
        pauses=tuple(np.quantile(within, steps).tolist()) if len(within) else (0.0, 0.0),
        hours=tuple(share.tolist()),
        arrivals=tuple(np.quantile((plays.time[plays.first] - start) / DAY, steps).tolist()),
        days=max(1.0, (plays.end - start) / DAY),
        minutes=minutes,
        measured=play_statistics(plays, minutes),
    )


def gap_mixture(gaps: np.ndarray, least: float, returns: np.ndarray, rounds: int = 300) -> tuple[GapPart, ...]:
    """Gaps [h], all above `least`, as three log-normal parts of the excess and a normal bump between 20 and 28 h (EM).

    returns (n,): for how many gaps of this length one stands, since a log ends before some of the long ones do."""
    excess = np.maximum(gaps - least, 1e-3)
    log = np.log(excess)
    middle = np.quantile(log, (0.15, 0.5, 0.9))
    center, spread = middle.copy(), np.full(3, max(0.3, float(log.std()) / 2))
    day = (gaps > 18) & (gaps < 30)
    bump, sd = (float(gaps[day].mean()), 2.0) if day.any() else (24.0, 2.0)
    weight = np.array([0.3, 0.3, 0.3, 0.1])
    for _ in range(rounds):
        parts = zip(weight[:3], center, spread, strict=True)
        density = [np.log(w) - 0.5 * ((log - m) / s) ** 2 - math.log(s) - log for w, m, s in parts]
        density.append(math.log(weight[3]) - 0.5 * ((gaps - bump) / sd) ** 2 - math.log(sd) + np.zeros(len(gaps)))
        part = returns * np.exp(np.stack(density) - logsumexp(density, axis=0))
        total = part.sum(1) + 1e-9
        weight = total / total.sum()
        center = part[:3] @ log / total[:3]
        spread = np.sqrt(np.maximum((part[:3] * (log - center[:, None]) ** 2).sum(1) / total[:3], 0.01))
        bump = min(28.0, max(20.0, float(part[3] @ gaps / total[3])))
        sd = min(4.0, max(0.5, math.sqrt(float(part[3] @ (gaps - bump) ** 2 / total[3]))))
        weight = np.maximum(weight, 1e-9) / np.maximum(weight, 1e-9).sum()
    three = zip(weight[:3], center, spread, strict=True)
    normal = GapPart("normal", float(weight[3]), bump, sd)
    return (*(GapPart("lognormal", float(w), math.exp(m), float(s)) for w, m, s in three), normal)
