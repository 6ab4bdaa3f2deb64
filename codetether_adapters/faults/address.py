"""The address of a store that fails on purpose: ``faulty+SCHEME://…?seed=7&before=0.05&after=0.05&late=0.1&delay=1``.

``seed`` is of the dice. Of all calls the share ``before`` fails without an effect and ``after`` with one, and ``late``
waits ``delay`` seconds; its clock is ``skew`` seconds ahead, or behind if that is less than zero. What is left out does
not happen; other options are the store's own.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from codetether_adapters.faults.dice import Faults
from codetether_core.errors import Invalid

__all__ = ["PREFIX", "rehearsal"]

PREFIX: Final = "faulty+"

_DAY: Final = 86_400.0
_SHARES: Final = ("before", "after", "late")
_HINT: Final = f"{PREFIX}sqlite:////tmp/rehearsal.db?seed=7&before=0.05&after=0.05"


def rehearsal(url: str) -> tuple[str, Faults]:
    """The address of the store itself, and the faults to put in front of it; ``Invalid`` for odd options."""
    rest, _, query = url.removeprefix(PREFIX).partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    options = {name: given.pop(name) for name in ("seed", *_SHARES, "delay", "skew") if name in given}
    try:
        seed = int(options.pop("seed", "0"))
        numbers = dict.fromkeys(_SHARES, 0.0) | {name: float(value) for name, value in options.items()}
    except ValueError:
        raise Invalid("store", "has an option of its faults that is no number", hint=_HINT) from None
    shares = *(numbers[name] for name in _SHARES), numbers["before"] + numbers["after"]
    delays = abs(numbers.get("skew", 0.0)), numbers.get("delay", 0.0)
    if not all(0 <= share <= 1 for share in shares) or not all(0 <= delay <= _DAY for delay in delays):
        raise Invalid(
            "store", "has an option of its faults that is no share of 1, or no delay within a day", hint=_HINT
        )
    return f"{rest}?{urlencode(given, quote_via=quote)}" if given else rest, Faults(seed, **numbers)
