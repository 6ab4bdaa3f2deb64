"""Routes: which handler answers what, and who may ask.

The table is built once and is complete: a route without a permission, or two for the same request, and the
application does not start (promise 7). A request is matched by walking its path's segments through a tree of
dictionaries, one tree a method, so that the cost grows with the path and not with the table.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from attrs import define, evolve, field, frozen
from starlette.types import ASGIApp

from codetether_adapters.http.call import Call
from codetether_adapters.http.protected import Protected
from codetether_core.access import LEASE, PUBLIC
from codetether_core.errors import CodeTetherError, Invalid, NotFound

__all__ = ["METHODS", "Alias", "Endpoint", "Header", "Match", "MethodNotAllowed", "Route", "Routes", "expand"]

Endpoint: TypeAlias = Callable[[Call], Awaitable[ASGIApp]]
"""A handler. What it returns is called as an ASGI application: a Starlette response, an event stream, a mounted one."""

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""What a route may declare; HEAD is answered by GET's, OPTIONS by the table."""

_PERMISSION: Final = re.compile(r"[a-z][a-z_]*:[a-z][a-z_]*")
_PARAMETER: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?:(:path)\}|\}(?::([a-z][A-Za-z]*))?)")
_NAME: Final = re.compile(r"\{[a-z0-9_]+")
_HOLLOW: Final = frozenset({"", ".", ".."})
"""What no parameter may be: nothing, or a step in a directory tree."""


class MethodNotAllowed(CodeTetherError):
    """The path is there, the method is not; ``allow`` lists those that are."""

    code = "method_not_allowed"

    def __init__(self, method: str, allow: Sequence[str], /) -> None:
        super().__init__(f"{method} is not allowed here", hint=f"allowed: {', '.join(allow)}")
        self.allow = tuple(allow)


@frozen
class Header:
    """A request header that a handler reads, for the documentation."""

    name: str
    description: str


@frozen
class Route:
    """One method on one path, and its documentation.

    ``path`` has literal segments, parameters ``{name}``, a parameter before a verb ``{name}:cancel`` and, as its last
    segment, ``{name:path}`` for all the rest. With a trailing slash it also answers without one, otherwise not.
    ``permission`` is a ``resource:verb``, ``PUBLIC``, or ``LEASE`` for a handler that itself looks at the lease whose
    token is shown. ``body``, ``query`` and ``answer`` are attrs classes, but an
    answer may be a JSON schema, of another ``media_type`` too, and ``also_as`` those that clients may ask for instead;
    ``upload`` marks a body of any bytes. ``also`` has the answers of further statuses (``None`` for an empty one),
    ``stream`` names the dialect of an event stream, ``errors`` has the statuses of the problems that it may give,
    besides those that follow from the rest. A ``refusal`` is the JSON schema of what its own protocol says in place of
    a problem, in its media type. Who is not recognized by a ``protected`` one is told where to get a token.
    """

    method: str
    path: str
    endpoint: Endpoint
    permission: str
    summary: str = field(default="", kw_only=True)
    tag: str = field(default="", kw_only=True)
    body: type | None = field(default=None, kw_only=True)
    upload: bool = field(default=False, kw_only=True)
    query: type | None = field(default=None, kw_only=True)
    headers: tuple[Header, ...] = field(default=(), kw_only=True)
    answer: type | Mapping[str, object] | None = field(default=None, kw_only=True)
    media_type: str = field(default="application/json", kw_only=True)
    also_as: tuple[str, ...] = field(default=(), kw_only=True)
    status: int = field(default=200, kw_only=True)
    also: Mapping[int, type | None] = field(factory=dict, kw_only=True)
    stream: str | None = field(default=None, kw_only=True)
    errors: tuple[int, ...] = field(default=(), kw_only=True)
    refusal: Mapping[str, object] | None = field(default=None, kw_only=True)
    protected: Protected | None = field(default=None, kw_only=True)
    alias: str = field(default="agent", kw_only=True)


@frozen
class Alias:
    """A second prefix, ``at``, for every route below the prefix ``of``; ``Call.alias`` is its ``name`` there."""

    name: str
    of: str
    at: str


class Match(NamedTuple):
    """A route and the values of its path's parameters."""

    route: Route
    path: dict[str, str]


def expand(routes: Iterable[Route], aliases: Iterable[Alias]) -> tuple[Route, ...]:
    """The routes, and the same under every alias that applies to them."""
    expanded: list[Route] = []
    known = tuple(aliases)
    for route in routes:
        expanded.append(route)
        for alias in known:
            if f"{route.path}/".startswith(f"{alias.of}/"):
                path = alias.at + route.path[len(alias.of) :]
                expanded.append(evolve(route, path=path, alias=alias.name))
    return tuple(expanded)


@define(eq=False)
class _Node:
    """Where a path's segments have led so far."""

    literal: dict[str, _Node] = field(factory=dict)
    verbs: dict[str, _Node] = field(factory=dict)
    parameter: _Node | None = None
    rest: _Node | None = None
    leaf: _Leaf | None = None

    def find(self, segments: Sequence[str], at: int, values: list[str]) -> _Leaf | None:
        """The leaf for the segments from ``at`` on; of all ways down, the first in the order of the members above."""
        if at == len(segments):
            return self.leaf
        segment = segments[at]
        node = self.literal.get(segment)
        if node is not None and (leaf := node.find(segments, at + 1, values)) is not None:
            return leaf
        if self.verbs:
            name, _, verb = segment.rpartition(":")
            node = self.verbs.get(verb)
            if node is not None and (leaf := node.capture(name, segments, at, values)) is not None:
                return leaf
        if self.parameter is not None:
            leaf = self.parameter.capture(segment, segments, at, values)
            if leaf is not None:
                return leaf
        if self.rest is not None:
            value = "/".join(segments[at:])
            if _HOLLOW.isdisjoint(value.split("/")):
                values.append(value)
                return self.rest.leaf
        return None

    def capture(self, value: str, segments: Sequence[str], at: int, values: list[str]) -> _Leaf | None:
        """Go on below this node, to which the parameter ``value`` led; forget the value again if that leads nowhere."""
        if value in _HOLLOW:
            return None
        values.append(value)
        leaf = self.find(segments, at + 1, values)
        if leaf is None:
            values.pop()
        return leaf

    def step(self, segment: str, names: list[str]) -> _Node:
        """The node below for a segment of a route's path, made if need be; a parameter's name is added to ``names``."""
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None:
            if "{" in segment or "}" in segment:
                raise ValueError(f"{segment!r} is no parameter")
            return self.literal.setdefault(segment, _Node())
        name, rest, verb = parameter.groups()
        if name in names:
            raise ValueError(f"the parameter {name!r} occurs twice")
        names.append(name)
        if verb:
            return self.verbs.setdefault(verb, _Node())
        if rest:
            self.rest = self.rest or _Node()
            return self.rest
        self.parameter = self.parameter or _Node()
        return self.parameter

    def settle(self, leaf: _Leaf) -> None:
        """Let the path that led here end here."""
        if self.leaf is not None:
            raise ValueError(f"is already answered by {self.leaf.route.path}")
        self.leaf = leaf


class _Leaf(NamedTuple):
    route: Route
    names: tuple[str, ...]


class Routes:
    """All routes of an application. ``ValueError`` at construction if two answer the same, or one has no permission."""

    __slots__ = ("_all", "_shapes", "_trees")

    def __init__(self, routes: Iterable[Route]) -> None:
        self._all = tuple(routes)
        self._trees = {method: _Node() for method in METHODS}
        self._shapes: dict[str, str] = {}
        for route in self._all:
            try:
                self._plant(route)
            except ValueError as error:
                raise ValueError(f"{route.method} {route.path}: {error}") from None

    def __iter__(self) -> Iterator[Route]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def match(self, method: str, raw_path: bytes) -> Match:
        """The route of a request; ``NotFound``, ``MethodNotAllowed``, or ``Invalid`` for a path that is no text."""
        segments = _segments(raw_path)
        tree = self._trees.get("GET" if method == "HEAD" else method)
        values: list[str] = []
        leaf = tree.find(segments, 0, values) if tree is not None else None
        if leaf is not None:
            return Match(leaf.route, dict(zip(leaf.names, values, strict=True)))
        raise MethodNotAllowed(method, self._allowed(segments))

    def _allowed(self, segments: Sequence[str]) -> tuple[str, ...]:
        """The methods that a path answers; ``NotFound`` if there are none."""
        declared = [method for method, tree in self._trees.items() if tree.find(segments, 0, []) is not None]
        if not declared:
            raise NotFound("route", "/" + "/".join(segments))
        return (*declared, *(("HEAD",) if "GET" in declared else ()), "OPTIONS")

    def _plant(self, route: Route) -> None:
        if route.permission not in (LEASE, PUBLIC) and not _PERMISSION.fullmatch(route.permission):
            raise ValueError(f"needs a permission, resource:verb or {PUBLIC!r}, not {route.permission!r}")
        if route.method not in METHODS:
            raise ValueError(f"the method must be one of {', '.join(METHODS)}")
        root, *segments = route.path.split("/")
        if root or not segments or "" in segments[:-1]:
            raise ValueError("the path must begin with one slash and have no empty segments")
        node, names = self._trees[route.method], list[str]()
        nodes = [node := node.step(segment, names) for segment in segments]
        if any(":path}" in segment for segment in segments[:-1]):
            raise ValueError("only the last segment can stand for all the rest")
        written = self._shapes.setdefault(_NAME.sub("{", route.path), route.path)
        if written != route.path:
            raise ValueError(f"is written {written} elsewhere; one path has one name for each parameter")
        leaf = _Leaf(route, tuple(names))
        nodes[-1].settle(leaf)
        if not segments[-1] and len(nodes) > 1:
            nodes[-2].settle(leaf)


def _segments(raw_path: bytes) -> list[str]:
    """A path's segments, each percent-decoded by itself: an escaped slash does not separate (RFC 3986, section 2.2)."""
    try:
        text = raw_path.decode()
        segments = text[1:].split("/")
        if "%" in text:
            segments = [unquote(segment, errors="strict") for segment in segments]
    except UnicodeDecodeError:
        raise Invalid("", "the path is not UTF-8", code="path_malformed") from None
    if "\0" in text or ("%" in text and any("\0" in segment for segment in segments)):
        raise Invalid("", "the path contains a NUL character", code="path_malformed")
    if text and not text.startswith("/"):  # another form of target, such as OPTIONS has (RFC 9112, section 3.2)
        raise NotFound("route", text)
    return segments
