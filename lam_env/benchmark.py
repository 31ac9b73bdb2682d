"""python -m lam_env.benchmark suite=quick is `lam benchmark suite=quick`."""

import sys

from lam_env.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["benchmark", *sys.argv[1:]]))
