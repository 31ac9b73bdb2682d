"""Two further looks at a simulated person, counted apart from the gates: do acts come in bursts as in the log (Goh and
Barabasi, Europhysics Letters 81:48002, 2008), and can a classifier tell a simulated day from a real one?"""

from __future__ import annotations

import math

import numpy as np

from lam_env.core.catalogue import APART
from lam_env.core.events import ActionLog
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.logs import statistics as st
from lam_env.logs.fidelity import Gate

BURSTS = 0.05  # by which burstiness may differ
FOLDS = 5
FEWEST_DAYS = 10  # of either kind, from which on days are told apart
BLOCK = 3  # [h] of a day in which beginnings are counted
SEEN = 10  # times from which on a sequel is counted
_Z95 = 1.96  # half of a 95 % interval, in standard errors


def further_gates(source: ActionLog, simulated: ActionLog) -> list[Gate]:
    """Burstiness, judged, and the classifier's AUC, which is reported only; activity logs (`intervals`)."""
    return [_burstiness(source, simulated), _told_apart(source, simulated)]


def burstiness(log: ActionLog) -> float:
    """(sd - mean) / (sd + mean) of the gaps between starts: -1 a clock, 0 a Poisson process, towards 1 bursts."""
    cv = st.gap_cv(st.streams(log))
    return (cv - 1) / (cv + 1)


def _burstiness(source: ActionLog, simulated: ActionLog) -> Gate:
    a, b = burstiness(source), burstiness(simulated)
    name, accept = "burstiness of gaps: -1 a clock, 0 chance, 1 bursts", f"within {BURSTS}"
    ok = None if math.isnan(a + b) else abs(a - b) <= BURSTS
    return Gate(name, APART.metric("burstiness").id, (a,), (b,), accept, ok)


def _told_apart(source: ActionLog, simulated: ActionLog) -> Gate:
    name = "real or simulated day? AUC, from, to"
    id, accept = APART.metric("real_or_simulated").id, "reported, not judged: 0.5 cannot be told apart, 1 always"
    rows, real = day_features(source, simulated)
    if min(real.sum(), (~real).sum()) < FEWEST_DAYS:
        return Gate(name, id, (), (), accept, None, f"fewer than {FEWEST_DAYS} whole days on one side")
    auc = told_apart(rows, real)
    low, high = auc_interval(auc, int(real.sum()), int((~real).sum()))
    note = f"{real.sum()} real and {(~real).sum()} simulated days, {FOLDS} folds; 95 % interval"
    return Gate(name, id, (), (auc, low, high), accept, None, note)


def day_features(source: ActionLog, simulated: ActionLog) -> tuple[np.ndarray, np.ndarray]:
    """(n, F) a row for each whole day of both logs, and (n,) bool which are the source's: times of each activity, what
    begins in each `BLOCK` of hours, the median length [min] of each activity (-1 where there was none), and times of
    each sequel."""
    names = sorted({name for log in (source, simulated) for name in log.vocabulary.actions[1:]})
    k = len(names)
    parts = []
    for log in (source, simulated):
        place = np.array([-1, *(names.index(name) for name in log.vocabulary.actions[1:])])
        parts += [(log is source, part, place[part.label]) for part in st.streams(log)]
    rows, pairs, real = [], [], []
    for whose, part, label in parts:
        day = part.start // DAY
        for d in part.days.whole:
            mine = day == d
            done, hour = label[mine], part.start[mine] % DAY // HOUR // BLOCK
            length = part.length[mine] / MINUTE
            median = [np.median(length[done == i]) if (done == i).any() else -1.0 for i in range(k)]
            rows.append(np.r_[np.bincount(done, minlength=k), np.bincount(hour, minlength=24 // BLOCK), median])
            pairs.append(np.bincount(done[:-1] * k + done[1:], minlength=k * k))
            real.append(whose)
    if not rows:
        return np.zeros((0, 0)), np.zeros(0, bool)
    sequels = np.array(pairs)
    return np.hstack([np.array(rows), sequels[:, sequels.sum(0) >= SEEN]]), np.array(real)


def told_apart(rows: np.ndarray, real: np.ndarray) -> float:
    """AUC of a random forest that says whether a day is real, on days that it has not learned from."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    forest = RandomForestClassifier(100, min_samples_leaf=2, class_weight="balanced", random_state=0, n_jobs=1)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    said = cross_val_predict(forest, rows, real, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(real, said))


def auc_interval(auc: float, positive: int, negative: int) -> tuple[float, float]:
    """95 % interval of an AUC of so many cases (Hanley and McNeil, Radiology 143:29, 1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positive - 1) * (q1 - auc**2) + (negative - 1) * (q2 - auc**2)
    half = _Z95 * math.sqrt(max(0.0, variance) / (positive * negative))
    return max(0.0, auc - half), min(1.0, auc + half)
