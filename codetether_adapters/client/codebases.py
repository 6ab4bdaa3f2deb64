"""Codebases: the directories that tasks are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, Request, many, nothing, one, path
from codetether_adapters.client.transport import Transport
from codetether_adapters.client.views import CodebaseView
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import CodebaseId
from codetether_core.tasks import ANYWHERE

__all__ = ["Codebases", "codebase_id"]

_ID_PREFIX = "cbs_"


class Codebases(Resource[M]):
    """``client.codebases``. Where a codebase is asked for, a value, an id or a unique name will do."""

    @operation
    async def add(
        self, name: str, path: str, *, description: str = "", agent_config: Mapping[str, Any] | None = None
    ) -> CodebaseView:
        """Register a directory; the same name and path give the same codebase."""
        body = {"name": name, "path": path, "description": description, "agent_config": agent_config}
        return await self._send(
            Request(method="POST", path=f"{AGENT}/codebases", body=body, read=one(CodebaseView, "codebase"))
        )

    @operation
    async def list(self) -> Sequence[CodebaseView]:
        """All of them, also where several have the same directory."""
        return await self._send(_list())

    @operation
    async def get(self, codebase: str) -> CodebaseView:
        """One of them."""
        id = await codebase_id(self._transport, codebase)
        return await self._send(Request(method="GET", path=path(f"{AGENT}/codebases", id), read=one(CodebaseView)))

    @operation
    async def remove(self, codebase: str | CodebaseView) -> None:
        """Forget it; the directory stays as it is."""
        id = await codebase_id(self._transport, codebase)
        await self._send(Request(method="DELETE", path=path(f"{AGENT}/codebases", id), read=nothing))


async def codebase_id(transport: Transport, codebase: str | CodebaseView) -> CodebaseId:
    """The id of a codebase, looked up if it is called by its name."""
    if isinstance(codebase, CodebaseView):
        return codebase.id
    if codebase in ANYWHERE or codebase.startswith(_ID_PREFIX):
        return CodebaseId(codebase)
    request = _list()
    known = request.result(await transport.send(request))
    found = {each.id for each in known if codebase in (each.id, each.name)}
    if len(found) > 1:
        which = ", ".join(f"{each.id} ({each.path})" for each in known if each.id in found)
        raise Invalid("codebase", f"{codebase!r} is the name of {len(found)}", hint=f"say which by its id: {which}")
    if not found:
        raise NotFound("codebase", codebase, hint=_suggestion(known))
    return found.pop()


def _list() -> Request[Sequence[CodebaseView]]:
    query = {"include_duplicates": "true"}
    return Request(method="GET", path=f"{AGENT}/codebases", query=query, read=many(CodebaseView))


def _suggestion(known: Sequence[CodebaseView]) -> str:
    names = ", ".join(sorted({each.name for each in known})[:8])
    return f"known are: {names}" if names else "none is registered yet: codetether codebase add NAME PATH"
