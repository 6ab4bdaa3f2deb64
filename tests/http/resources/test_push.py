"""Webhooks that were given up, and the key of our signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from codetether_adapters import memory
from codetether_core.access import DEFAULT_TENANT
from codetether_core.events import Topic
from tests.a2a.pushing import PUBLIC_KEY, PushHub, open_push_hub
from tests.http.coverage import covers
from tests.outgoing.receiver import open_receiver

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def open_hub() -> AsyncIterator[PushHub]:
    async with memory.open_backend("memory://") as backend, open_push_hub(backend) as hub:
        yield hub


@covers("GET /v1/agent/push/dead-letters")
@covers("POST /v1/agent/push/dead-letters/{id}/retry")
async def test_those_given_up_are_listed_and_tried_again() -> None:
    """Once the receiver says that it is gone. Its owner sees it, and who may see everybody's tasks."""
    answers = [410]
    async with open_hub() as hub, open_receiver(lambda taken: answers[0]) as receiver:
        run = await hub.begin(who="ann")
        await hub.keep(run.id, "ann", url=receiver.url, id="mine")
        await receiver.count(1)
        at = "/v1/agent/push/dead-letters"
        letters = (await until_there(hub, at))["dead_letters"]
        (letter,) = letters
        assert (letter["name"], letter["task_id"], letter["owner"]) == ("mine", run.id, "ann")
        assert letter["state"] == "dead" and "410" in letter["error"] and letter["sequence"] == 0
        assert (await hub.api.ben.ok("GET", at))["dead_letters"] == []
        assert (await hub.api.eve.ok("GET", at))["dead_letters"] == letters
        await hub.api.eve.refused(403, "POST", f"{at}/{letter['id']}/retry")
        await hub.api.ben.refused(404, "POST", f"{at}/{letter['id']}/retry")
        answers[0] = 200
        revived = await hub.api.ann.ok("POST", f"{at}/{letter['id']}/retry")
        assert revived["state"] == "active"
        assert (await receiver.count(2))[1].json["task"]["id"] == run.id
        assert (await hub.api.ann.ok("GET", at)) == {"dead_letters": [], "next": None}
        await hub.api.ann.refused(409, "POST", f"{at}/{letter['id']}/retry")


async def until_there(hub: PushHub, path: str, number: int = 1) -> Any:
    """The list of dead letters once it has so many."""
    with hub.api.services.backend.notifier.listen(Topic(DEFAULT_TENANT)) as bell:
        while len((found := await hub.api.ann.ok("GET", path))["dead_letters"]) < number:
            await bell.wait()
    return found


@covers("GET /v1/agent/push/dead-letters")
async def test_a_long_list_comes_in_pages() -> None:
    async with open_hub() as hub, open_receiver(lambda taken: 410) as receiver:
        run = await hub.begin(who="ann")
        for number in range(3):
            await hub.keep(run.id, "ann", url=receiver.url, id=str(number))
        at = "/v1/agent/push/dead-letters"
        found = await until_there(hub, at, 3)
        first = await hub.api.ann.ok("GET", f"{at}?limit=2")
        assert first == {"dead_letters": found["dead_letters"][:2], "next": found["dead_letters"][1]["id"]}
        rest = await hub.api.ann.ok("GET", f"{at}?limit=2&after={first['next']}")
        assert rest == {"dead_letters": found["dead_letters"][2:], "next": None}
        refused = await hub.api.ann.refused(422, "GET", f"{at}?limit=0")
        assert refused["field"] == "limit"


@covers("GET /v1/agent/push/signing-key")
async def test_whoever_may_ask_is_told_the_key() -> None:
    async with open_hub() as hub:
        told = await hub.api.eve.ok("GET", "/v1/agent/push/signing-key")
        assert told["key"].startswith("whpk_") and len(PUBLIC_KEY) == 32
