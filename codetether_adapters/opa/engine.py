"""Regorus, an engine for Rego in this process.

An engine belongs to the thread that made it, and panics in any other, even where it is thrown away; so each thread
keeps its own, for as long as it lives.
"""

from __future__ import annotations

from threading import local
from typing import Final, TypeAlias

import regorus

__all__ = ["Modules", "engine_of", "first_lines"]

_OWN: Final = local()

Modules: TypeAlias = tuple[tuple[str, str], ...]
"""Names of files, and the Rego in them."""


def engine_of(modules: Modules) -> regorus.Engine:
    """This thread's, with these modules; ``RuntimeError`` if they do not compile."""
    try:
        engines: dict[Modules, regorus.Engine] = _OWN.engines
    except AttributeError:
        engines = _OWN.engines = {}
    if modules not in engines:
        engine = regorus.Engine()
        try:
            for name, module in modules:
                engine.add_policy(name, module)
        except RuntimeError:
            del engine  # here and now, rather than wherever the traceback ends
            raise
        engines[modules] = engine
    return engines[modules]


def first_lines(error: BaseException) -> str:
    """What an engine says went wrong, without where it was at that moment."""
    return str(error).partition("Stack backtrace")[0].strip()
