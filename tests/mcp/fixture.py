"""What the conformance suite wants a server to have: tools, resources and prompts that show one thing each.

Served by the same binding as our own catalogue is, with nothing in between that is another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from mcp import types
from mcp.server import Server

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.served import INVALID_PARAMS, Identity, ListChange, Refused, Update, Watch
from codetether_adapters.mcp.task_words import EXTENSION, declared
from tests.mcp.fixture_tools import (
    IMAGE,
    MISSING_CAPABILITY,
    NAME,
    PNG,
    TOOLS,
    WORK,
    asking,
    form,
    is_done_at_once,
    resource,
)
from tests.mcp.jobs import Jobs

__all__ = ["Fixture", "extended"]

_RESOURCES: Mapping[str, Mapping[str, str]] = {
    "test://static-text": {"mimeType": "text/plain", "text": "This is the content of the static text resource."},
    "test://static-binary": {"mimeType": "image/png", "blob": PNG},
    "test://watched-resource": {"mimeType": "text/plain", "text": "Watched resource content"},
}
_TRIGGERS = {"test_trigger_tool_change": ListChange.TOOLS, "test_trigger_prompt_change": ListChange.PROMPTS}
_TEMPLATE = "test://template/{id}/data"
_PROMPTS: Mapping[str, tuple[str, ...]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}
_FRESH: Mapping[str, Any] = {"resultType": "complete", "ttlMs": 1_000, "cacheScope": "private"}


class Fixture:
    """Served in place of our own catalogue."""

    identity = Identity(name="fixture", title="Fixture", version="1", description="For tests.", instructions="")

    def __init__(self) -> None:
        self._hearing: list[asyncio.Queue[Update]] = []
        self.jobs = Jobs()

    async def task(self, exchange: Exchange, id: str) -> Mapping[str, Any]:
        return self.jobs.show(id)

    async def update_task(self, exchange: Exchange, id: str, answers: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.jobs.answer(id, answers)

    async def cancel_task(self, exchange: Exchange, id: str) -> Mapping[str, Any]:
        return await self.jobs.cancel(id)

    async def watchable(self, exchange: Exchange, asked: Watch) -> Watch:
        return asked

    async def updates(self, exchange: Exchange, watch: Watch) -> AsyncGenerator[Update | None, None]:
        heard: asyncio.Queue[Update] = asyncio.Queue()
        self._hearing.append(heard)
        yield None
        while True:
            if (update := await heard.get()) in watch.lists:
                yield update

    def permission(self, method: str, params: Mapping[str, Any]) -> str | None:
        return None

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        return TOOLS[name][1] if name in TOOLS else None

    async def tools(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        shown = [
            {"name": name, "description": f"Shows {name}.", "inputSchema": schema}
            for name, (_, schema) in TOOLS.items()
        ]
        return {"tools": shown, **_FRESH}

    async def call(self, exchange: Exchange, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if name not in TOOLS:
            raise Refused(INVALID_PARAMS, f"Unknown tool: {name}")
        if name in _TRIGGERS:
            for heard in self._hearing:
                heard.put_nowait(_TRIGGERS[name])
        if name in WORK and declared(exchange) and not is_done_at_once(name, arguments):
            if name == "test_tool_with_task" and "user_name" not in (exchange.answers or {}):
                return asking({"user_name": NAME}, "state")
            return self.jobs.begin(lambda job: WORK[name](job, exchange, arguments))
        if name in ("failing_job", "test_tool_with_task") and not declared(exchange):
            needed: Mapping[str, Any] = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
            raise Refused(MISSING_CAPABILITY, "This needs the tasks extension", needed)
        return await TOOLS[name][0](exchange, arguments)

    async def resources(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        shown = [
            {"uri": uri, "name": uri, "description": f"Shows {uri}.", "mimeType": known["mimeType"]}
            for uri, known in _RESOURCES.items()
        ]
        return {"resources": shown, **_FRESH}

    async def templates(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        shown = {
            "uriTemplate": _TEMPLATE,
            "name": "template",
            "description": "Shows one.",
            "mimeType": "application/json",
        }
        return {"resourceTemplates": [shown], **_FRESH}

    async def read(self, exchange: Exchange, uri: str) -> Mapping[str, Any]:
        before, _, after = _TEMPLATE.partition("{id}")
        if uri.startswith(before) and uri.endswith(after):
            id = uri.removeprefix(before).removesuffix(after)
            words = json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})
            return {"contents": [{"uri": uri, "mimeType": "application/json", "text": words}], **_FRESH}
        if uri not in _RESOURCES:
            raise Refused(INVALID_PARAMS, "Resource not found", {"uri": uri})
        return {"contents": [{"uri": uri, **_RESOURCES[uri]}], **_FRESH}

    async def prompts(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        shown = [
            {
                "name": name,
                "description": f"Shows {name}.",
                "arguments": [{"name": each, "description": each, "required": True} for each in arguments],
            }
            for name, arguments in _PROMPTS.items()
        ]
        return {"prompts": shown, **_FRESH}

    async def prompt(self, exchange: Exchange, name: str, arguments: Mapping[str, str]) -> Mapping[str, Any]:
        words: Mapping[str, Any] = {"type": "text", "text": "This is a simple prompt for testing."}
        match name:
            case "test_prompt_with_arguments":
                told = f"Prompt with arguments: arg1='{arguments['arg1']}', arg2='{arguments['arg2']}'"
                words = {"type": "text", "text": told}
            case "test_prompt_with_embedded_resource":
                words = resource(arguments["resourceUri"], "Embedded resource content for testing.")
            case "test_prompt_with_image":
                words = IMAGE
            case "test_input_required_result_prompt":
                asked = form("What context should the prompt use?", context={"type": "string"})
                if "user_context" not in (exchange.answers or {}):
                    return asking({"user_context": asked})
            case _ if name not in _PROMPTS:
                raise Refused(INVALID_PARAMS, f"Unknown prompt: {name}")
        messages = [{"role": "user", "content": words}]
        return {"resultType": "complete", "description": name, "messages": messages}

    async def complete(
        self, exchange: Exchange, ref: Mapping[str, Any], name: str, value: str, context: Mapping[str, str]
    ) -> Mapping[str, Any]:
        return {"resultType": "complete", "completion": {"values": [], "total": 0, "hasMore": False}}


async def _acknowledged(context: Any, params: Any) -> types.EmptyResult:
    return types.EmptyResult()


def extended(server: Server[Any]) -> Server[Any]:
    """With what only the revisions of the handshake have, which our own catalogue does without."""
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, _acknowledged)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, _acknowledged)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, _acknowledged)
    return server
