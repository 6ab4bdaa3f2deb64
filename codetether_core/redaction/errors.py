"""The texts in an error: written anew, for it may quote what others said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from codetether_core.errors import CodeTetherError
from codetether_core.redaction.values import rewritten

__all__ = ["reword"]

_SLUG: Final = "code"


def reword(error: CodeTetherError, change: Callable[[str], str]) -> None:
    """Change each text of the error, but its slug: its sentence, its hint, its details and what it has more."""
    said = {name: value for name, value in vars(error).items() if name != _SLUG}
    vars(error).update(rewritten(said, change))
    error.args = (error.message,)
