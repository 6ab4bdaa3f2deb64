"""Tools that the conformance suite wants a server to have: each shows one thing."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mcp.shared.exceptions import MCPDeprecationWarning

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.served import Refused
from tests.mcp.jobs import Broken, Job

__all__ = [
    "IMAGE",
    "MISSING_CAPABILITY",
    "NAME",
    "PNG",
    "TOOLS",
    "WORK",
    "asking",
    "form",
    "is_done_at_once",
    "resource",
]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
MISSING_CAPABILITY = -32021
PAUSE = 0.05
DRAFT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
_Handler = Callable[[Exchange, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


def text(*words: str) -> Mapping[str, Any]:
    return {"resultType": "complete", "content": [{"type": "text", "text": each} for each in words], "isError": False}


def content(*blocks: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"resultType": "complete", "content": [*blocks], "isError": False}


def resource(uri: str, words: str, kind: str = "text/plain") -> Mapping[str, Any]:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": words}}


IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}


def form(message: str, **properties: Any) -> Mapping[str, Any]:
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sampled(words: str) -> Mapping[str, Any]:
    messages = [{"role": "user", "content": {"type": "text", "text": words}}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": 100}}


ROOTS = {"method": "roots/list", "params": {}}
NAME = form("What is your name?", name={"type": "string"})


def asking(requests: Mapping[str, Any], state: str | None = None) -> Mapping[str, Any]:
    asked: dict[str, Any] = {"resultType": "input_required", "inputRequests": requests}
    return asked | ({"requestState": state} if state is not None else {})


def always(result: Mapping[str, Any]) -> _Handler:
    async def run(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return result

    return run


def rounds(requests: Mapping[str, Any], done: str, state: str | None = None) -> _Handler:
    """Asks until everything that is asked is answered, with what was asked for."""

    async def run(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        answers = exchange.answers or {}
        if not requests.keys() <= answers.keys() or not all(map(_fits, requests.values(), map(answers.get, requests))):
            return asking(requests, state)
        return text(done)

    return run


def _fits(request: Mapping[str, Any], answer: Any) -> bool:
    if request["method"] != "elicitation/create":
        return True
    wanted = request["params"]["requestedSchema"]["properties"]
    kinds = {"string": str, "boolean": bool}
    given = (answer or {}).get("content") or {}
    return all(isinstance(given.get(name), kinds[schema["type"]]) for name, schema in wanted.items())


async def _logging(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    session = exchange.native.session
    for words in ("started", "processing", "completed"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MCPDeprecationWarning)  # an older revision requires it all the same
            sending = session.send_log_message("info", words, related_request_id=exchange.native.request_id)
        await sending
        await asyncio.sleep(PAUSE)
    return text("Tool with logging executed successfully")


async def _progress(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    for done in (0, 50, 100):
        await exchange.native.session.report_progress(done, 100, f"Completed step {done} of 100")
        await asyncio.sleep(PAUSE)
    return text("done")


async def _streaming_elicitation(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    await exchange.progress(1, "asking")
    return await rounds({"user_name": NAME}, "Hello")(exchange, arguments)


async def _missing_capability(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    if "sampling" not in exchange.capabilities:
        raise Refused(MISSING_CAPABILITY, "This needs sampling", {"requiredCapabilities": {"sampling": {}}})
    return text("done")


async def _multi_round(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    if exchange.state == "two" and "step2" in (exchange.answers or {}):
        return text("done")
    if exchange.state == "one" and "step1" in (exchange.answers or {}):
        colour = form("Step 2: What is your favorite color?", color={"type": "string"})
        return asking({"step2": colour}, "two")
    return asking({"step1": form("Step 1: What is your name?", name={"type": "string"})}, "one")


async def _capabilities(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Asks for what the client can do, and for nothing else."""
    able = {
        "name": ("elicitation", NAME),
        "capital": ("sampling", sampled("What is the capital of France?")),
        "roots": ("roots", ROOTS),
    }
    wanted = {key: request for key, (capability, request) in able.items() if capability in exchange.capabilities}
    if not wanted or wanted.keys() <= (exchange.answers or {}).keys():
        return text("done")
    return asking(wanted)


async def _reconnection(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    if exchange.native.close_sse_stream is not None:
        await exchange.native.close_sse_stream()
    return text("Reconnection test completed")


async def _greet(exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return text(f"Hello, {arguments.get('name')}!")


async def _slow(job: Job, exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    await asyncio.sleep(arguments.get("seconds", 0))
    return text(f"{arguments.get('label')} is computed")


async def _failing(job: Job, exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**text("It failed"), "isError": True}


async def _broken(job: Job, exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    raise Broken("It broke")


async def _confirmed(job: Job, exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    await job.ask(**{f"{job.id}-confirm": form("Delete it?", confirm={"type": "boolean"})})
    return text("deleted")


async def _asking_twice(job: Job, exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    await job.ask(**{f"{job.id}-{at}": NAME for at in ("one", "two")})
    return text("done")


async def _named(job: Job, exchange: Exchange, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return text(f"Hello, {(exchange.answers or {})['user_name']['content']['name']}!")


def is_done_at_once(name: str, arguments: Mapping[str, Any]) -> bool:
    return name == "slow_compute" and arguments.get("seconds") == 0


CONFIRM = form("Please confirm", ok={"type": "boolean"})
EVERYTHING = {"user_name": NAME, "greeting": sampled("Generate a greeting"), "client_roots": ROOTS}
_NONE: Mapping[str, Any] = {"type": "object", "properties": {}}
TOOLS: Mapping[str, tuple[_Handler, Mapping[str, Any]]] = {
    "test_simple_text": (always(text("This is a simple text response for testing.")), _NONE),
    "test_image_content": (always(content(IMAGE)), _NONE),
    "test_audio_content": (always(content({"type": "audio", "data": WAV, "mimeType": "audio/wav"})), _NONE),
    "test_embedded_resource": (always(content(resource("test://embedded-resource", "Embedded."))), _NONE),
    "test_multiple_content_types": (
        always(
            content(
                {"type": "text", "text": "Multiple content types test:"},
                IMAGE,
                resource("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
            )
        ),
        _NONE,
    ),
    "greet": (_greet, _NONE),
    **{
        name: (always(text("done")), _NONE)
        for name in (
            "slow_compute",
            "failing_job",
            "protocol_error_job",
            "confirm_delete",
            "multi_input",
            "test_tool_with_task",
        )
    },
    "test_trigger_tool_change": (always(text("done")), _NONE),
    "test_trigger_prompt_change": (always(text("done")), _NONE),
    "test_tool_with_logging": (_logging, _NONE),
    "test_logging_tool": (_logging, _NONE),
    "test_tool_with_progress": (_progress, _NONE),
    "test_error_handling": (
        always(
            {
                "resultType": "complete",
                "content": [{"type": "text", "text": "This tool intentionally returns an error for testing"}],
                "isError": True,
            }
        ),
        _NONE,
    ),
    "test_reconnection": (_reconnection, _NONE),
    "test_missing_capability": (_missing_capability, _NONE),
    "test_x_mcp_header": (
        always(text("done")),
        {
            "type": "object",
            "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
            "required": ["region"],
        },
    ),
    "json_schema_2020_12_tool": (always(text("done")), DRAFT),
    "test_streaming_elicitation": (_streaming_elicitation, _NONE),
    "test_input_required_result_elicitation": (rounds({"user_name": NAME}, "Hello!"), _NONE),
    "test_input_required_result_sampling": (
        rounds({"capital_question": sampled("What is the capital of France?")}, "Paris"),
        _NONE,
    ),
    "test_input_required_result_list_roots": (rounds({"client_roots": ROOTS}, "Roots"), _NONE),
    "test_input_required_result_request_state": (rounds({"confirm": CONFIRM}, "state-ok", "state"), _NONE),
    "test_input_required_result_tampered_state": (rounds({"confirm": CONFIRM}, "state-ok", "state"), _NONE),
    "test_input_required_result_multiple_inputs": (rounds(EVERYTHING, "done", "state"), _NONE),
    "test_input_required_result_multi_round": (_multi_round, _NONE),
    "test_input_required_result_capabilities": (_capabilities, _NONE),
}
WORK: Mapping[str, Callable[[Job, Exchange, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]] = {
    "slow_compute": _slow,
    "failing_job": _failing,
    "protocol_error_job": _broken,
    "confirm_delete": _confirmed,
    "multi_input": _asking_twice,
    "test_tool_with_task": _named,
}
