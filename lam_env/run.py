"""python -m lam_env.run scenario=smart_home is `lam run scenario=smart_home`."""

import sys

from lam_env.commands.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
