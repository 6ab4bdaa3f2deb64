"""Where the file is: ``sqlite:///absolute/path``."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from codetether_core.errors import Invalid

__all__ = ["file_of"]

_EXAMPLE: Final = "sqlite:////var/lib/x.db"


def file_of(url: str) -> Path:
    """The file that an address names; ``Invalid`` says what is wrong with it."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.scheme != "sqlite" or parts.netloc or not path.is_absolute() or path == Path("/"):
        raise Invalid("store", "must be sqlite:/// and the absolute path of a file", hint=_EXAMPLE)
    if path.is_dir():
        raise Invalid(
            "store", f"names the directory {path}, and must name a file", hint=f"sqlite://{path}/codetether.db"
        )
    return path
