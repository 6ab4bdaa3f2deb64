"""``codetether up``: the server and one worker in one process."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from codetether_apps.process import Stopping, configure_logs, run_or_explain, stop_signals, warn_of_misspelt_variables
from codetether_apps.settings import Settings, settings_from_flags

__all__ = ["main"]

_SECTIONS = ("storage", "server", "mcp", "worker", "process")
_WORKER = "local-worker"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve and work until asked to leave; the exit code."""
    return run_or_explain(partial(settings_from_flags, "codetether up", __doc__ or "", _SECTIONS, argv), _run)


async def _run(settings: Settings) -> None:
    """The worker leaves first, so that it still has somebody to report to."""
    from codetether_adapters.tokens import StaticToken
    from codetether_apps.relaying import relaying
    from codetether_apps.serving import announce, open_front, open_tls, reloading
    from codetether_apps.wiring.application import open_application
    from codetether_apps.wiring.mcp import is_served
    from codetether_apps.wiring.secret_sources import SERVERS, open_secrets
    from codetether_apps.working import open_worker

    configure_logs(settings)
    warn_of_misspelt_variables()
    tls = open_tls(settings)
    token = secrets.token_urlsafe(32)
    own = StaticToken.of(_WORKER, token, {"worker"})
    async with AsyncExitStack() as stack:
        stopping, worked = stack.enter_context(stop_signals()), Stopping()
        await stack.enter_async_context(reloading(tls))
        also = [(settings.mcp.port, "--mcp-port")] if is_served(settings) else []
        front = await stack.enter_async_context(open_front(settings, tls, stopping, worked, also=also))
        settings = await stack.enter_async_context(open_secrets(settings, SERVERS, stopping, front.wait))
        opened = await stack.enter_async_context(open_application(settings, [own], drain=front.drain))
        await stack.enter_async_context(relaying(opened.services, opened.delegate, stopping))
        mine, url = tls.mine if tls else None, front.bind()[0].url
        worker = await stack.enter_async_context(open_worker(settings, server=url, token=token, tls=mine))
        announce(front.listen(), settings, opened.access, people=True, agents=worker.registration.agents)
        serving = asyncio.create_task(front.serve(opened.application))
        working = asyncio.create_task(worker.run(stopping))
        try:
            await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.ask()
            await asyncio.wait({working})
            worked.ask()
            await asyncio.wait({serving})
        working.result()
        serving.result()


if __name__ == "__main__":
    sys.exit(main())
