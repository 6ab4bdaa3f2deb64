"""The port that MCP has besides: where it is taken, and what is said of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import pytest
from structlog.testing import capture_logs

from codetether_apps.process import StartError
from codetether_apps.serving.announcing import announce
from codetether_apps.serving.listening import bound
from codetether_apps.settings import read_settings
from codetether_apps.wiring.credentials import Access

FLAG = "--mcp-port"


class _Nobody:
    """Signs in with nothing that was generated."""

    anonymous = generated = None


@pytest.fixture
def taken() -> Iterator[int]:
    """The default port, which is ours or another program's."""
    port = read_settings(environment={}).mcp.port
    with socket.socket() as ours:
        with suppress(OSError):
            ours.bind(("127.0.0.1", port))
            ours.listen()
        yield port


def test_a_port_that_nobody_named_is_gone_without(taken: int) -> None:
    settings = read_settings({"server.port": "0"}, environment={})
    with capture_logs() as logs, bound(settings, also=[(taken, FLAG)]) as binds:
        assert [bind.flag for bind in binds] == ["--port"]
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("port_not_served", "warning")
    assert f"port {taken}" in line["reason"]


@pytest.mark.parametrize("alone", [False, True])
def test_one_that_was_named_is_not(taken: int, *, alone: bool) -> None:
    named = {} if alone else {"CODETETHER_MCP_PORT": str(taken)}
    settings = read_settings({"server.port": "0"}, environment=named)
    with pytest.raises(StartError, match="taken"), bound(settings, also=[(taken, FLAG)], alone=alone):
        pass


def test_hosts_are_told_the_whole_address(capsys: pytest.CaptureFixture[str]) -> None:
    named = {"CODETETHER_MCP_PREFIX": "/api", "CODETETHER_BASE_PATH": "/team"}
    settings = read_settings({"server.port": "0"}, environment=named)
    with bound(settings, also=[(0, FLAG)]) as binds:
        announce(binds, settings, cast(Access, _Nobody()), people=True)
    assert f"{binds[1].url}/team/api/mcp/v1/rpc\n" in capsys.readouterr().out
