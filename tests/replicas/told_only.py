"""A server that never looks at the end of a PostgreSQL log by itself: it sees what its channel tells it of."""

import sys

from codetether_adapters.postgres import following
from codetether_apps.server import main

if __name__ == "__main__":
    setattr(following, "_POLL", 24 * 3600.0)  # noqa: B010 - it is final to everybody else
    sys.exit(main())
