"""What several files on tables share."""

import pytest

from lam_env.logs.formats.table import FORMATS
from lam_env.logs.input.files import written_in


@pytest.fixture
def read(tmp_path):
    """Reads a text as a table, in UTC if nothing else is said. encoding: as `written_in` has it."""

    def read(text, kind="csv", encoding=None, **options):
        path = tmp_path / f"x.{kind}"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        with written_in(encoding):
            return FORMATS[kind](str(path), **{"zone": "UTC", **options})

    return read
