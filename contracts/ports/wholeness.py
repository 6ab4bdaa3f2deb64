"""The contract of a ``Backend`` itself: it remembers that a copy is being put into it."""

from __future__ import annotations

import unittest
from typing import Final

from codetether_core.ports import Backend
from contracts.ports.harness import Example, OpenBackend, examples

__all__ = ["wholeness_contract"]


def wholeness_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Whether the store has all that it should."""
    return examples("WholenessContract", open_backend, _EXAMPLES)


async def a_store_is_whole_but_between_the_first_piece_of_a_copy_and_its_last(backend: Backend) -> None:
    """A new one is; saying so twice changes nothing."""
    assert await backend.is_whole()
    for whole in (True, False, False, True, True, False):
        await backend.set_whole(whole)
        assert await backend.is_whole() is whole


_EXAMPLES: Final[tuple[Example, ...]] = (a_store_is_whole_but_between_the_first_piece_of_a_copy_and_its_last,)
