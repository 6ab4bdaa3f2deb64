"""How much of a contract is tried on a server of its own, where each example is hundreds of round trips."""

from __future__ import annotations

from typing import Any, Final
from unittest import TestCase

from hypothesis import is_hypothesis_test, settings

__all__ = ["at_its_pace"]

_SHARE: Final = 5
_LEAST: Final = 10


def at_its_pace(contract: Any) -> type[TestCase]:
    """The same contract, with a fifth of the examples: stores that live in this process are asked for all of them."""
    few = settings(max_examples=max(settings().max_examples // _SHARE, _LEAST))
    if hasattr(contract, "settings"):  # a machine's
        contract.settings = few
    for name in dir(contract):
        if is_hypothesis_test(test := getattr(contract, name)):
            few(test)
    slowed: type[TestCase] = contract
    return slowed
