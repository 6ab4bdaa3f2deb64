"""The provider as a process that can be stopped, started again, and given other keys."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.servers.identity.programs import NODE, provider_program

__all__ = ["IdentityProvider", "running"]

_PATIENCE = 60.0


@define(eq=False)
class IdentityProvider:
    """``keys`` are those that it publishes; the first one signs. Without ``codes`` it has no device flow."""

    directory: Path
    port: int
    keys: list[Key] = field(factory=list)
    ttl: int = 600
    codes: bool = True
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def new_key(self, id: str, alg: str = "RS256") -> None:
        """From the next start on it signs with another one, and publishes the others still."""
        made: Key
        if alg == "RS256":
            made = RSAKey.generate_key(2048, {"kid": id, "use": "sig", "alg": alg})
        elif alg == "ES256":
            made = ECKey.generate_key("P-256", {"kid": id, "use": "sig", "alg": alg})
        else:
            made = OKPKey.generate_key("Ed25519", {"kid": id, "use": "sig", "alg": alg})
        self.keys.insert(0, made)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        published = self.directory / "keys.json"
        published.write_text(json.dumps({"keys": [key.as_dict(private=True) for key in self.keys]}))
        environment = {
            **os.environ,
            "TOKEN_TTL": str(self.ttl),
            "ALG": str(self.keys[0].get("alg", "RS256")),
            "DEVICE_CODES": "yes" if self.codes else "no",
        }
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(NODE), str(provider_program()), str(self.port), str(published)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                httpx.get(f"{self.issuer}/.well-known/openid-configuration").raise_for_status()
            except httpx.HTTPError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self.directory / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def token(self, *, audience: str = "urn:codetether", **claims: str) -> str:
        """A token for the client ``robot``, with these roles (commas between) and tenant."""
        asked: dict[str, Any] = {"grant_type": "client_credentials", "resource": audience, **claims}
        answer = httpx.post(f"{self.issuer}/token", data=asked, auth=("robot", "robot-secret"))
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


@contextmanager
def running(directory: Path) -> Iterator[IdentityProvider]:
    """A provider with one key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider = IdentityProvider(directory, port)
    provider.new_key("one")
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
