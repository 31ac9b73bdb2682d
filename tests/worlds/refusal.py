"""What a command says that refuses what it is given."""

from collections.abc import Callable, Sequence

import pytest


def refused(main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line that is said; the command ends with 2."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line
