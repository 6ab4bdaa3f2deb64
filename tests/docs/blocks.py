"""The code blocks of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["ROOT", "blocks"]

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str, language: str) -> list[str]:
    """What stands in the fences of that language, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return [code for marked, code in _BLOCK.findall(text) if marked == language]
