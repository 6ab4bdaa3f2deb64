"""Which programs the real servers are: those of packages from PyPI, or the older ones of this Debian.

``make test-system`` sets ``CODETETHER_TEST_SERVERS=debian`` for the latter.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["DEBIAN", "installed"]

DEBIAN: Final = os.environ.get("CODETETHER_TEST_SERVERS") == "debian"
"""Whether it is the latter."""


def installed(program: str, package: str) -> Path:
    """Where the program of a Debian package is; fail with the command that installs it if it is not there."""
    path = Path(program)
    if not path.exists():
        raise AssertionError(f"no {program} to test with: apt-get install {package}")
    return path
