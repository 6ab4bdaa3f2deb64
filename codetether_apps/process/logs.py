"""Logs: to stderr, as text on a terminal and as JSON lines elsewhere, the libraries' own included."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.dev import plain_traceback

from codetether_apps.process.hiding import HIDING
from codetether_apps.settings import Settings

__all__ = ["configure_logs"]


def configure_logs(settings: Settings) -> None:
    """From now on this process logs as the settings say.

    Exceptions are told line by line, without the values of variables: wrapped lines would cut secrets in pieces.
    """
    wanted = settings.process.log_format
    as_json = wanted == "json" or (wanted == "auto" and not sys.stderr.isatty())
    level = getattr(logging, settings.process.log_level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    rendered: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str), HIDING]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback), HIDING]
    )
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    logging.getLogger("codetether_adapters").setLevel(level)
    for library in ("psycopg", "urllib3"):  # they tell of each attempt to connect; we say it once
        logging.getLogger(library).setLevel(logging.ERROR)
