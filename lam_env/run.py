"""python -m lam_env.run scenario=smart_home is `lam run scenario=smart_home`."""

import sys

from lam_env.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
