"""Columns as a Parquet file, whose pages carry checksums for whoever reads them by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lam_env.core.files.inputs import reason


def write_parquet(columns: Mapping[str, Any], path: Path) -> None:
    """`columns`: arrays of numpy or pyarrow, all of one length."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(dict(columns)), path, compression="zstd", write_page_checksum=True)


def parquet_of(content: bytes) -> Any:
    """The pyarrow Table that a file's content is; ValueError where it is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"no Parquet that can be read: {reason(error)}") from None
