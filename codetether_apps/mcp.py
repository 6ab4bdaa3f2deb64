"""``codetether mcp``: MCP beside a server, which it is passed on to.

On a port of its own each client shows its own token. With ``--stdio`` it is spoken over standard input and output, for
hosts that start it themselves, and the token is the user's.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import structlog

from codetether_apps.process import configure_logs, run_or_explain, stop_signals, warn_of_misspelt_variables
from codetether_apps.settings import Settings, settings_from_flags

if TYPE_CHECKING:
    from codetether_adapters.client.relay import RawHeaders, Relayed

__all__ = ["main"]

_log = structlog.get_logger(__name__)

_SECTIONS = ("client", "mcp", "process", "server")
_STDIO = "--stdio"


def main(argv: Sequence[str] | None = None, token: Callable[[Settings], str | None] | None = None) -> int:
    """Pass on until asked to leave; the exit code. ``token`` finds the user's, if it is to be had elsewhere."""
    given = sys.argv[1:] if argv is None else [*argv]
    flags = [flag for flag in given if flag != _STDIO]
    run = partial(_over_stdio, token or _given) if _STDIO in given else _over_http
    return run_or_explain(partial(settings_from_flags, "codetether mcp", __doc__ or "", _SECTIONS, flags), run)


async def _over_http(settings: Settings) -> None:
    from codetether_adapters.client.relay import open_relay
    from codetether_adapters.http import Limits
    from codetether_adapters.http.site import Site
    from codetether_apps.serving import open_front, open_tls, reloading
    from codetether_apps.serving.relaying import Relaying
    from codetether_apps.settings import client_tls

    configure_logs(settings)
    warn_of_misspelt_variables()
    tls = open_tls(settings)
    with stop_signals() as stopping:
        async with (
            reloading(tls),
            open_relay(settings.client.server, tls=client_tls(settings, certificate=False)) as relay,
            open_front(settings, tls, stopping, also=[(settings.mcp.port, "--mcp-port")], alone=True) as front,
        ):
            limits = Limits(body=settings.server.body_limit, patience=settings.server.upload_timeout)
            (bind,) = front.listen()
            _log.info("listening", url=bind.url, server=relay.server.shown)
            site = Site(public=settings.server.public_url or "", trusted=settings.server.trusted_proxies)
            await front.serve(Relaying(relay, front.drain, limits, settings.mcp.prefix, site))


def _given(settings: Settings) -> str | None:
    from codetether_apps.settings import client_token
    from codetether_apps.wiring.secret_sources import CLIENTS, with_secrets

    settings = with_secrets(settings, CLIENTS)
    return settings.client.token or client_token(settings)


async def _over_stdio(token: Callable[[Settings], str | None], settings: Settings) -> None:
    from codetether_adapters.client.outgoing import header_value
    from codetether_adapters.client.relay import open_relay
    from codetether_adapters.mcp.stdio import StdioProxy
    from codetether_apps.process.lines import lines_of, writing_to
    from codetether_apps.settings import client_tls
    from codetether_apps.wiring.mcp import RPC

    configure_logs(settings)
    path, tls = f"{settings.mcp.prefix}{RPC}", client_tls(settings)
    await asyncio.to_thread(token, settings)  # what is wrong with it is said before anything is asked
    with stop_signals() as stopping:
        async with open_relay(settings.client.server, tls=tls, personal=True) as relay:

            @asynccontextmanager
            async def post(headers: RawHeaders, body: bytes) -> AsyncGenerator[Relayed, None]:
                shown = await asyncio.to_thread(token, settings)  # as it is now: one that was got by a login runs out
                own = [(b"authorization", header_value("token", f"Bearer {shown}"))] if shown else []
                async with relay.send("POST", path, [*headers, *own], body) as answer:
                    yield answer

            proxy = StdioProxy(post=post, write=writing_to(sys.stdout.buffer))
            await proxy.run(lines_of(sys.stdin.buffer, stopping))


if __name__ == "__main__":
    sys.exit(main())
