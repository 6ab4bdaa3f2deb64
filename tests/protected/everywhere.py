"""A word of its own for every member of every request that somebody writes, sent to a real server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import httpx
from attrs import define, field

from codetether_adapters.http.resources import ALIASES, all_routes

__all__ = ["CLEAR", "FILE", "WRITTEN", "Everywhere", "members"]

_WRITTEN: Final = """
    agent_config body capabilities description details error event message messages metadata options output outputs
    prompt result session sessions text title tool
"""
_CLEAR: Final = """
    action actor agent agent_id agent_name agents approval_id choice codebase_id codebases context_id conversation_id
    device_id device_name device_type global_codebase_id global_workspace_id hostname id lease_token model model_ref
    models models_supported name path resource sender session_id target_agent_name target_worker_id task_id tenant_id
    to url username worker_id workspace_id workspace_ids workspaces agent_type cursor files jsonrpc kind method
    new_password old_password outcome password reason refresh_token required_capabilities roles scopes source status
    stream value variable card_keys card_url secret header prefix tools
"""

WRITTEN: Final = frozenset(_WRITTEN.split())
"""Members of requests in which people and agents write what they like."""

CLEAR: Final = frozenset(_CLEAR.split())
"""Members whose texts stay readable: names, ids and slugs; and passwords and secrets, which are kept
otherwise."""


FILE: Final = ("PUT artifacts", "")
"""Where the word of a file that a run leaves is, which is no member of a request."""


def members() -> Iterator[tuple[str, str]]:
    """Every route with every member of its requests that is or has a text, as the application serves it."""
    aliases = tuple(alias.at for alias in ALIASES)
    for route in all_routes():
        if route.body is not None and not route.path.startswith(aliases):
            for member in attrs.fields(route.body):
                if (route.path, member.name) == ("/v1/agent/workers/register", "capabilities"):
                    continue  # which are names, unlike an agent's
                if (route.path, member.name) == ("/v1/tool-servers/{name}", "description"):
                    continue  # which is kept once a server elsewhere has answered: see ``test_encrypting``
                if any(word in str(member.type) for word in ("str", "Any", "Chunk", "Option", "Told", "ToolUse")):
                    yield f"{route.method} {route.path}", member.name


@define
class Everywhere:
    """Sends the requests; ``words`` are those that were taken, by route and member."""

    client: httpx.Client
    words: dict[tuple[str, str], list[str]] = field(factory=dict)
    _count: int = 0

    def send(self, route: str, path: str, body: Mapping[str, Any], **headers: str) -> Any:
        """One request; every ``WRITE`` in its body becomes a new word."""
        method = route.partition(" ")[0]
        said: dict[str, list[str]] = {}
        written = {name: self._written(value, said.setdefault(name, [])) for name, value in body.items()}
        answer = self.client.request(method, path, json=written, headers=headers)
        assert answer.status_code in (200, 201), f"{route}: {answer.text}"
        for name, words in said.items():
            if words:
                self.words.setdefault((route, name), []).extend(words)
        return answer.json()

    def _written(self, value: Any, said: list[str]) -> Any:
        if value == WRITE:
            self._count += 1
            said.append(f"wordnumber{self._count:04}ofmine")
            return said[-1]
        if isinstance(value, dict):
            return {name: self._written(each, said) for name, each in value.items()}
        return [self._written(each, said) for each in value] if isinstance(value, list) else value

    def fill(self) -> None:
        """Make use of every route that keeps what is written in it."""
        codebase = self._registered()
        self._tasks(codebase)
        self._sessions(codebase)
        self._talk()

    def _registered(self) -> str:
        body = {"name": "demo", "path": "/srv/demo", "description": WRITE, "agent_config": {"hint": WRITE}}
        id: str = self.send("POST /v1/agent/codebases", "/v1/agent/codebases", body)["id"]
        for route in ("POST /v1/agent/agents", "POST /v1/agent/agents/register"):
            path = route.partition(" ")[2]
            self.send(route, path, {"name": "reviewer", "description": WRITE, "capabilities": {"note": WRITE}})
        register = {"name": "register_agent", "arguments": {"name": "checker", "description": WRITE}}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": register}
        self.send("POST /mcp/v1/rpc", "/mcp/v1/rpc", call)
        worker = {"worker_id": "w1", "name": "one", "codebases": [id], "capabilities": ["gpu"]}
        assert self.client.post("/v1/agent/workers/register", json=worker).status_code == 200
        return id

    def _tasks(self, codebase: str) -> None:
        new = {"prompt": WRITE, "title": WRITE, "metadata": {"note": [WRITE]}}
        of_codebase = f"/v1/agent/codebases/{codebase}"
        asking = self.send("POST /v1/agent/tasks", "/v1/agent/tasks", {**new, "codebase_id": codebase})["id"]
        failing = self.send("POST /v1/agent/codebases/{id}/tasks", f"{of_codebase}/tasks", new)["task"]["id"]
        self.send("POST /v1/agent/codebases/{id}/message", f"{of_codebase}/message", {"message": WRITE})
        self.send("POST /mcp/v1/tasks", "/mcp/v1/tasks", {"title": WRITE, "description": WRITE})
        trigger = {"prompt": WRITE, "metadata": {"note": WRITE}}
        self.send("POST /v1/agent/codebases/{id}/trigger", f"{of_codebase}/trigger", trigger)
        words = self._claimed(asking)
        path, holder = f"/v1/agent/tasks/{asking}", {"worker_id": "w1"}
        output = "POST /v1/agent/tasks/{id}/output"
        self.send(output, f"{path}/output", {**holder, "output": WRITE, "event": {"kind": WRITE}}, **words)
        batch = [{"output": WRITE, "event": {"kind": WRITE}}]
        self.send(output, f"{path}/output", {**holder, "outputs": batch}, **words)
        for answered in ("POST /v1/agent/tasks/{id}/answer", "POST /v1/agent/approvals/{id}/answer"):
            ask: dict[str, Any] = {**holder, "prompt": WRITE, "details": {"note": WRITE}}
            asked = self.send("POST /v1/agent/tasks/{id}/ask", f"{path}/ask", ask, **words)["approval"]["id"]
            where = f"{path}/answer" if "tasks" in answered else f"/v1/agent/approvals/{asked}/answer"
            self.send(answered, where, {"text": WRITE})
        choice = {**holder, "prompt": WRITE, "options": [{"id": "yes", "label": WRITE}]}
        self.send("POST /v1/agent/tasks/{id}/ask", f"{path}/ask", choice, **words)
        self.send("POST /v1/agent/tasks/{id}/answer", f"{path}/answer", {"choice": "yes"})
        tool = {"name": "bash", "kind": "execute", "command": WRITE, "paths": [WRITE]}
        wish: dict[str, Any] = {**choice, "kind": "permission", "tool": tool}
        self.send("POST /v1/agent/tasks/{id}/ask", f"{path}/ask", wish, **words)
        self.send("POST /v1/agent/tasks/{id}/answer", f"{path}/answer", {"choice": "yes"})
        file = self.client.put(f"{path}/artifacts/notes.txt", content=b"wordinafileofmine" * 9999, headers=words)
        assert file.status_code == 200, file.text
        self.words[FILE] = ["wordinafileofmine"]
        status = {**holder, "status": "completed", "result": WRITE, "outputs": [{"output": WRITE}]}
        self.send("PUT /v1/agent/tasks/{id}/status", f"{path}/status", status, **words)
        words = self._claimed(failing)
        failed = {**holder, "status": "failed", "error": WRITE}
        self.send("PUT /v1/agent/tasks/{id}/status", f"/v1/agent/tasks/{failing}/status", failed, **words)
        release = "POST /v1/worker/tasks/release"
        for ending in ({"status": "completed", "result": WRITE}, {"status": "failed", "error": WRITE}):
            task = self.send("POST /v1/agent/tasks", "/v1/agent/tasks", {"prompt": WRITE, "codebase_id": codebase})[
                "id"
            ]
            words = self._claimed(task)
            self.send(release, release.partition(" ")[2], {**holder, "task_id": task, **ending}, **words)

    def _sessions(self, codebase: str) -> None:
        at = f"/v1/agent/codebases/{codebase}/sessions"
        said = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": WRITE}], "tool_calls": [{"x": WRITE}]}]
        told = {"worker_id": "w1", "sessions": [{"id": "s1", "title": WRITE, "summary": {"note": WRITE}}]}
        ingest = {"session": {"title": WRITE}, "messages": said}
        route = "POST /v1/agent/codebases/{id}/sessions"
        self.send(f"{route}/sync", f"{at}/sync", told)
        self.send(f"{route}/{{sid}}/messages/sync", f"{at}/s1/messages/sync", {"worker_id": "w1", "messages": said})
        self.send(f"{route}/{{sid}}/ingest", f"{at}/s2/ingest", ingest)
        self.send(f"{route}/{{sid}}/resume", f"{at}/s1/resume", {"prompt": WRITE})

    def _talk(self) -> None:
        message = {"to": "reviewer", "body": WRITE, "metadata": {"note": WRITE}}
        self.send("POST /v1/agent/messages", "/v1/agent/messages", message)
        intervene = {"agent_id": "reviewer", "message": WRITE}
        self.send("POST /v1/monitor/intervene", "/v1/monitor/intervene", intervene)

    def _claimed(self, task: str) -> dict[str, str]:
        claim = {"task_id": task, "worker_id": "w1", "lease": True}
        answer = self.client.post("/v1/worker/tasks/claim", json=claim)
        assert answer.status_code == 200, answer.text
        return {"X-Lease-Token": answer.json()["lease"]["token"], "X-Worker-ID": "w1"}


WRITE: Final = "<a word>"
