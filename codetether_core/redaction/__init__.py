"""Taking secrets out of text, whole or in pieces, and out of values of any shape."""

from codetether_core.redaction.errors import reword
from codetether_core.redaction.forms import LONGEST, SHORTEST, forms, mark, require_secret
from codetether_core.redaction.redactor import NOTHING_HELD, Held, Redactor
from codetether_core.redaction.values import rewritten, texts

__all__ = [
    "LONGEST",
    "NOTHING_HELD",
    "SHORTEST",
    "Held",
    "Redactor",
    "forms",
    "mark",
    "require_secret",
    "reword",
    "rewritten",
    "texts",
]
