"""What a policy in Rego says to an agent's wish, read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from codetether_core import codec
from codetether_core.access import Verdict
from codetether_core.errors import Invalid

__all__ = ["verdict_of"]

_RULE: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,100}", re.ASCII)
_LONGEST: Final = 1000


def verdict_of(said: object) -> Verdict:
    """The verdict that a document of ``agent.rego`` is; ``Invalid`` if it is none, or its rule has no usable name."""
    if not isinstance(said, Mapping):
        raise Invalid("verdict", "must be an object")
    verdict = codec.parse(Verdict, said, field="verdict")
    if not _RULE.fullmatch(verdict.rule):
        raise Invalid("verdict.rule", "must be a name of at most 100 letters, digits and _.:/-")
    if len(verdict.reason) > _LONGEST:
        raise Invalid("verdict.reason", f"must have at most {_LONGEST:,} characters")
    return verdict
