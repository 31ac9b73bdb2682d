"""Do simulated players come and go like real ones? Two logs of plays, line by line; or one against what is usual.

Against a log of one's own the tolerances are those that a calibrated game has to keep. Without one, ranges are those of
"game 1" of Kim et al. (PLoS ONE 12(7), 2017), of the Cookie Cats test (D1 .445, D7 .186) and of industry reports (D1
.25 to .40, D7 .10 to .20, D30 .03 to .07).
"""

from __future__ import annotations

import math

from lam_env.logs.fidelity import Gate
from lam_env.logs.play.sessions import INDICES, QUANTILES, RETURNS, Plays, check_usable, play_statistics

HAZARD, GAP, BUMP, SHARE = 0.08, 0.25, 0.05, 0.10  # tolerances: probability, share of the source's, shares
RETURN, LITTLE = 0.25, 0.01  # of returns: share of the source's, or this if it is more
TOP = (0.45, 0.70)  # share of plays of the top tenth of the players
MEDIAN = (1.0, 6.0)  # plays per session
USUAL = ((0.25, 0.50), (0.08, 0.25), (0.02, 0.10))  # D1, D7, D30 where there is no log to compare with


def play_gates(source: Plays | None, simulated: Plays) -> list[Gate]:
    """The seven gates, in the order of the report; a number that a log does not give makes its gate unmeasured."""
    check_usable(simulated, "fidelity, simulated")
    if source is not None:
        check_usable(source, "fidelity, source")
    b = play_statistics(simulated)
    a = play_statistics(source) if source is not None else dict[str, Numbers].fromkeys(b, ())
    return [
        _plays(a["plays_per_session"], b["plays_per_session"]),
        _hazard(a["hazard"], b["hazard"]),
        _gaps(a["gap_hours"], b["gap_hours"]),
        _near("gaps of 20 to 28 h, share", "next_day", a["next_day"], b["next_day"], BUMP, (0.08, 0.6)),
        _returns("seen on or after day", "returned_by", a["returned_by"], b["returned_by"], None),
        _returns("retention on day", "retention", a["retention"], b["retention"], USUAL),
        _near("share of plays of the top 10 %", "top_share", a["top_share"], b["top_share"], SHARE, TOP),
    ]


Numbers = tuple[float, ...]


def _gate(name: str, key: str, a: Numbers, b: Numbers, accept: str, passed: bool) -> Gate:
    gone = any(math.isnan(x) for x in (*a, *b))
    note = "the log is too short for this" if gone else ""
    return Gate(name, f"fidelity.plays.{key}", a, b, accept, None if gone else bool(passed), note)


def _plays(a: Numbers, b: Numbers) -> Gate:
    """A heavy tail: most stop soon, and some play on and on."""
    if a:
        ok, accept = abs(b[0] - a[0]) <= 1 and abs(b[1] / a[1] - 1) <= 0.5, "median within 1, p90 within 50 %"
    else:
        ok = b[1] >= 2 * b[0] and MEDIAN[0] <= b[0] <= MEDIAN[1]
        accept = f"median {MEDIAN[0]:.0f} to {MEDIAN[1]:.0f}, p90 twice that"
    return _gate("plays per session: median, p90, p95", "plays_per_session", a, b, accept, ok)


def _hazard(a: Numbers, b: Numbers) -> Gate:
    own, other = (tuple(x for x in hazard if not math.isnan(x)) for hazard in (a, b))
    falling = all(y <= x + 0.02 for x, y in zip(other, other[1:], strict=False))
    near = not any(abs(x - y) > HAZARD for x, y in zip(a, b, strict=False))  # NaN is never above
    name = f"session ends after play {'/'.join(map(str, INDICES))}"
    accept = f"falling, within {HAZARD}" if a else "falling"
    return _gate(name, "hazard", own, other, accept, len(other) > 2 and falling and near)


def _gaps(a: Numbers, b: Numbers) -> Gate:
    shares = ", ".join(f"p{100 * q:.0f}" for q in QUANTILES)
    if a:
        ok, accept = all(abs(y / x - 1) <= GAP for x, y in zip(a, b, strict=True)), f"each within {GAP:.0%}"
    else:
        ok, accept = 8 <= b[1] <= 48 and b[3] >= 3 * b[1], "median 8 to 48 h, p90 three times that"
    return _gate(f"gap between sessions [h]: {shares}", "gap_hours", a, b, accept, ok)


def _near(name: str, key: str, a: Numbers, b: Numbers, tolerance: float, usual: tuple[float, float]) -> Gate:
    if a:
        return _gate(name, key, a, b, f"within {tolerance}", abs(a[0] - b[0]) <= tolerance)
    return _gate(name, key, a, b, f"{usual[0]} to {usual[1]}", usual[0] <= b[0] <= usual[1])


def _returns(name: str, key: str, a: Numbers, b: Numbers, usual: tuple[tuple[float, float], ...] | None) -> Gate:
    name = f"{name} {'/'.join(map(str, RETURNS))}"
    if a:
        near = all(abs(x - y) <= max(LITTLE, RETURN * x) for x, y in zip(a, b, strict=True))
        return _gate(name, key, a, b, f"each within {RETURN:.0%} or {LITTLE}", near)
    if usual is None:
        return Gate(name, f"fidelity.plays.{key}", a, b, "near a log's", None, "no log to compare with")
    accept = ", ".join(f"{low:.2f} to {high:.2f}" for low, high in usual)
    return _gate(name, key, a, b, accept, all(low <= x <= high for (low, high), x in zip(usual, b, strict=True)))
