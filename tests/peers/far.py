"""An agent of release 1.0 that is no program: it does as a test says, and so does the way to it."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
from attrs import define, field

__all__ = ["CARD", "URL", "Far", "Fault", "artifact", "error", "status"]

URL = "http://127.0.0.1:9"
CARD: dict[str, Any] = {
    "name": "far",
    "description": "Far away",
    "version": "1",
    "supportedInterfaces": [{"url": f"{URL}/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}],
    "capabilities": {"streaming": True},
    "defaultInputModes": ["text/plain"],
    "defaultOutputModes": ["text/plain"],
    "skills": [],
}
Fault = Callable[[httpx.Request], httpx.Response | None]


def status(state: str, words: str = "", id: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {"state": f"TASK_STATE_{state}", "timestamp": "2026-11-22T12:00:00.000Z"}
    if words:
        message = {"messageId": id or words, "role": "ROLE_AGENT", "parts": [{"text": words}]}
        told["message"] = message
    return told


def artifact(*parts: dict[str, Any] | str, id: str = "a", name: str = "") -> dict[str, Any]:
    told = [{"text": part} if isinstance(part, str) else part for part in parts]
    return {"artifactId": id, "parts": told} | ({"name": name} if name else {})


@define(eq=False)
class Far(httpx.AsyncBaseTransport):
    """The way to it and it itself, a transport. ``faults`` come before the calls of a method, one before each.

    It has one task, which a test moves on; what happens goes to whoever watches, until they are ``cut``.
    """

    card: dict[str, Any] = field(factory=lambda: json.loads(json.dumps(CARD)))
    keys: Any = None
    task: dict[str, Any] | None = None
    reply: dict[str, Any] | None = None
    heard: list[dict[str, Any]] = field(factory=list)
    calls: list[str] = field(factory=list)
    requests: list[httpx.Request] = field(factory=list)
    faults: dict[str, deque[Fault]] = field(factory=lambda: defaultdict(deque))
    happen_at_once: str = ""
    keeps_history: bool = True
    _news: asyncio.Condition = field(factory=asyncio.Condition)
    _watching: list[asyncio.Queue[dict[str, Any] | None]] = field(factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._answered(request)
        if isinstance(answer.stream, _Frames):
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "GET":
            body = self.keys if request.url.path.endswith("jwks.json") else self.card
            return httpx.Response(200, json=body)
        call = json.loads(await request.aread())
        method = call["method"]
        self.calls.append(method)
        async with self._news:
            self._news.notify_all()
        if self.faults[method] and (answer := self.faults[method].popleft()(request)) is not None:
            return answer
        return self._answer(method, call)

    def happen(self, state: str = "", words: str = "", *, id: str = "", made: dict[str, Any] | None = None) -> None:
        """The task moves on, and whoever watches hears of it."""
        assert self.task is not None
        place = {"taskId": self.task["id"], "contextId": self.task["contextId"]}
        if made is not None:
            self.task.setdefault("artifacts", []).append(made)
            self._tell({"artifactUpdate": {**place, "artifact": made}})
        if state:
            self.task["status"] = status(state, words, id)
            self._tell({"statusUpdate": {**place, "status": self.task["status"]}})
            if state in ("COMPLETED", "FAILED", "CANCELED"):
                self.cut()

    def more(self, made: dict[str, Any], state: str = "") -> None:
        """More of an artifact that there is."""
        assert self.task is not None
        known = next(each for each in self.task["artifacts"] if each["artifactId"] == made["artifactId"])
        known["parts"] = known["parts"] + made["parts"]
        self.tell_more(made)
        if state:
            self.happen(state)

    def tell_more(self, made: dict[str, Any]) -> None:
        """Tell more of an artifact, which has it."""
        assert self.task is not None
        place = {"taskId": self.task["id"], "contextId": self.task["contextId"]}
        self._tell({"artifactUpdate": {**place, "artifact": made, "append": True}})

    def cut(self) -> None:
        """All who watch are cut off."""
        watching, self._watching = self._watching, []
        for queue in watching:
            queue.put_nowait(None)

    def break_off(self, code: int, problem: str) -> None:
        """All who watch hear that something went wrong, and no more; of the task that says nothing."""
        for queue in self._watching:
            queue.put_nowait({"error": {"code": code, "message": problem}})
        self.cut()

    def take(self, message: dict[str, Any]) -> None:
        """Hear a message: a new task, or an answer that it was waiting for."""
        self.heard.append(message)
        if self.reply is not None:
            return
        if self.task is None:
            self.task = {"id": "t1", "contextId": message["contextId"], "status": status("WORKING"), "history": []}
        else:
            self.task["status"] = status("WORKING", "on it")
        if self.keeps_history:
            self.task["history"].append(message)

    async def until_heard(self, count: int) -> None:
        """Wait until it has heard so many messages."""
        await self._until(lambda: len(self.heard) >= count)

    async def until_called(self, method: str) -> None:
        """Wait until it was asked that."""
        await self._until(lambda: method in self.calls)

    async def watched(self) -> None:
        """Wait until somebody watches."""
        await self._until(lambda: bool(self._watching))

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self._news:
            while not condition():
                await self._news.wait()
                await asyncio.sleep(0)  # for what is called to be answered

    def taken_and_lost(self, request: httpx.Request) -> httpx.Response:
        """A fault: it hears the message, and nobody hears its answer."""
        self.take(json.loads(request.content)["params"]["message"])
        raise httpx.ReadError("cut")

    def taken_and_slow(self, request: httpx.Request) -> httpx.Response:
        """A fault: it hears the message, and says nothing until something happens."""
        call = json.loads(request.content)
        self.take(call["params"]["message"])
        return self._stream(call, None)

    def _answer(self, method: str, call: dict[str, Any]) -> httpx.Response:
        params = call["params"]
        match method:
            case "SendMessage" | "SendStreamingMessage":
                self.take(params["message"])
                if self.happen_at_once and self.task is not None:
                    self.task["status"] = status(self.happen_at_once)
                result = {"message": self.reply} if self.reply is not None else {"task": self.task}
                return _json(call, result) if method == "SendMessage" else self._stream(call, result)
            case "GetTask":
                return _json(call, self.task)
            case "ListTasks":
                return _json(call, {"tasks": [self.task] if self.task else [], "nextPageToken": ""})
            case "CancelTask":
                self.happen("CANCELED")
                return _json(call, self.task)
            case "SubscribeToTask":
                return self._stream(call, {"task": self.task})
        return error(call, -32601, "Method not found")

    def _stream(self, call: dict[str, Any], first: dict[str, Any] | None) -> httpx.Response:
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        if first is not None:
            queue.put_nowait(_result(first))
            if "message" in first:
                queue.put_nowait(None)
        self._watching.append(queue)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Frames(call["id"], queue))

    def _tell(self, event: dict[str, Any]) -> None:
        for queue in self._watching:
            queue.put_nowait(_result(event))


class _Frames(httpx.AsyncByteStream):
    def __init__(self, id: Any, queue: asyncio.Queue[dict[str, Any] | None]) -> None:
        self._id, self._queue = id, queue

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (told := await self._queue.get()) is not None:
            kind = b"event: error\n" if "error" in told else b""
            yield b"%bdata: %b\n\n" % (kind, json.dumps({"jsonrpc": "2.0", "id": self._id, **told}).encode())


def _result(event: dict[str, Any]) -> dict[str, Any]:
    """As it is now."""
    return {"result": json.loads(json.dumps(event))}


def _json(call: dict[str, Any], result: Any) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], "result": result})


def error(call: dict[str, Any], code: int, message: str) -> httpx.Response:
    """A refusal in JSON-RPC."""
    body = {"jsonrpc": "2.0", "id": call.get("id"), "error": {"code": code, "message": message}}
    return httpx.Response(200, json=body)
