"""A made log of a household's commands, read as a file of one's own."""

import numpy as np
import pytest
from plain_log import plain_log

from lam_env.core.units import DAY
from lam_env.logs.formats import table


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "log.csv"
    path.write_text(plain_log(0), encoding="utf-8")
    log, left_out = table.FORMATS["csv"](str(path))
    assert left_out == {}
    return log


def test_two_people_give_some_300_commands_in_three_weeks(log):
    assert log.meta["users"] == ["ada", "ben"]
    assert 12 <= len(log.vocabulary.actions) - 1 <= 20
    assert 250 <= len(log.time) <= 330
    assert np.unique(log.time // DAY).tolist() == list(range(21))


def test_every_seed_is_another_log():
    assert plain_log(1) == plain_log(1) != plain_log(2)
