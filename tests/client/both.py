"""The two clients behind one face: a test says what is done, and it is done with both."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from codetether_adapters.client import AsyncClient, Client, Patience

HASTY = Patience(first=0.0, attempts=4, reconnections=5, total=20.0)
"""No pauses: a test does not wait."""

BOTH = pytest.mark.parametrize("use", ["blocking", "async"])


def call(use: str, url: str, what: Callable[[Any], Any], *, patience: Patience = HASTY, token: str = "t") -> Any:
    """What comes of one operation."""
    if use == "blocking":
        with Client(url, token=token, patience=patience) as client:
            return what(client)

    async def main() -> Any:
        async with AsyncClient(url, token=token, patience=patience) as client:
            return await what(client)

    return anyio.run(main)


def collect(
    use: str,
    url: str,
    what: Callable[[Any], Iterator[Any] | AsyncIterator[Any]],
    *,
    into: list[Any] | None = None,
    patience: Patience = HASTY,
    token: str = "t",
) -> list[Any]:
    """All items of one stream; those that came before an error are in ``into`` too."""
    found: list[Any] = [] if into is None else into
    if use == "blocking":
        with Client(url, token=token, patience=patience) as client:
            found.extend(item for item in what(client))  # type: ignore[union-attr]
        return found

    async def main() -> None:
        async with AsyncClient(url, token=token, patience=patience) as client:
            async for item in what(client):  # type: ignore[union-attr]
                found.append(item)

    anyio.run(main)
    return found


Operation = Callable[[Any], Awaitable[Any]]
