"""Its HTTP API: what it answers, and that it does not.

No error here repeats what was sent, which has secrets in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from attrs import field, frozen

from codetether_core.errors import Unavailable

__all__ = ["Api", "Refused"]


class Refused(Exception):
    """It answered, and not with what was asked for."""

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        said = told.get("errors")
        self.status = status
        self.told = told
        self.reason = "; ".join(str(each).strip() for each in said) if isinstance(said, list) and said else ""
        super().__init__(self.reason or str(status))


@frozen
class Api:
    """The vault at ``address``, by a client that knows it."""

    address: str
    _client: httpx.AsyncClient = field(repr=False)

    async def ask(self, method: str, path: str, *, token: str = "", **body: str) -> Mapping[str, Any]:
        """What it answers; ``Refused`` if that is no, ``Unavailable`` if it cannot say now."""
        headers = {"X-Vault-Token": token} if token else {}
        try:
            answer = await self._client.request(
                method, f"{self.address.rstrip('/')}/v1/{path}", headers=headers, json=body or None
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = type(error).__name__ if isinstance(error, httpx.ProtocolError) else error or type(error).__name__
            raise self.away(f"does not answer: {problem}") from None
        if answer.status_code in (429, 472, 473, 503):
            raise self.away(f"is sealed or not in charge: it answers {answer.status_code}")
        if answer.status_code >= 500 or answer.is_redirect:
            raise self.away(f"answers {answer.status_code}")
        try:
            told = answer.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise self.away(f"answers {answer.status_code}, and no JSON object")
        if answer.is_error:
            raise Refused(answer.status_code, told)
        return told

    def away(self, problem: str) -> Unavailable:
        """The complaint that it is of no use now."""
        return Unavailable(
            f"The vault at {self.address} {problem}", hint="start or unseal it, or correct CODETETHER_VAULT_ADDR"
        )
