"""The catalogue of metrics: whatever a run may write. All who write or show take ids, headings and ranges from here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lam_env.config.convert import suggestion
from lam_env.core.errors import UserError

SHARE, NOT_NEGATIVE, ANY = (0.0, 1.0), (0.0, float("inf")), (float("-inf"), float("inf"))
DAY, CPU = "per person and day", "per CPU second"
Better = Literal["higher", "lower", "neither"]
_SD, _UNITS = "sd.", "units."  # how ids of standard errors, and of what they are over, begin


@dataclass(frozen=True)
class Metric:
    """A column of tables. `unit` is empty for shares, counts and ratios; `range` holds every value that is possible."""

    id: str
    heading: str
    better: Better
    range: tuple[float, float] = ANY
    unit: str = ""

    def at(self, group: str, name: str) -> Metric:
        """The same of one of `GROUPS`: of an action, an hour, a user, or of the surest predictions."""
        return dataclasses.replace(self, id=f"{self.id}@{group}:{name}", heading=name)

    @property
    def sd(self) -> Metric:
        """Its standard error: days of a log, or its streams, drawn with replacement."""
        return Metric(_SD + self.id, f"sd of {self.heading}", "neither", NOT_NEGATIVE, self.unit)

    @property
    def units(self) -> Metric:
        """Of a part of a log, the number of days or streams in which it has cases: what its standard error is over."""
        return Metric(_UNITS + self.id, f"days or streams of {self.heading}", "neither", NOT_NEGATIVE)


@dataclass(frozen=True)
class Family:
    """Metrics of one kind, `prefix` and a name. `names`: all there are; empty where a scenario names them."""

    prefix: str
    better: Better = "neither"
    unit: str = ""
    names: tuple[str, ...] = ()

    def metric(self, name: str, heading: str = "", range: tuple[float, float] | None = None) -> Metric:
        """`range`: where the scenario that names it says what it can be; what can only be passed is a share."""
        return Metric(
            self.prefix + name, heading or name, self.better, range or (SHARE if self.names else ANY), self.unit
        )

    def ids(self, values: Mapping[str, float]) -> dict[str, float]:
        """`values` by the names that the scenario gives them, as a run writes them."""
        return {self.prefix + name: value for name, value in values.items()}

    def name(self, id: str) -> str:
        """The name in the family; empty for metrics that are none of it."""
        name = "" if id in CATALOGUE or not id.startswith(self.prefix) else id.removeprefix(self.prefix)
        return name if not self.names or name in self.names else ""


# predictions, of `evaluation.metrics.prediction_metrics`
TOP1 = Metric("pred.top1", "top-1", "higher", SHARE)
TOP3 = Metric("pred.top3", "top-3", "higher", SHARE)
MACRO_F1 = Metric("pred.macro_f1", "macro-F1", "higher", SHARE)
NLL = Metric("pred.nll", "NLL", "lower", NOT_NEGATIVE, "nats")
NLL_ALL = Metric("pred.nll_all", "NLL with none", "lower", NOT_NEGATIVE, "nats")
BRIER = Metric("pred.brier", "Brier", "lower", (0.0, 2.0))
ECE = Metric("pred.ece", "ECE", "lower", SHARE)
PR_AUC = Metric("pred.pr_auc", "PR-AUC of acting", "higher", SHARE)
NLL_GAP = Metric("pred.nll_gap", "NLL less the whole's", "lower", unit="nats")  # of a part of a predictor
NLL_GAP_SD = NLL_GAP.sd
# of a log alone, of `evaluation.predictions.held_out`
MACRO_PRECISION = Metric("pred.macro_precision", "macro-precision", "higher", SHARE)
MACRO_RECALL = Metric("pred.macro_recall", "macro-recall", "higher", SHARE)
MACRO_ROC_AUC = Metric("pred.macro_roc_auc", "ROC-AUC by action", "higher", SHARE)  # one against the rest
MACRO_PR_AUC = Metric("pred.macro_pr_auc", "PR-AUC by action", "higher", SHARE)
RIGHT_ROC_AUC = Metric("pred.right_roc_auc", "ROC-AUC of being right", "higher", SHARE)
RIGHT_PR_AUC = Metric("pred.right_pr_auc", "PR-AUC of being right", "higher", SHARE)
RIGHT = Metric("pred.right", "right", "higher", SHARE)  # the likeliest action happens; with none, it does not
PRECISION = Metric("pred.precision", "precision", "higher", SHARE)
RECALL = Metric("pred.recall", "recall", "higher", SHARE)
F1 = Metric("pred.f1", "F1", "higher", SHARE)
EVENTS = Metric("pred.events", "events", "neither", NOT_NEGATIVE)
UNITS = Metric("pred.units", "days or streams", "neither", NOT_NEGATIVE)  # that are drawn with replacement

# episodes: what an agent hears, and what it is judged by
RETURN = Metric("reward.return", "feedback reward", "higher", unit=DAY)
UTILITY = Metric("utility.total", "true utility", "higher", unit=DAY)
LIFT = Metric("utility.lift", "lift", "higher", unit=DAY)
SHARE_OF_ORACLE = Metric("utility.share_of_oracle", "share of oracle", "higher")
NOOP_RATE = Metric("feedback.noop_rate", "no-op rate", "neither", SHARE)  # of its decisions
ACCEPT_RATE = Metric("feedback.accept_rate", "accepted", "higher", SHARE)  # of its acts that were answered: precision
OVERRIDE_RATE = Metric("feedback.override_rate", "overridden", "lower", SHARE)  # of its acts
MASKED = Metric("masked", "impossible actions", "lower", NOT_NEGATIVE)  # of an episode, carried out as none

# estimates from logged decisions, of `evaluation.off_policy`
IPS = Metric("off_policy.ips", "IPS", "higher")
SNIPS = Metric("off_policy.snips", "SNIPS", "higher")
DR = Metric("off_policy.dr", "DR", "higher")
GAIN = Metric("off_policy.gain", "gain (DR)", "higher")
ESS = Metric("off_policy.effective", "ESS", "neither", NOT_NEGATIVE)
MEAN_WEIGHT = Metric("off_policy.mean_weight", "weight", "neither", NOT_NEGATIVE)
PDIS = Metric("off_policy.pdis", "PDIS", "higher")
PDIS_ESS = Metric("off_policy.pdis_effective", "ESS", "neither", NOT_NEGATIVE)

# measurements of speed
STEPS = Metric("steps_per_cpu_s", "steps", "higher", NOT_NEGATIVE, CPU)
DECISIONS = Metric("epochs_per_cpu_s", "decisions", "higher", NOT_NEGATIVE, CPU)
OF_CARTPOLE = Metric("ratio_to_cartpole", "of CartPole", "higher", NOT_NEGATIVE)
ENVIRONMENT = Metric("environment_share", "environment", "neither", SHARE)

# columns of tables
PREDICTION = (TOP1, TOP3, MACRO_F1, NLL, ECE, PR_AUC)
SUREST = ("10 %", "25 %", "50 %", "75 %", "90 %", "100 %")  # shares of the decision points
MORE = (MACRO_PRECISION, MACRO_RECALL, MACRO_ROC_AUC, MACRO_PR_AUC, RIGHT_ROC_AUC, RIGHT_PR_AUC, BRIER)
OF_ACTION, OF_GROUP = (PRECISION, RECALL, F1, EVENTS), (TOP1, NLL, EVENTS)
ON_LOGS = {*MORE, *OF_ACTION, RIGHT, UNITS, NLL_GAP, NLL_GAP_SD} - {BRIER}
REWARD = (RETURN, UTILITY, LIFT, SHARE_OF_ORACLE, NOOP_RATE, ACCEPT_RATE, OVERRIDE_RATE)
SUMMARY = (TOP1, NLL, RETURN, LIFT, SHARE_OF_ORACLE)
JUDGE = UTILITY  # what "better" means of an agent

GROUPS = ("action", "hour", "user", "surest")
CATALOGUE = {m.id: m for m in tuple(globals().values()) if isinstance(m, Metric)}
KPI = Family("kpi.")
TERM = Family("term.", unit=DAY)  # of the reward, unweighted
UTILITY_TERM = Family("utility.", "higher", DAY)
GATES = (
    *("activities_per_day", "device_events_per_day", "light_switches", "gap_cv", "durations", "hour_profile"),
    *("entropy", "persistence", "wake_up", "start_spread", "predictability", "tstr"),
)
GATE = Family("fidelity.", "higher", names=GATES)  # 1: passed, of a resident calibrated to a log

APART = Family("gate.", "higher", names=("burstiness", "real_or_simulated"))  # not in the sum of the gates


def metric(id: str) -> Metric:
    """UserError unless a run may write it."""
    for family in (KPI, TERM, UTILITY_TERM, GATE, APART):
        if name := family.name(id):
            return family.metric(name)
    if id.startswith(_SD) and id not in CATALOGUE:
        return metric(id.removeprefix(_SD)).sd
    if id.startswith(_UNITS):
        return metric(id.removeprefix(_UNITS)).units
    whole, _, part = id.partition("@")
    group, _, name = part.partition(":")
    if whole in CATALOGUE and group in GROUPS and name:
        return CATALOGUE[whole].at(group, name)
    if id not in CATALOGUE:
        there_are = "all that may be written stand in lam_env/core/catalogue.py"
        raise UserError(f"no metric {id!r}; {suggestion(id, list(CATALOGUE), there_are)}")
    return CATALOGUE[id]
