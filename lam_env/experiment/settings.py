"""Settings of `python -m lam_env.run`, one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from lam_env.config.cli import Group, setting
from lam_env.core import registry
from lam_env.core.seeds import Use
from lam_env.core.tuning import TrainSettings
from lam_env.experiment.logs.file import LogFile

# the order of the tables; an agent that is found in no other way stands at the end
ORDER = (
    "none",
    "random",
    *("most_frequent", "time_table", "markov1", "markov2", "markov3", "markov2_clock", "markov_online"),
    "prior",
    "plugin",
    "plugin_context",
    "plugin_kind",
    "plugin_memory",
    "maskable_ppo",
    "ppo_scratch",
    "ppo_prior",
    *("bayes", "known"),
    "informed",
    "oracle",
)
ALL = "all"  # in the place of an agent's name
# those of them that a world has
DEFAULT = ("plugin_context", "plugin_kind", "plugin_memory", "ppo_prior", "prior", "informed")
UNTRAINED = ("none", "random")  # one row whatever the training seed; so have the scenarios' own agents
PRETRAIN = "pretrain"  # in the place of an agent's name: the training of a prior
OTHERS = "others"  # the log of other homes in a run's folder of logs
LAUNCHER = "where jobs run: processes of this machine, or a Ray cluster whose machines share the folder `out`"
MEMORY = "memory that one of your own agents may take, in GiB (default: half of the machine's)"
TIMEOUT = "seconds for which one of your own agents may give no answer, make no step of its worlds, report no progress"
ALWAYS = ("none", "oracle")  # the floor, and the mark of a scenario that has one, stand in every table


@dataclass(frozen=True)
class LogSettings:
    """The simulated training log."""

    worlds: int = setting(32, "worlds in the simulated training log; an eighth of them validates", low=2, high=10_000)
    days: int = setting(28, "days in the simulated training log", low=1)


@dataclass(frozen=True)
class PredictorChoice:
    """The neural predictor."""

    core: Literal["lstm", "gru", "transformer"] = setting("lstm", "memory of the neural predictor")
    hidden: int | None = setting(
        None, "width of the predictor's state (default: by the size of the log)", low=4, high=2048
    )
    passes: int | None = setting(
        None, "how often the predictor reads the training log at most (default: by the size of the log)", low=1
    )
    members: int | None = setting(
        None, "networks whose probabilities the predictor averages (default: by the size of the log)", low=1, high=16
    )
    patience: int | None = setting(
        None,
        "updates in vain after which the predictor's training stops, once it beats the shares of actions"
        " (default: by the size of the log)",
        low=1,
    )
    dropout: tuple[float, ...] = setting(
        (),
        "share of the network's state dropped in training; of several that which is best on days left out of training"
        " (default: by the size of the log)",
        low=0,
        high=0.9,
    )
    weight_decay: tuple[float, ...] = setting(
        (),
        "how much the network's weights decay (L2, as AdamW does it); of several the best on days left out of training"
        " (default: 0.01)",
        low=0,
        high=10,
    )
    augment: tuple[str, ...] = setting(
        (),
        "how rows that are trained on are changed anew in each pass, some of jitter and shift (times, one by one and"
        " by the day), drop, repeat (events missed, or written twice; default: not at all)",
    )
    start: tuple[str, ...] = setting(
        (),
        "folders of runs on logs of other homes, on which the predictor of a real log of few days is trained first",
    )
    labels: str | None = setting(
        None, "predictor.start: a YAML file of what homes call the same, which adds to the kit's own names"
    )
    parts: Literal["nets", "nets,counts", "nets,counts,boosting"] | None = setting(
        None,
        "what the predictor is made of: networks, counts that never stop, and boosted trees, where it only predicts"
        " (default: all of a real log, nets of a simulated one)",
    )


@dataclass(frozen=True)
class FoldSettings:
    """Judging on a log."""

    folds: int = setting(
        0,
        "predict a real log so many times: each time learn from its first days, some more each time, and test on the"
        " next ones (default: once, on the last days)",
        low=0,
        high=50,
    )


@dataclass(frozen=True)
class EvalSettings(FoldSettings):
    """Judging."""

    seeds: int = setting(
        10, "evaluation seeds, on each of which every agent meets the same worlds", low=1, high=Use.TEST.seeds
    )
    worlds: int = setting(4, "worlds in an evaluation seed", low=1, high=Use.TEST.room)
    split: Literal["test", "validation"] = setting(
        "test", "which evaluation worlds: validation to choose settings on, test for tables"
    )
    world: tuple[str, ...] = setting(
        (), "settings of the worlds to judge in, where other people are to be met than in training: households=alike"
    )


@dataclass(frozen=True)
class RaySettings:
    """The cluster of launcher=ray."""

    address: str | None = setting(
        None,
        "launcher=ray: HOST:PORT of a running cluster, or auto on one of its machines (default: a cluster made here)",
    )


@dataclass(frozen=True)
class ScenarioChoice:
    """The world."""

    scenario: str = setting("smart_home", "the scenario, by name", code=True)


@dataclass(frozen=True)
class PredictSettings(LogFile):
    """Judge predictors on the last days, users or sessions of a real log: nothing is simulated, and nobody acts."""

    agents: tuple[str, ...] = setting(
        (),
        "predictors to judge, by id, beside prior, the learned one, which always is (default: those that count)",
        may_differ=True,
    )
    out: str | None = setting(None, "folder of the run (default: the next free one in runs/)", may_differ=True)
    seed: tuple[int, ...] = setting((0,), "training seeds; the first one also draws a log that is simulated")
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "where networks are trained")
    workers: int = setting(
        2,
        "processes that fit and judge agents; the results are the same with any number",
        low=1,
        high=64,
        may_differ=True,
    )
    launcher: Literal["local", "ray"] = setting("local", LAUNCHER, may_differ=True)
    ray: RaySettings = setting(RaySettings(), "the cluster", may_differ=True)
    predictor: PredictorChoice = PredictorChoice()
    eval: FoldSettings = FoldSettings()


@dataclass(frozen=True)
class RunSettings(PredictSettings, ScenarioChoice):
    """Simulate or import a log, pre-train on it, fine-tune, judge, and print the tables."""

    agents: tuple[str, ...] = setting(
        (),
        f"agents to judge, by id; none always is, and oracle where there is one; {ALL} are all, with tables"
        " of exploits and of the information ladder (default: those that there are of"
        f" {', '.join(DEFAULT)}; on a real log, counting predictors too)",
        code=True,
        may_differ=True,
    )
    agent: tuple[str, ...] = setting(
        (), "your own agents, as module:Class, one more row each", code=True, may_differ=True
    )
    agent_memory: float | None = setting(None, MEMORY, low=0.01, name="agent.memory", may_differ=True)
    agent_timeout: float = setting(600.0, TIMEOUT, low=1, name="agent.timeout", may_differ=True)
    predict: bool = setting(False, "judge predictors on the real log, and nothing more: nobody acts")
    model: str | None = setting(None, "a run folder to start from: its prior and its policy")
    track: tuple[str, ...] = setting(
        (),
        lambda: (
            f"also send curves and scores to these, offline: {', '.join(registry.SINKS.names())};"
            " each needs the extra of its name"
        ),
        may_differ=True,
    )
    checkpoints: float = setting(
        30.0, "seconds between two checkpoints of a training, at least", low=0, may_differ=True
    )
    log: LogSettings = LogSettings()
    train: TrainSettings = TrainSettings()
    eval: EvalSettings = EvalSettings()
    world: Group = setting(
        cast(Group, {}), "settings of the scenario, such as world.days=3; scenario=NAME --help lists them"
    )
