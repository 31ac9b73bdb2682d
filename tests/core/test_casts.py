"""Numbers from outside are checked before they are cast."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.casts import narrow
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog, LogError, Vocabulary


@given(
    st.lists(st.integers(-(2**70), 2**70), max_size=4) | st.lists(st.floats(width=64), max_size=4),
    st.sampled_from([np.int8, np.int16, np.int32, np.int64]),
)
def test_a_number_comes_back_as_it_was_or_is_refused(numbers, dtype):
    limits = np.iinfo(dtype)
    if all(math.isfinite(x) and x == int(x) and limits.min <= int(x) <= limits.max for x in numbers):
        found = narrow("x", numbers, dtype)
        assert found.dtype == dtype
        assert found.tolist() == numbers
    else:
        with pytest.raises(UserError, match=r"^x: "):
            narrow("x", numbers, dtype)


@pytest.mark.parametrize("value", [2**40, -(2**31) - 1, 0.5, np.nan, np.inf, "1", None, [1]])
def test_what_fits_into_no_int32(value):
    with pytest.raises(UserError, match=r"^time: .*(int32|no whole number)"):
        narrow("time", [1, value], np.int32)


def test_the_limits_themselves():
    limits = np.iinfo(np.int64)
    assert narrow("x", [limits.min, limits.max], np.int64).tolist() == [limits.min, limits.max]
    with pytest.raises(UserError, match=r"x: 9.2.*e.18 does not fit into int64"):
        narrow("x", [2.0**63], np.int64)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"token": [70_000, 1]}, "log: token: 70000 does not fit into int16"),
        ({"user": [2**40, 0]}, "log: user: .* does not fit into int16"),
        ({"time": [0.5, 1.0]}, "log: time: 0.5 is no whole number"),
        ({"value": [1e300, 1.0]}, "log: value: .* does not fit into float32"),
    ],
)
def test_a_log_of_numbers_that_do_not_fit_is_refused(change, says):
    columns = {"time": [0, 1], "kind": [0, 0], "token": [1, 1], "user": [0, 0]}
    vocabulary = Vocabulary(("none", "a"))
    assert len(ActionLog.from_columns(columns, vocabulary)) == 2
    with pytest.raises(LogError, match=says):
        ActionLog.from_columns(columns | change, vocabulary)


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"end": (1e30,)}, "ticks a second and timer: .*int64"),
        ({"people": 2**70}, "ticks a second and timer: .*int64"),
        ({"ticks_per_second": 0}, "0 ticks a second"),
        ({"intervals": True}, "an activity of more than"),
    ],
)
def test_what_a_file_says_of_a_log_is_checked_too(about, says):
    columns = {"time": [0, 1], "kind": [0, 0], "token": [1, 1], "user": [0, 0], "value": [1e20, 1.0]}
    with pytest.raises(LogError, match=says):
        ActionLog.from_columns(columns, Vocabulary(("none", "a")), **about)
