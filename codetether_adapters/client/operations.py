"""One definition, two ways to call it.

Every resource is written once, as ``async`` methods over a ``Transport``. An ``AsyncClient`` hands out those methods
as they are. A ``Client`` has a transport whose awaitables never wait, they block; so each of its coroutines runs from
start to end at one push, without an event loop or a thread, and `operation` and `stream` give it the plain signature.

``M`` marks which of the two a resource belongs to, for type checkers: ``Tasks[Sync].get`` returns a task,
``Tasks[Async].get`` an awaitable of one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from functools import update_wrapper, wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from codetether_adapters.client.requests import Request
from codetether_adapters.client.transport import Transport

__all__ = ["Async", "M", "Resource", "Sync", "operation", "run_blocking", "stream"]

P = ParamSpec("P")
T = TypeVar("T")


class Async:
    """Marks resources whose operations are awaited."""


class Sync:
    """Marks resources whose operations block."""


M = TypeVar("M")


class Resource(Generic[M]):
    """A group of operations over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _send(self, request: Request[T]) -> T:
        return request.result(await self._transport.send(request))


class operation(Generic[P, T]):
    """An ``async`` method of a resource that both clients offer."""

    def __init__(self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> None:
        self._function = function
        update_wrapper(cast("Callable[..., Any]", self), function)

    @overload
    def __get__(self, resource: Resource[Sync], owner: type | None = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type | None = None) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, resource: Any, owner: type | None = None) -> Any:
        if resource is None:
            return self
        method = self._function.__get__(resource)
        if not resource._transport.blocks:
            return method

        @wraps(method)
        def blocking(*args: P.args, **kwargs: P.kwargs) -> T:
            result: T = run_blocking(method(*args, **kwargs))
            return result

        return blocking


class stream(Generic[P, T]):
    """An asynchronous generator of a resource that both clients offer, to be iterated over."""

    def __init__(self, function: Callable[Concatenate[Any, P], AsyncGenerator[T]]) -> None:
        self._function = function
        update_wrapper(cast("Callable[..., Any]", self), function)

    @overload
    def __get__(self, resource: Resource[Sync], owner: type | None = None) -> Callable[P, Generator[T]]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type | None = None) -> Callable[P, AsyncGenerator[T]]: ...
    def __get__(self, resource: Any, owner: type | None = None) -> Any:
        if resource is None:
            return self
        method = self._function.__get__(resource)
        if not resource._transport.blocks:
            return method

        @wraps(method)
        def blocking(*args: P.args, **kwargs: P.kwargs) -> Generator[T]:
            return _iterate(method(*args, **kwargs))

        return blocking


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result; it must not wait on an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return cast("T", finished.value)
    coroutine.close()
    raise RuntimeError("a blocking client cannot wait on an event loop")


def _iterate(source: AsyncGenerator[T]) -> Generator[T]:
    try:
        while True:
            try:
                item = run_blocking(source.__anext__())
            except StopAsyncIteration:
                return
            yield item
    finally:
        run_blocking(source.aclose())
