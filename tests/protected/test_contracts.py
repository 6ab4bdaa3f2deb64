"""What is encrypted keeps every contract but that it can be searched, and that blobs go by their own digest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final
from unittest import TestCase

from codetether_adapters import memory
from codetether_core.ports import Backend
from contracts.ports import STORE_CONTRACTS, OpenBackend, blob_store_contract
from tests.protected.opening import (
    encrypted_files,
    encrypted_memory,
    encrypted_memory_blobs,
    encrypted_sqlite,
    encrypting,
)
from tests.servers.pace import at_its_pace

_SEARCHING: Final = (
    "test_a_search_finds_text_as_json_writes_it",
    "test_sessions_are_listed_last_updated_first",
    "test_the_last_are_read_back_in_pages",
    "test_what_was_erased_is_not_found_by_its_words",
)
_MEASURING: Final = ("test_a_page_is_bounded_by_bytes",)
"""What is kept is longer than what is read, and pages are bounded by what is kept: see ``test_encrypting``."""


@asynccontextmanager
async def not_encrypting() -> AsyncIterator[Backend]:
    async with memory.open_backend() as backend:
        yield encrypting(backend, on=False)


def kept_by(
    name: str,
    open_backend: OpenBackend,
    *,
    but: tuple[str, ...] = (),
    pace: Callable[[type[TestCase]], type[TestCase]] = lambda case: case,
) -> dict[str, type[TestCase]]:
    cases = {f"Test_{name}_{contract.__name__}": pace(contract(open_backend)) for contract in STORE_CONTRACTS}
    for case in cases.values():
        for example in but:
            if hasattr(case, example):
                delattr(case, example)
    return cases


globals().update(kept_by("memory", encrypted_memory, but=_SEARCHING + _MEASURING))
globals().update(kept_by("sqlite", encrypted_sqlite, but=_SEARCHING + _MEASURING, pace=at_its_pace))
globals().update(kept_by("off", not_encrypting))

TestBlobs = blob_store_contract(encrypted_memory_blobs, addressed_by_content=False)
TestBlobsInFiles = blob_store_contract(encrypted_files, addressed_by_content=False)
TestClearBlobs = blob_store_contract(partial(encrypted_memory_blobs, on=False))
