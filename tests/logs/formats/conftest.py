"""What several files on tables share."""

import pytest

from lam_env.logs.formats.table import FORMATS


@pytest.fixture
def read(tmp_path):
    """Reads a text as a table, in UTC if nothing else is said."""

    def read(text, kind="csv", **options):
        path = tmp_path / f"x.{kind}"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return FORMATS[kind](str(path), **{"zone": "UTC", **options})

    return read
