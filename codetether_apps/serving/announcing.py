"""Saying where the server is and how to sign in: to people on a terminal, else in the log, and never a token there."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from codetether_apps.serving.listening import Bind
from codetether_apps.settings import Settings
from codetether_apps.wiring.credentials import Access

__all__ = ["announce"]

_MCP: Final = "/mcp/v1/rpc"

_log = structlog.get_logger(__name__)


def announce(
    binds: Sequence[Bind], settings: Settings, access: Access, *, people: bool = False, agents: Sequence[str] = ()
) -> None:
    """The server listens on ``binds``. With ``people`` they are told even where there is no terminal.

    ``agents`` are those of the worker in this process.
    """
    if plain := [given.name for given in settings.auth.tokens if given.by_default]:
        hint = "name:token:role in CODETETHER_TOKENS says what an entry may do"
        _log.info("tokens_without_role", names=plain, roles=["editor", "worker"], hint=hint)
    if access.anonymous is not None:
        _log.warning("authentication_off", danger="every program and user of this machine can run commands here")
    generated, terminal = access.generated, sys.stderr.isatty()
    if not terminal:
        token_file = str(generated.path) if generated else None
        worker = {"agents": agents} if agents else {}
        named = {"mtls_urls": [*_urls(binds, "--mtls-port")], "mcp_urls": [*_urls(binds, "--mcp-port")]}
        more = {name: urls for name, urls in named.items() if urls}
        _log.info("listening", url=binds[0].url, **more, store=settings.store_shown, token_file=token_file, **worker)
    if people or terminal:
        print(
            "\n".join(_words(binds, settings, access, agents, terminal=terminal)),
            file=sys.stdout if people else sys.stderr,
            flush=True,
        )


def _urls(binds: Sequence[Bind], flag: str) -> Iterator[str]:
    return (bind.url for bind in binds if bind.flag == flag)


def _words(
    binds: Sequence[Bind], settings: Settings, access: Access, agents: Sequence[str], *, terminal: bool
) -> Iterator[str]:
    yield f"CodeTether listens on {binds[0].url}"
    for url in _urls(binds, "--mtls-port"):
        yield f"Clients that have a certificate may also use {url}"
    for url in _urls(binds, "--mcp-port"):
        yield f"Hosts of MCP find it at {url}{settings.server.base_path.rstrip('/')}{settings.mcp.prefix}{_MCP}"
    generated = access.generated
    if access.anonymous is not None:
        yield "Everybody on this machine may use it: authentication is off"
    elif generated and generated.fresh and terminal:
        yield f"Sign in with this token, which is kept in {generated.path}:\n\n    {generated.text}\n"
    elif generated:
        yield f"Sign in with the token in {generated.path}"
    else:
        yield "Sign in with one of your tokens (CODETETHER_TOKENS)"
    if agents:
        yield f"Its worker runs the agents {', '.join(agents)}; [agents.NAME] in codetether.toml adds another"
