"""What the protocol's binding serves: everything that is asked for, as plain values in the protocol's words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

from attrs import frozen

from codetether_adapters.mcp.caller import Exchange

__all__ = [
    "INVALID_PARAMS",
    "METHOD_NOT_FOUND",
    "Identity",
    "ListChange",
    "Refused",
    "Served",
    "TaskChange",
    "Update",
    "Watch",
]

INVALID_PARAMS: Final = -32602
METHOD_NOT_FOUND: Final = -32601


class ListChange(Enum):
    """A list of which there is more, or less."""

    TOOLS = "toolsListChanged"
    PROMPTS = "promptsListChanged"
    RESOURCES = "resourcesListChanged"


@frozen
class TaskChange:
    """How a task stands now: what ``tasks/get`` would answer."""

    shown: Mapping[str, Any]


Update: TypeAlias = ListChange | TaskChange | str
"""What has changed: a list, a task, or the resource at an address."""


@frozen(kw_only=True)
class Watch:
    """What a client listens to: resources by their addresses, tasks by their ids, and lists."""

    uris: Sequence[str] = ()
    tasks: Sequence[str] = ()
    lists: Sequence[ListChange] = ()


class Refused(Exception):
    """The request itself is refused, by a code of the protocol's; what a tool cannot do, its result says instead."""

    def __init__(self, code: int, message: str, /, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


@frozen(kw_only=True)
class Identity:
    """How it presents itself."""

    name: str
    title: str
    version: str
    description: str
    instructions: str


class Served(Protocol):
    """Results are complete: lists say for how long they hold, and for whom. All may raise ``Refused``.

    The domain's errors get out of these too, and the client is told of them in words.
    """

    @property
    def identity(self) -> Identity:
        """Who serves."""
        ...

    def permission(self, method: str, params: Mapping[str, Any]) -> str | None:
        """What the caller needs for a request; ``None`` for one that everybody may make who may come in at all."""
        ...

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """That of a tool's arguments, if there is one of that name."""
        ...

    async def tools(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        """``tools/list``."""
        ...

    async def call(self, exchange: Exchange, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """``tools/call``."""
        ...

    async def resources(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        """``resources/list``."""
        ...

    async def templates(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        """``resources/templates/list``."""
        ...

    async def read(self, exchange: Exchange, uri: str) -> Mapping[str, Any]:
        """``resources/read``."""
        ...

    async def prompts(self, exchange: Exchange, cursor: str | None) -> Mapping[str, Any]:
        """``prompts/list``."""
        ...

    async def prompt(self, exchange: Exchange, name: str, arguments: Mapping[str, str]) -> Mapping[str, Any]:
        """``prompts/get``."""
        ...

    async def complete(
        self, exchange: Exchange, ref: Mapping[str, Any], name: str, value: str, context: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """``completion/complete``: what the argument ``name`` of what is referred to may be, that begins so."""
        ...

    async def watchable(self, exchange: Exchange, asked: Watch) -> Watch:
        """Of what the caller may be told, of all that is asked for."""
        ...

    def updates(self, exchange: Exchange, watch: Watch) -> AsyncGenerator[Update | None, None]:
        """What changes of it, for ever; first ``None``, as soon as nothing can be missed."""
        ...

    async def task(self, exchange: Exchange, id: str) -> Mapping[str, Any]:
        """``tasks/get`` of the tasks extension, whose client has declared it."""
        ...

    async def update_task(self, exchange: Exchange, id: str, answers: Mapping[str, Any]) -> Mapping[str, Any]:
        """``tasks/update``."""
        ...

    async def cancel_task(self, exchange: Exchange, id: str) -> Mapping[str, Any]:
        """``tasks/cancel``."""
        ...
