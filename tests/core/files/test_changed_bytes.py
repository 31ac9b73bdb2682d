"""A log with changed bytes is refused; none is read as other data."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from lam_env.scenarios.smart_home import SCENARIO

from lam_env.core.events import ABOUT, EVENTS, ActionLog, LogError
from lam_env.core.files.manifest import MANIFEST, write_manifest
from lam_env.envs.recording import simulate_log


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log") / "log"
    simulate_log(SCENARIO(days=1), [3], 1)[0].save(folder)
    return folder


def same(one: ActionLog, other: ActionLog) -> bool:
    plain = [(log.vocabulary, log.timer, log.start, log.end, log.protocol, log.meta) for log in (one, other)]
    columns = (np.array_equal(one.columns[k], other.columns[k], equal_nan=True) for k in one.columns)
    return plain[0] == plain[1] and all(columns)


def read_as_other_data(saved: Path, copy: Path, times: int) -> int:
    """Of so many logs with two changed bits each."""
    right, draws, found = ActionLog.load(saved), np.random.default_rng(0), 0
    for _ in range(times):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(saved, copy)
        path = copy / (EVENTS, ABOUT, MANIFEST)[draws.choice(3, p=(0.6, 0.3, 0.1))]
        content = bytearray(path.read_bytes())
        for bit in draws.integers(8 * len(content), size=2).tolist():
            content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        with contextlib.suppress(LogError):
            found += not same(ActionLog.load(copy), right)
    return found


def test_changed_bits_are_noticed(saved: Path, tmp_path: Path) -> None:
    assert read_as_other_data(saved, tmp_path / "copy", 40) == 0


@pytest.mark.faults
def test_many_logs_with_changed_bits(saved: Path, tmp_path: Path) -> None:
    found = read_as_other_data(saved, tmp_path / "copy", 600)
    print(f"logs with two changed bits read as other data: {found} of 600")
    assert found == 0


@pytest.mark.parametrize(("column", "value"), [
    *(("kind", 5), ("kind", -1), ("token", 30_000), ("token", -1), ("user", -2), ("answers", -2), ("world", -1)),
    ("time", 2**53 + 1),
])  # fmt: skip
def test_what_no_log_can_hold_is_refused_whoever_wrote_it(saved: Path, tmp_path: Path, column: str, value: int) -> None:
    """A foreign tool may write a manifest that fits."""
    copy = shutil.copytree(saved, tmp_path / "copy")
    log = ActionLog.load(copy)
    row = 0 if column == "world" else len(log) - 1
    log.columns[column][row] = value
    log.fill(tmp_path / "made")
    with pytest.raises(LogError, match=rf"event {row:,} is none of this vocabulary: .*'{column}': {value}"):
        ActionLog.load(tmp_path / "made")


def test_numbers_that_do_not_fit_their_columns_are_not_wrapped(saved: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(saved, tmp_path / "copy")
    table = pq.read_table(copy / EVENTS)
    tokens = table["token"].to_numpy().astype(np.int64) + 2**16  # the same in 16 bits
    pq.write_table(table.set_column(table.column_names.index("token"), "token", [tokens]), copy / EVENTS)
    write_manifest(copy, 1)
    with pytest.raises(LogError, match=r"token: .* does not fit into int16"):
        ActionLog.load(copy)


def test_other_readers_see_checksums_of_pages(saved: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(saved, tmp_path / "copy") / EVENTS
    content = bytearray(copy.read_bytes())
    content[60] ^= 1  # within the first page
    copy.write_bytes(content)
    with pytest.raises(OSError, match=r"(?i)checksum|crc"):
        pq.read_table(copy, page_checksum_verification=True)


def test_a_log_without_a_manifest_is_made_again(saved: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(saved, tmp_path / "copy")
    (copy / MANIFEST).unlink()
    with pytest.raises(LogError, match=r"not a readable log .*; simulate or import it again"):
        ActionLog.load(copy)
    assert json.loads((saved / MANIFEST).read_text())["format"] == 1
