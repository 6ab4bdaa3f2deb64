"""What a test keeps in a vault, and how programs get at it."""

from __future__ import annotations

import re
from pathlib import Path
from secrets import token_hex
from typing import Final

from tests.e2e.programs import Program, until
from tests.servers.vault import VaultServer

__all__ = ["CLOSED", "SERVER", "Secrets", "url_of"]

SERVER: Final = ("-m", "codetether_apps.server", "--port", "0")
CLOSED: Final = 1
"""A port on which nobody is."""


class Secrets:
    """What one test keeps in the vault, and how a program gets it: by AppRole, at ``address`` if not directly."""

    def __init__(self, vault: VaultServer, directory: Path) -> None:
        self.vault = vault
        self.path = f"team/{token_hex(6)}"
        self.token = token_hex(16)
        self.role = vault.role()
        vault.put(self.path, tokens=f"me:{self.token}:admin", token=self.token, store=f"sqlite://{directory}/kept.db")

    def at(self, field: str) -> str:
        return f"vault:secret/{self.path}#{field}"

    def settings(self, directory: Path, address: str = "", **more: str) -> dict[str, str]:
        return {
            "CODETETHER_DATA_DIR": str(directory / "data"),
            "CODETETHER_TOKENS": self.at("tokens"),
            "CODETETHER_VAULT_ADDR": address or self.vault.url,
            "CODETETHER_VAULT_ROLE_ID": self.role.role_id,
            "CODETETHER_VAULT_SECRET_ID": self.role.secret_id,
            "CODETETHER_VAULT_APPROLE_MOUNT": self.role.mount,
            **more,
        }

    def absent_from(self, said: str) -> bool:
        """Whether nothing of it is there, nor of how it was had."""
        return not any(secret in said for secret in (self.token, self.role.role_id, self.role.secret_id, "kept.db?"))


def url_of(program: Program) -> str:
    (url,) = until(lambda: re.findall(r'"url": "([^"]+)"', program.said), "the address")
    return str(url)
