"""``codetether server``: the API alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from codetether_apps.process import configure_logs, run_or_explain, stop_signals, warn_of_misspelt_variables
from codetether_apps.settings import Settings, settings_from_flags

__all__ = ["main"]

_SECTIONS = ("storage", "server", "process")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until asked to leave; the exit code."""
    return run_or_explain(partial(settings_from_flags, "codetether server", __doc__ or "", _SECTIONS, argv), _run)


async def _run(settings: Settings) -> None:
    from codetether_apps.relaying import relaying
    from codetether_apps.serving import announce, open_front, open_tls, reloading
    from codetether_apps.wiring.application import open_application
    from codetether_apps.wiring.secret_sources import SERVERS, open_secrets

    configure_logs(settings)
    warn_of_misspelt_variables()
    tls = open_tls(settings)
    with stop_signals() as stopping:
        async with (
            reloading(tls),
            open_front(settings, tls, stopping) as front,
            open_secrets(settings, SERVERS, stopping, front.wait) as settings,
            open_application(settings, drain=front.drain) as opened,
            relaying(opened.services, opened.delegate, stopping),
        ):
            announce(front.listen(), settings, opened.access)
            await front.serve(opened.application)


if __name__ == "__main__":
    sys.exit(main())
