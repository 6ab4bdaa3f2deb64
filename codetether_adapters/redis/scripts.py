"""The Lua scripts, each known to the server by its digest."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final

from attrs import frozen

__all__ = [
    "BEGIN",
    "FILE",
    "HISTORY",
    "KEEP",
    "PAGE",
    "POINT",
    "RENEW",
    "SIZES",
    "TAIL",
    "THIN",
    "TRIM",
    "WRITE",
    "Script",
]


@frozen
class Script:
    """A script and its digest."""

    source: str
    digest: str


def _script(name: str) -> Script:
    source = files("codetether_adapters.redis").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


BEGIN: Final = _script("begin")
FILE: Final = _script("file")
HISTORY: Final = _script("history")
KEEP: Final = _script("keep")
PAGE: Final = _script("page")
POINT: Final = _script("point")
RENEW: Final = _script("renew")
SIZES: Final = _script("sizes")
TAIL: Final = _script("tail")
THIN: Final = _script("thin")
TRIM: Final = _script("trim")
WRITE: Final = _script("write")
