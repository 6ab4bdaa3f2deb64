"""Media types: what a body has to be, and what a client has to take."""

from __future__ import annotations

from typing import Final

from codetether_adapters.http.headers import Headers
from codetether_core.errors import CodeTetherError

__all__ = ["MediaTypeUnsupported", "NotAcceptable", "require_json", "require_taker_of_json"]

_JSON: Final = "application/json"
_TAKEN: Final = frozenset({"", "*/*", "application/*", _JSON})


class MediaTypeUnsupported(CodeTetherError):
    """The body is said to be something else than JSON."""

    code = "media_type_unsupported"


class NotAcceptable(CodeTetherError):
    """The client takes nothing that we could answer."""

    code = "not_acceptable"


def require_json(headers: Headers) -> None:
    """``MediaTypeUnsupported`` for a body that is not said to be JSON."""
    if _bare(headers.get("content-type") or "") != _JSON:
        raise MediaTypeUnsupported("The body must be JSON", hint=f"send Content-Type: {_JSON}")


def require_taker_of_json(headers: Headers) -> None:
    """``NotAcceptable`` for a client that takes no JSON."""
    if _TAKEN.isdisjoint(map(_bare, (headers.get("accept") or "").split(","))):
        raise NotAcceptable("The answer is JSON or a stream of it", hint=f"send Accept: {_JSON}, text/event-stream")


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
