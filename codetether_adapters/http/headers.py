"""Request headers, looked up without regard to case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Headers"]


class Headers(Mapping[str, str]):
    """The headers of one request, read once from the ASGI scope (which lower-cases names).

    Of a header sent twice the last counts; ``framing`` refuses those for which that matters. Values are UTF-8, as the
    clients that there are send them, else Latin-1, as HTTP once had them (RFC 9110, section 5.5).
    """

    __slots__ = ("_values",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values = dict(raw)

    def __getitem__(self, name: str) -> str:
        return _text(self._values[name.lower().encode("latin-1")])

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The header's value, or ``default`` if it was not sent."""
        value = self._values.get(name.lower().encode("latin-1"))
        return default if value is None else _text(value)

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._values)

    def __len__(self) -> int:
        return len(self._values)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
