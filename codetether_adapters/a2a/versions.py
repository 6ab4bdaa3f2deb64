"""Which release a request is of: what ``A2A-Version`` says, and what is spoken here.

Only major and minor count. A request that does not say is of release 0.3, which had no such header; what is named as in
0.3 is answered whatever the header says, since nothing else can be meant.
"""

from __future__ import annotations

import re
from typing import Final

from codetether_adapters.a2a.errors import VERSION_NOT_SUPPORTED, Refused

__all__ = ["HEADER", "require_1_0", "require_1_0_if_any"]

HEADER: Final = "A2A-Version"
_OLD: Final = "0.3"
_NEW: Final = re.compile(r"1\.0(\.\d+)?", re.ASCII)


def require_1_0(told: str) -> None:
    """``Refused`` unless the request says that it is of release 1.0."""
    if not _NEW.fullmatch(told):
        version = told or _OLD
        problem = f"The method is of release 1.0, and the request of {version}: send the header {HEADER}: 1.0"
        raise Refused(VERSION_NOT_SUPPORTED, problem, version=version, supported="1.0, 0.3")


def require_1_0_if_any(told: str) -> None:
    """``Refused`` if the request says that it is of another release; for paths that only this one has."""
    if told:
        require_1_0(told)
