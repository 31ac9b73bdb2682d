"""python -m lam_env.benchmark suite=quick is `lam benchmark suite=quick`."""

import sys
from collections.abc import Sequence

from lam_env import __main__ as lam


def main(argv: Sequence[str]) -> int:
    return lam.main(["benchmark", *argv])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
