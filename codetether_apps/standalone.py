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

_SECTIONS = ("storage", "server", "worker", "process")
_WORKER = "local-worker"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve and work until asked to leave; the exit code."""
    return run_or_explain(partial(settings_from_flags, "codetether up", __doc__ or "", _SECTIONS, argv), _run)


async def _run(settings: Settings) -> None:
    """The worker leaves first, so that it still has somebody to report to."""
    from codetether_adapters.tokens import StaticToken
    from codetether_apps.serving import announce, bound, listen, open_tls, reloading, serve
    from codetether_apps.wiring.application import open_application
    from codetether_apps.wiring.secret_sources import SERVERS, open_secrets
    from codetether_apps.working import open_worker

    configure_logs(settings)
    warn_of_misspelt_variables()
    tls = open_tls(settings)
    token = secrets.token_urlsafe(32)
    own = StaticToken.of(_WORKER, token, {"worker"})
    async with AsyncExitStack() as stack:
        stopping = stack.enter_context(stop_signals())
        settings = await stack.enter_async_context(open_secrets(settings, SERVERS, stopping))
        opened = await stack.enter_async_context(open_application(settings, [own]))
        await stack.enter_async_context(reloading(tls))
        binds = stack.enter_context(bound(settings, tls))
        mine = tls.mine if tls else None
        worker = await stack.enter_async_context(open_worker(settings, server=binds[0].url, token=token, tls=mine))
        listen(binds)
        announce(binds, settings, opened.access, people=True, agents=worker.registration.agents)
        worked = Stopping()
        serving = asyncio.create_task(serve(opened.application, binds, settings, drain=opened.drain, stopping=worked))
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
