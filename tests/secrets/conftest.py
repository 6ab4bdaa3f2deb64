"""A vault, and programs that end with the test that started them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apps.conftest import Launch, launch
from tests.secrets.kept import Secrets
from tests.servers.vault import VaultServer, own_vault

__all__ = ["Launch", "launch"]


@pytest.fixture
def vault() -> VaultServer:
    """A real one, that the tests of this process share."""
    return own_vault()


@pytest.fixture
def secrets(vault: VaultServer, tmp_path: Path) -> Secrets:
    """Those of one test."""
    return Secrets(vault, tmp_path)
