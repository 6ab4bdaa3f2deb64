"""What is asked of the server and how its answer is read, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import orjson
from attrs import Factory, frozen

from codetether_adapters.client.errors import BadAnswer, problem_of
from codetether_adapters.client.outgoing import encoded, json_of
from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["AGENT", "AUTH", "WORKER", "Answer", "Request", "an_object", "fresh_key", "many", "nothing", "one", "path"]

T = TypeVar("T")

AGENT = "/v1/agent"
AUTH = "/v1/auth"
WORKER = "/v1/worker"


@frozen
class Answer:
    """An HTTP response, read to its end. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@frozen(kw_only=True)
class Request(Generic[T]):
    """One call. ``repeatable`` says that sent twice it does what it does once: when the answer is lost, it is retried.

    Members of ``query`` and ``body`` that are ``None`` are left out. ``patience`` is how many seconds the server
    may take on purpose before it answers (long polls). A ``file`` goes instead of a body: its bytes, or where they are.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    query: Mapping[str, Any] = Factory(dict)
    body: Mapping[str, Any] | None = None
    file: bytes | Path | None = None
    headers: Mapping[str, str | None] = Factory(dict)
    repeatable: bool = True
    patience: float = 0.0

    def content(self) -> bytes | None:
        """The JSON to send."""
        return None if self.body is None else json_of(self.body)

    def parameters(self) -> Mapping[str, Any]:
        """The members of the query to send."""
        told = {name: value for name, value in self.query.items() if value is not None}
        return {
            name: encoded(name, value).decode() if isinstance(value, str) else value for name, value in told.items()
        }

    def result(self, answer: Answer) -> T:
        """What the answer means; the error that it tells of is raised."""
        if answer.status >= 300:
            raise problem_of(answer.status, answer.headers, answer.body)
        try:
            return self.read(orjson.loads(answer.body) if answer.body else None)
        except (orjson.JSONDecodeError, Invalid) as error:
            raise BadAnswer(f"The server's answer makes no sense here: {error}", path=self.path) from None


def one(type: type[T], member: str = "") -> Callable[[Any], T]:
    """Reads one value, the whole answer or its ``member``."""
    return lambda data: codec.parse(type, _inside(data, member), field=member)


def many(type: type[T], member: str = "") -> Callable[[Any], Sequence[T]]:
    """Reads a list of values."""
    return lambda data: codec.parse(tuple[type, ...], _inside(data, member), field=member)  # type: ignore[valid-type]


def an_object(data: Any) -> Mapping[str, Any]:
    """Reads an object as it is."""
    if not isinstance(data, dict):
        raise Invalid("", "must be an object")
    return data


def nothing(data: Any) -> None:
    """Reads nothing: that it went well is all there is to know."""


def path(*segments: str) -> str:
    """A path whose later segments are escaped: ids and names may contain anything."""
    root, *rest = segments
    return "/".join((root, *(quote(encoded("id", segment), safe="") for segment in rest)))


def fresh_key() -> str:
    """An idempotency key: made once per call and sent again with every retry of it."""
    return token_hex(16)


def _inside(data: Any, member: str) -> Any:
    if not member:
        return data
    if not isinstance(data, dict) or member not in data:
        raise Invalid(member, "is required")
    return data[member]
