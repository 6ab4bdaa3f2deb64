"""Messages that are answered by a message."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.a2a.hub import Hub, said

ANSWERED = {"result": "Forty-two", "reason": "answered"}
OLD = {"kind": "message", "messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "what?"}]}


async def answered(hub: Hub, method: str, params: Any) -> tuple[str, Any]:
    """The id of the task, and what its sender gets of an agent that does nothing but answer."""
    sending = asyncio.create_task(hub.result(method, params))
    run = await hub.claim()
    await run.end(**ANSWERED)
    return run.id, await sending


async def test_an_agent_that_only_answers_is_heard_as_a_message(hub: Hub) -> None:
    id, told = await answered(hub, "SendMessage", said("what?", contextId="c"))
    message = told["message"]
    assert [*told] == ["message"]
    assert message == {
        "messageId": message["messageId"],
        "role": "ROLE_AGENT",
        "parts": [{"text": "Forty-two"}],
        "contextId": "c",
    }
    task = await hub.result("GetTask", {"id": id})
    assert task["status"]["message"] == {**message, "taskId": id}
    _, told = await answered(hub, "message/send", {"message": OLD})
    assert (told["kind"], told["role"], told["parts"]) == ("message", "agent", [{"kind": "text", "text": "Forty-two"}])


async def test_who_knows_of_a_task_gets_the_task(hub: Hub) -> None:
    """One that left something behind, one that asked before, and one that is watched."""
    sending = asyncio.create_task(hub.result("SendMessage", said()))
    run = await hub.claim()
    await run.say("thinking")
    await run.end(**ANSWERED)
    assert [*await sending] == ["task"]
    run = await hub.begin()
    await run.ask("Of what?")
    sending = asyncio.create_task(hub.result("SendMessage", said("of all", taskId=run.id)))
    async with hub.stream("SubscribeToTask", {"id": run.id}) as stream:
        while b"TASK_STATE_WORKING" not in stream.raw:
            await stream.event()
    await run.end(**ANSWERED)
    assert [*await sending] == ["task"]
    async with hub.stream("SendStreamingMessage", said()) as stream:
        run = await hub.claim()
        await run.end(**ANSWERED)
        assert '"task"' in (await stream.rest())[0].data
