"""``python -m alf``."""

import sys

from alf.cli import main

if __name__ == "__main__":
    sys.exit(main())
