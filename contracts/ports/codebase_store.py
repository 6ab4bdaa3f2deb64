"""The contract of ``CodebaseStore``, beyond ``RecordStore``'s: unique by name and path."""

from __future__ import annotations

import unittest
from typing import Final

from attrs import evolve

from codetether_core.codebases import Codebase
from codetether_core.errors import AlreadyExists
from codetether_core.events import CODEBASES, Topic
from codetether_core.ids import CodebaseId, TenantId
from codetether_core.ports import Backend
from contracts.ports.harness import Example, OpenBackend, examples, raises
from contracts.ports.samples import NOW, OTHER_TENANT, TENANT, note

__all__ = ["codebase_store_contract"]


def codebase_store_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Finding by (tenant, name, path), and refusing a second one."""
    return examples("CodebaseStoreContract", open_backend, _EXAMPLES)


def _codebase(id: str, name: str = "n", path: str = "/p", tenant: TenantId = TENANT) -> Codebase:
    return Codebase(id=CodebaseId(id), tenant=tenant, name=name, path=path, registered_at=NOW, updated_at=NOW)


async def a_codebase_is_found_by_name_and_path(backend: Backend) -> None:
    """Both, exactly, in its tenant; where one text ends and the other begins matters."""
    store = backend.codebases
    await store.add(first := _codebase("1", "ab", "c"))
    await store.add(second := _codebase("2", "a", "bc"))
    await store.add(third := _codebase("3", "ab", "c", OTHER_TENANT))
    assert await store.find(TENANT, "ab", "c") == first
    assert await store.find(TENANT, "a", "bc") == second
    assert await store.find(OTHER_TENANT, "ab", "c") == third
    for name, path in (("AB", "c"), ("ab", "C"), ("abc", ""), ("", "abc")):
        assert await store.find(TENANT, name, path) is None


async def name_and_path_are_taken_once(backend: Backend) -> None:
    """``AlreadyExists`` under another id, for an add and for a swap, and nothing is written."""
    store = backend.codebases
    topic = Topic(TENANT, CODEBASES, "x")
    await store.add(first := _codebase("1"))
    await store.add(second := _codebase("2", path="/q"))
    start = await backend.log.head()
    await raises(AlreadyExists, store.add(_codebase("3"), [note(topic)]))
    await raises(AlreadyExists, store.replace(second, evolve(second, path="/p", version=2), [note(topic)]))
    assert [*await store.list(TENANT)] == [first, second]
    assert await backend.log.head() == start
    await store.replace(first, evolve(first, description="d", version=2))


async def name_and_path_are_free_again(backend: Backend) -> None:
    """After a removal, and after a swap that moved away."""
    store = backend.codebases
    await store.add(first := _codebase("1"))
    await store.replace(first, moved := evolve(first, path="/q", version=2))
    assert await store.find(TENANT, "n", "/p") is None
    assert await store.find(TENANT, "n", "/q") == moved
    await store.add(_codebase("2"))
    await store.remove(moved)
    assert await store.find(TENANT, "n", "/q") is None
    await store.add(_codebase("3", path="/q"))


_EXAMPLES: Final[tuple[Example, ...]] = (
    a_codebase_is_found_by_name_and_path,
    name_and_path_are_taken_once,
    name_and_path_are_free_again,
)
