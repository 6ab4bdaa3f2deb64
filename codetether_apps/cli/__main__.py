"""``python -m codetether_apps.cli``."""

import sys

from codetether_apps.cli.running import main

if __name__ == "__main__":
    sys.exit(main())
