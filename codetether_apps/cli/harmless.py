"""Text that cannot control the terminal: what agents print is shown, never obeyed."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Harmless", "harmless"]

_SEQUENCES: Final = re.compile(
    r"""
      (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]                                  # CSI: colours, cursor, modes
    | (?: \x1b\] | \x9d ) [^\x07\x1b\x80-\x9f]* (?: \x07 | \x1b\\ | \x9c )     # OSC: titles, links, clipboard
    | (?: \x1b[PX^_] | [\x90\x98\x9e\x9f] ) [^\x1b\x80-\x9f]* (?: \x1b\\ | \x9c )  # DCS, SOS, PM, APC
    | \x1b [ -/]* [0-~]                                                        # all other escapes
    """,
    re.VERBOSE,
)
_UNFINISHED: Final = re.compile(
    r"(?: (?:\x1b\[|\x9b)[0-?]*[ -/]* | (?:\x1b\]|\x9d)[^\x07\x1b\x80-\x9f]*\x1b? "
    r"| (?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x80-\x9f]*\x1b? | \x1b[ -/]* | \r )\Z",
    re.VERBOSE,
)
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\u2028\u2029\ufeff]"
)
_LONGEST: Final = 4096


def harmless(text: str) -> str:
    """The text without terminal control sequences and control characters other than tab and newline."""
    text = _SEQUENCES.sub("", text)
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


class Harmless:
    """The same for text that comes in pieces, which may break a sequence in two."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """What of the text can be shown now."""
        text = self._held + text
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished and len(text) - unfinished.start() <= _LONGEST else len(text)
        self._held = text[cut:]
        return harmless(text[:cut])

    def rest(self) -> str:
        """What was held back, when no more comes."""
        held, self._held = self._held, ""
        return harmless(held)
