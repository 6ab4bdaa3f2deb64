"""What looking for registered secrets costs."""

from __future__ import annotations

import time
from base64 import b64encode
from random import Random
from statistics import median

from codetether_core.redaction import NOTHING_HELD, Redactor

__all__ = ["redaction_costs"]


def redaction_costs(secrets: int, runs: int) -> tuple[float, float]:
    """Median CPU-milliseconds of 16 KiB of output as it comes, and as a text that is whole; none of it is a secret."""
    dice = Random(secrets)
    redactor = Redactor.of({f"secret{n}": b64encode(dice.randbytes(30)).decode() for n in range(secrets)})
    text = b64encode(dice.randbytes(12 * 1024)).decode()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs + 1):
        begun = time.process_time()
        redactor.feed(NOTHING_HELD, text)
        between = time.process_time()
        redactor.whole(text)
        taken[0].append((between - begun) * 1e3)
        taken[1].append((time.process_time() - between) * 1e3)
    return median(taken[0][1:]), median(taken[1][1:])
