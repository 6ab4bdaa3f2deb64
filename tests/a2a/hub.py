"""The binding in this process, clients of both releases, and a worker that does what the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
from attrs import define, field

from codetether_adapters import memory
from codetether_core.access import DEFAULT_TENANT
from codetether_core.events import READY, Topic
from tests.http.resources.harness import Api, Caller, Stream, open_api

__all__ = ["NEW", "OLD", "Hub", "Run", "open_hub", "said"]

NEW = {"A2A-Version": "1.0"}
OLD: dict[str, str] = {}
RPC = "/v1/a2a"


def said(text: str = "do it", **members: Any) -> dict[str, Any]:
    """Parameters that send a message, in the words of release 1.0."""
    return {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": text}], **members}}


@define(eq=False)
class Run:
    """A task that a worker holds."""

    api: Api
    id: str
    word: dict[str, str]

    async def say(self, *lines: str, **members: Any) -> None:
        outputs = [{"output": line, **members} for line in lines]
        await self.api.bot.ok("POST", f"/v1/agent/tasks/{self.id}/output", {"outputs": outputs} | self.word)

    async def leave(self, name: str, data: bytes, media_type: str = "text/plain") -> None:
        headers = {"X-Worker-ID": "w1", "X-Lease-Token": self.word["lease_token"], "Content-Type": media_type}
        path = f"/v1/agent/tasks/{self.id}/artifacts/{name}"
        await self.api.bot.ok("PUT", path, content=data, headers=headers)

    async def ask(self, prompt: str = "Which?", **members: Any) -> str:
        answer = await self.api.bot.ok(
            "POST", f"/v1/agent/tasks/{self.id}/ask", {"prompt": prompt, **members} | self.word
        )
        return str(answer["approval"]["id"])

    async def end(self, status: str = "completed", **members: Any) -> None:
        await self.api.bot.ok("PUT", f"/v1/agent/tasks/{self.id}/status", {"status": status, **members} | self.word)

    async def give_back(self) -> None:
        await self.api.bot.ok("POST", "/v1/worker/tasks/release", {"task_id": self.id} | self.word)


@define(eq=False)
class Hub:
    """The application, as those who speak the protocol find it."""

    api: Api
    _ids: Any = field(factory=count)

    async def rpc(self, method: str, params: Any = None, who: str = "alice", **headers: str) -> Any:
        """The answer to a call, whose id has to come back."""
        id = next(self._ids)
        answer = await self.post({"jsonrpc": "2.0", "id": id, "method": method, "params": params}, who, **headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body.pop("jsonrpc"), body.pop("id")) == ("2.0", id)
        return body

    async def result(self, method: str, params: Any = None, who: str = "alice", **headers: str) -> Any:
        """The result of a call that has to succeed."""
        body = await self.rpc(method, params, who, **headers)
        assert "result" in body, body
        return body["result"]

    async def error(self, method: str, params: Any = None, who: str = "alice", **headers: str) -> Any:
        """The error of a call that has to be refused."""
        body = await self.rpc(method, params, who, **headers)
        assert "error" in body, body
        return body["error"]

    async def post(self, body: Any, who: str = "alice", *, path: str = RPC, **headers: str) -> httpx.Response:
        caller: Caller = getattr(self.api, who)
        return await caller("POST", path, body, headers={**_version(body), **headers})

    @asynccontextmanager
    async def stream(
        self, method: str, params: Any, who: str = "alice", *, id: Any = 7, **headers: str
    ) -> AsyncIterator[Stream]:
        """A call that is answered by a stream."""
        body = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        headers = {"Content-Type": "application/json", **_version(body), **headers}
        async with self.api.watch(RPC, who, json=body, **headers) as stream:
            yield stream

    async def claim(self, worker: str = "w1") -> Run:
        """The next task that waits for a worker, claimed as soon as there is one."""
        backend = self.api.services.backend
        with backend.notifier.listen(Topic(DEFAULT_TENANT, READY)) as bell:
            while True:
                found = await self.api.alice.ok("GET", "/v1/agent/tasks?status=pending")
                if found:
                    break
                await bell.wait()
        claimed = await self.api.claimed(found[0]["id"], worker)
        return Run(self.api, found[0]["id"], {"worker_id": worker, "lease_token": claimed["lease"]["token"]})

    async def begin(self, text: str = "do it", who: str = "alice", **members: Any) -> Run:
        """A task that was asked for by a message, claimed."""
        params = {**said(text, **members), "configuration": {"returnImmediately": True}}
        sent = await self.result("SendMessage", params, who)
        run = await self.claim()
        assert run.id == sent["task"]["id"]
        return run


def _version(body: Any) -> dict[str, str]:
    method = str(body.get("method", "")) if isinstance(body, dict) else ""
    return NEW if method[:1].isupper() else OLD


@asynccontextmanager
async def open_hub() -> AsyncIterator[Hub]:
    """Over the memory store."""
    async with memory.open_backend("memory://") as backend, open_api(backend) as api:
        yield Hub(api)
