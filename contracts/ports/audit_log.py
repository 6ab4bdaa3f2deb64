"""The contract of ``AuditLog``: records come with the writes that they are of, and are numbered without gaps."""

from __future__ import annotations

import asyncio
import json
import unittest
from collections.abc import Sequence
from typing import Final

from attrs import evolve

from codetether_core.agents import Agent
from codetether_core.audit import Chain, Link
from codetether_core.errors import AlreadyExists, VersionConflict
from codetether_core.events import AUDIT, Event, Topic
from codetether_core.ids import AgentName, MessageId, SessionId, TenantId
from codetether_core.messages import Message
from codetether_core.ports import Backend
from codetether_core.sessions import Session
from contracts.ports.harness import Example, OpenBackend, examples, raises
from contracts.ports.samples import CODEBASE, NOW, OTHER_TENANT, SECOND, TENANT, new_task, note

__all__ = ["audit_log_contract"]

_MANY: Final = 100


def audit_log_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """A trail of records, in one chain or one for each shard."""
    return examples("AuditLogContract", open_backend, _EXAMPLES)


def _record(text: str, tenant: TenantId = TENANT) -> Event:
    return Event(Topic(tenant, AUDIT), "tried", NOW, {"said": text})


async def _trail(backend: Backend, tenant: TenantId = TENANT) -> dict[str, Sequence[Link]]:
    """Every chain, after a look at its numbers."""
    found = {}
    for chain in await backend.audit.chains(tenant):
        links = await backend.audit.read(tenant, chain.name, after=0, limit=_MANY * 10)
        assert [link.number for link in links] == [*range(chain.start + 1, chain.last + 1)]
        found[chain.name] = links
    return found


async def _texts(backend: Backend, tenant: TenantId = TENANT) -> list[str]:
    return sorted(_said(link) for links in (await _trail(backend, tenant)).values() for link in links)


def _said(link: Link) -> str:
    said: str = json.loads(link.body)["said"]
    return said


async def a_new_store_has_no_records(backend: Backend) -> None:
    """Nor of a chain that there is none of."""
    assert not await backend.audit.chains()
    assert not await backend.audit.read(TENANT, "nobody's.1", limit=1)
    assert await backend.audit.trim(TENANT, "nobody's.1", 5) == 0


async def a_record_is_kept_as_json_on_one_line(backend: Backend) -> None:
    """Whatever the text; in the order of writing."""
    texts = ["first\n", "ünïcode '\";--%_ 🦊", '"}\\', ""]
    for text in texts:
        await backend.audit.append([_record(text)])
    ((name, links),) = (await _trail(backend)).items()
    assert [_said(link) for link in links] == texts
    assert all(b"\n" not in link.body and link.body.endswith(b"}") for link in links)
    assert await backend.audit.chains() == [Chain(tenant=TENANT, name=name, last=len(texts))]


async def records_are_no_events(backend: Backend) -> None:
    """They are not in the log, and nobody is woken; the events beside them are, and are."""
    task = new_task("t1")
    topic = Topic.task(TENANT, CODEBASE, task.id)
    start = await backend.log.head()
    with backend.notifier.listen(Topic(TENANT, AUDIT)) as quiet, backend.notifier.listen(topic) as bell:
        await backend.tasks.add(task, [note(topic, "a"), _record("b"), note(topic, "c")])
        assert await bell.wait(5 * SECOND)
        await backend.audit.append([_record("d")])
        page = await backend.log.read(Topic(TENANT), start)
        assert [record.number for record in page.records] == [1, 2]
        assert not await quiet.wait(0 * SECOND)
    assert await _texts(backend) == ["b", "d"]


async def every_store_takes_records_with_its_writes(backend: Backend) -> None:
    """And none with a write that is refused; numbers stay without gaps."""
    task = new_task("t1")
    await backend.tasks.add(task, [_record("1 task")])
    await raises(AlreadyExists, backend.tasks.add(task, [_record("refused")]))
    changed = evolve(task, version=task.version + 1)
    await backend.tasks.replace(task, changed, [_record("2 task")], op="o1")
    await backend.tasks.replace(task, changed, [_record("repeated")], op="o1")
    await raises(VersionConflict, backend.tasks.replace(task, changed, [_record("refused")], op="o2"))
    agent = Agent(name=AgentName("a"), tenant=TENANT, principal="p", registered_at=NOW, last_seen=NOW)
    await backend.directory.agents.add(agent, [_record("3 agent")])
    await raises(AlreadyExists, backend.directory.agents.add(agent, [_record("refused")]))
    other = evolve(agent, version=2)
    await backend.directory.agents.replace(agent, other, [_record("4 agent")])
    await raises(VersionConflict, backend.directory.agents.replace(agent, other, [_record("refused")]))
    await raises(VersionConflict, backend.directory.agents.remove(agent, [_record("refused")]))
    await backend.directory.agents.remove(other, [_record("5 agent")])
    message = Message(
        id=MessageId("m"), tenant=TENANT, sender="s", recipient=AgentName("a"), body="b", sent_at=NOW, type="agent"
    )
    await backend.inbox.add(message, [_record("6 message")])
    await raises(AlreadyExists, backend.inbox.add(message, [_record("refused")]))
    session = Session(
        id=SessionId("s"), tenant=TENANT, codebase=CODEBASE, created_at=NOW, updated_at=NOW, synced_at=NOW
    )
    await backend.sessions.put(None, session, (), [_record("7 session")])
    await raises(VersionConflict, backend.sessions.put(None, session, (), [_record("refused")]))
    assert [text[0] for text in await _texts(backend)] == [*"1234567"]


async def many_at_once_leave_no_gap(backend: Backend) -> None:
    """Each in its place, however they are grouped."""
    writes = [backend.audit.append([_record(f"{number:03}")]) for number in range(_MANY)]
    refused = [backend.tasks.add(new_task("t1"), [_record("task")]) for _ in range(5)]
    outcomes = await asyncio.gather(*writes, *refused, return_exceptions=True)
    assert sum(outcome is not None for outcome in outcomes) == 4
    assert await _texts(backend) == [*(f"{number:03}" for number in range(_MANY)), "task"]


async def tenants_have_chains_of_their_own(backend: Backend) -> None:
    """Each numbered from 1."""
    await backend.audit.append([_record("mine"), _record("theirs", OTHER_TENANT), _record("mine too")])
    assert await _texts(backend) == ["mine", "mine too"]
    assert await _texts(backend, OTHER_TENANT) == ["theirs"]
    assert {chain.tenant for chain in await backend.audit.chains()} == {TENANT, OTHER_TENANT}


async def a_chain_is_read_in_stretches(backend: Backend) -> None:
    """After a number, and no more than asked for."""
    await backend.audit.append([_record(f"{number}") for number in range(9)])
    (chain,) = await backend.audit.chains(TENANT)
    found = await backend.audit.read(TENANT, chain.name, after=3, limit=4)
    assert [link.number for link in found] == [4, 5, 6, 7]
    assert not await backend.audit.read(TENANT, chain.name, after=9, limit=4)
    assert not await backend.audit.read(OTHER_TENANT, chain.name, limit=4)


async def a_record_can_be_told_its_chain(backend: Backend) -> None:
    """The one that it is about."""
    await backend.tasks.add(new_task("t1"), [_record("task")])
    (chain,) = await backend.audit.chains(TENANT)
    await backend.audit.append([_record("about it")], chain=chain.name)
    assert [_said(link) for link in (await _trail(backend))[chain.name]] == ["task", "about it"]


async def what_was_filed_away_is_forgotten(backend: Backend) -> None:
    """The numbers go on; forgetting again changes nothing, and nothing that was not written is forgotten."""
    await backend.audit.append([_record(f"{number}") for number in range(5)])
    (chain,) = await backend.audit.chains(TENANT)
    assert await backend.audit.trim(TENANT, chain.name, 3) == 3
    assert await backend.audit.trim(TENANT, chain.name, 2) == 0
    assert await backend.audit.chains(TENANT) == [evolve(chain, start=3)]
    assert await _texts(backend) == ["3", "4"]
    assert await backend.audit.trim(TENANT, chain.name, 99) == 2
    await backend.audit.append([_record("next")], chain=chain.name)
    assert await backend.audit.chains(TENANT) == [evolve(chain, start=5, last=6)]
    assert await _texts(backend) == ["next"]


async def another_store_s_chain_is_taken_over_as_it_is(backend: Backend) -> None:
    """With its numbers and its bytes, and not added to by this store."""
    links = [Link(number, b'{"said":"old %d" }' % number) for number in range(4, 9)]
    await backend.audit.keep(TENANT, "old.3", 3, links[:2])
    await backend.audit.keep(TENANT, "old.3", 3, links[2:])
    await backend.audit.append([_record("own")])
    chains = {chain.name: chain for chain in await backend.audit.chains(TENANT)}
    assert chains["old.3"] == Chain(tenant=TENANT, name="old.3", start=3, last=8, own=False)
    trail = await _trail(backend)
    assert [*trail.pop("old.3")] == links
    ((link,),) = trail.values()
    assert _said(link) == "own"


_EXAMPLES: Final[tuple[Example, ...]] = (
    a_new_store_has_no_records,
    a_record_is_kept_as_json_on_one_line,
    records_are_no_events,
    every_store_takes_records_with_its_writes,
    many_at_once_leave_no_gap,
    tenants_have_chains_of_their_own,
    a_chain_is_read_in_stretches,
    a_record_can_be_told_its_chain,
    what_was_filed_away_is_forgotten,
    another_store_s_chain_is_taken_over_as_it_is,
)
