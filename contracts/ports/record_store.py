"""The contract of ``RecordStore``: compare and swap by version."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from attrs import evolve

from codetether_core.access import Credential, CredentialKind
from codetether_core.agents import Agent, SignIn
from codetether_core.codebases import Codebase
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Topic
from codetether_core.ids import AgentName, CodebaseId, CredentialId, TenantId, WorkerId
from codetether_core.ports import Backend, RecordStore
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer
from codetether_core.workers import Worker
from contracts.ports.harness import Example, OpenBackend, examples, raises
from contracts.ports.samples import MICROSECOND, NOW, OTHER_TENANT, SECOND, TENANT, note
from contracts.ports.webhook_store import new_webhook

__all__ = ["record_store_contract"]

_TOPIC: Final = Topic(TENANT, "records", "r")

Store: TypeAlias = RecordStore[Any]
Make: TypeAlias = Callable[..., Any]


def record_store_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """The same behaviours for codebases, workers, agents, credentials, secrets, data keys, tool servers, webhooks."""
    shown = [_shown(example, kind) for kind in _KINDS for example in _EXAMPLES]
    return examples("RecordStoreContract", open_backend, shown)


def _codebase(id: str, tenant: TenantId = TENANT) -> Codebase:
    return Codebase(
        id=CodebaseId(id),
        tenant=tenant,
        name=f"name of {id}",
        path=f"/path/of/{id}",
        registered_at=NOW,
        updated_at=NOW + MICROSECOND,
        agent_config={"model": {"name": "m", "é": [1, None]}},
        workers=frozenset({WorkerId("w1"), WorkerId("w2")}),
        last_triggered=NOW,
    )


def _worker(id: str, tenant: TenantId = TENANT) -> Worker:
    return Worker(
        id=WorkerId(id),
        tenant=tenant,
        principal="p",
        name="n",
        registered_at=NOW,
        last_seen=NOW + MICROSECOND,
        capabilities=("gpu", "é"),
        codebases=(CodebaseId("cb"),),
        models=({"id": "m", "cost": 0.5},),
    )


def _agent(id: str, tenant: TenantId = TENANT) -> Agent:
    return Agent(
        name=AgentName(id),
        tenant=tenant,
        principal="p",
        registered_at=NOW,
        last_seen=NOW + MICROSECOND,
        capabilities={"streaming": True},
        models_supported=("a", "b"),
    )


def _credential(id: str, tenant: TenantId = TENANT) -> Credential:
    return Credential(
        id=CredentialId(id),
        tenant=tenant,
        kind=CredentialKind.WORKER,
        name="é",
        owner="worker/w1",
        roles=frozenset({"worker", "viewer"}),
        secret="0" * 64,
        created_at=NOW,
        scopes=frozenset({"tasks:*"}),
        worker=WorkerId("w1"),
        expires_at=NOW + SECOND,
    )


def _secret(id: str, tenant: TenantId = TENANT) -> Secret:
    return Secret(
        id=id,
        tenant=tenant,
        sealed="ct1.key-000001.AAAA",
        variable="OPENAI_API_KEY",
        agents=frozenset({"codex", "é"}),
        created_by="ann",
        created_at=NOW,
        changed_at=NOW + MICROSECOND,
    )


def _data_key(id: str, tenant: TenantId = TENANT) -> DataKey:
    return DataKey(id=id, tenant=tenant, wrapped="AAAA", wrapped_by="é", created_at=NOW)


def _tool_server(id: str, tenant: TenantId = TENANT) -> ToolServer:
    return ToolServer(
        name=id,
        tenant=tenant,
        url="https://tools.example.org/mcp?é",
        registered_by="ann",
        registered_at=NOW,
        description="Ünits 🦊",
        tools=("read_*", "é?"),
        timeout=300 * SECOND + MICROSECOND,
        sign_in=SignIn(header="X-Key", prefix="", secret="tools"),
    )


_KINDS: Final[tuple[tuple[str, Callable[[Backend], Store], Make], ...]] = (
    ("codebases", lambda backend: backend.codebases, _codebase),
    ("workers", lambda backend: backend.directory.workers, _worker),
    ("agents", lambda backend: backend.directory.agents, _agent),
    ("credentials", lambda backend: backend.credentials, _credential),
    ("secrets", lambda backend: backend.secrets, _secret),
    ("data_keys", lambda backend: backend.data_keys, _data_key),
    ("tool_servers", lambda backend: backend.tool_servers, _tool_server),
    ("webhooks", lambda backend: backend.webhooks, new_webhook),
)


async def what_was_added_comes_back_equal(store: Store, make: Make, backend: Backend) -> None:
    """Every member, and its events are in the log."""
    value = make("ünïcode '\";--%_ 🦊")
    start = await backend.log.head()
    await store.add(value, [note(_TOPIC, "added")])
    assert await store.get(TENANT, value.id) == value
    assert len((await backend.log.read(_TOPIC, start)).records) == 1


async def an_id_is_added_once_in_a_tenant(store: Store, make: Make, backend: Backend) -> None:
    """``AlreadyExists`` for the second, without a trace; another tenant has ids of its own."""
    value = make("a")
    await store.add(value)
    start = await backend.log.head()
    await raises(AlreadyExists, store.add(evolve(value, version=5), [note(_TOPIC)]))
    assert await store.get(TENANT, "a") == value
    assert await backend.log.head() == start
    await store.add(make("a", OTHER_TENANT))
    assert (await store.get(OTHER_TENANT, "a")).tenant == OTHER_TENANT
    assert await store.get(TENANT, "a") == value


async def an_unknown_id_is_not_found(store: Store, make: Make, backend: Backend) -> None:
    """Also when another tenant has it; a swap or a removal is a conflict."""
    value = make("a", OTHER_TENANT)
    await store.add(value)
    await raises(NotFound, store.get(TENANT, "a"))
    mine = make("a")
    await raises(VersionConflict, store.replace(mine, evolve(mine, version=2)))
    await raises(VersionConflict, store.remove(mine))
    assert await store.get(OTHER_TENANT, "a") == value


async def a_swap_needs_the_present_version(store: Store, make: Make, backend: Backend) -> None:
    """Of many at once exactly one lands, with its event."""
    first = make("a")
    second = evolve(first, version=2)
    await store.add(first)
    start = await backend.log.head()
    swaps = [store.replace(first, second, [note(_TOPIC)]) for _ in range(10)]
    outcomes = await asyncio.gather(*swaps, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, VersionConflict) for outcome in outcomes if outcome is not None)
    assert await store.get(TENANT, "a") == second
    assert len((await backend.log.read(_TOPIC, start)).records) == 1
    ahead = evolve(first, version=3)
    await raises(VersionConflict, store.replace(ahead, evolve(first, version=4), [note(_TOPIC)]))


async def a_removal_needs_the_present_version(store: Store, make: Make, backend: Backend) -> None:
    """What is gone is not found, not listed, and may be added again."""
    first = make("a")
    second = evolve(first, version=2)
    await store.add(first)
    await store.replace(first, second)
    await raises(VersionConflict, store.remove(first, [note(_TOPIC)]))
    start = await backend.log.head()
    await store.remove(second, [note(_TOPIC)])
    assert len((await backend.log.read(_TOPIC, start)).records) == 1
    await raises(NotFound, store.get(TENANT, "a"))
    await raises(VersionConflict, store.remove(second))
    assert not await store.list(TENANT)
    await store.add(first)
    assert [*await store.list(TENANT)] == [first]


async def a_list_is_in_order_of_id(store: Store, make: Make, backend: Backend) -> None:
    """Of one tenant, by code points."""
    ids = ["b", "a", "Z", "10", "9", "é", "a b"]
    for id in ids:
        await store.add(make(id))
    await store.add(make("c", OTHER_TENANT))
    assert [value.id for value in await store.list(TENANT)] == sorted(ids)


async def writes_wake_the_readers_of_their_events(backend_store: Store, make: Make, backend: Backend) -> None:
    """After the commit: who is woken finds the value."""
    value = make("a")
    with backend.notifier.listen(_TOPIC) as bell:
        await backend_store.add(value, [note(_TOPIC)])
        assert await bell.wait(5 * SECOND)
        await backend_store.replace(value, evolve(value, version=2), [note(_TOPIC)])
        assert await bell.wait(5 * SECOND)


_EXAMPLES: Final = (
    what_was_added_comes_back_equal,
    an_id_is_added_once_in_a_tenant,
    an_unknown_id_is_not_found,
    a_swap_needs_the_present_version,
    a_removal_needs_the_present_version,
    a_list_is_in_order_of_id,
    writes_wake_the_readers_of_their_events,
)


def _shown(
    example: Callable[[Store, Make, Backend], Any], kind: tuple[str, Callable[[Backend], Store], Make]
) -> Example:
    name, store, make = kind

    async def show(backend: Backend) -> None:
        await example(store(backend), make, backend)

    show.__name__ = f"{name}_{example.__name__}"
    show.__doc__ = example.__doc__
    return show
