"""``codetether worker``: runs tasks on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

import structlog

from codetether_apps.process import configure_logs, run_or_explain, stop_signals, warn_of_misspelt_variables
from codetether_apps.settings import Settings, settings_from_flags

__all__ = ["main"]

_log = structlog.get_logger(__name__)

_SECTIONS = ("storage", "client", "worker", "process")


def main(argv: Sequence[str] | None = None) -> int:
    """Work until asked to leave; the exit code."""
    return run_or_explain(partial(settings_from_flags, "codetether worker", __doc__ or "", _SECTIONS, argv), _run)


async def _run(settings: Settings) -> None:
    from codetether_apps.wiring.secret_sources import WORKERS, open_secrets
    from codetether_apps.working import open_worker

    configure_logs(settings)
    warn_of_misspelt_variables()
    with stop_signals() as stopping:
        async with open_secrets(settings, WORKERS, stopping) as settings, open_worker(settings) as worker:
            _log.info("working", name=worker.registration.name, agents=worker.registration.agents)
            await worker.run(stopping)


if __name__ == "__main__":
    sys.exit(main())
