"""Published logs of homes, read by the kit as a file of one's own: rows, split and counting as in the reference."""

import dataclasses
import json

import numpy as np
import pytest
from lam_env.agents.counting.online import counting
from outside import FIGURES, needs
from protocol_logs import LOGS, protocol_log

from lam_env.evaluation.metrics import prediction_metrics
from lam_env.logs.decision_points import decision_points
from lam_env.logs.formats import table
from lam_env.logs.streams import split_by_protocol

RESULTS = FIGURES / "smart_home/results"


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(log.source, RESULTS)) for name, log in LOGS.items()])
def test_a_published_log_has_the_rows_of_its_reference(name, tmp_path):
    told = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    path = tmp_path / f"{name}.csv"
    path.write_text(protocol_log(name), encoding="utf-8")
    log, left_out = table.FORMATS["csv"](str(path))
    assert left_out == {}
    assert log.intervals == LOGS[name].timed
    assert len(log.vocabulary.actions) - 1 == told["labels"]

    points = decision_points(dataclasses.replace(log, timer=None), soon=False)  # the protocol has no rows of a timer
    train, valid, test = split_by_protocol(log, points)
    assert [part.sum() for part in (train, valid, test)] == told["n"]

    target = points.target[test]
    assert (~np.isin(target, points.target[train])).mean() == pytest.approx(told["unseen_test"], abs=1e-4)
    said = counting("markov2_clock").fit(points.select(train), points.select(valid)).read(points).next[test]
    found = prediction_metrics(said, target)["pred.nll"]
    # the reference interpolates the same contexts otherwise
    assert found == pytest.approx(told["models"]["markov2_time"]["nll"], abs=0.1)
