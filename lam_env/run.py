"""python -m lam_env.run scenario=smart_home is `lam run scenario=smart_home`."""

import sys
from collections.abc import Sequence

from lam_env import __main__ as lam


def main(argv: Sequence[str]) -> int:
    return lam.main(["run", *argv])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
