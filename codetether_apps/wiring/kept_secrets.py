"""Secrets that the first start makes and leaves in the data directory, for this user only; later ones find them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from attrs import frozen

from codetether_apps.wiring.data_directory import make_directory, unwritable
from codetether_core.errors import Unavailable

__all__ = ["KeptSecret", "kept_secret"]


@frozen
class KeptSecret:
    """What is in the file, and whether this start made it."""

    path: Path
    text: str
    fresh: bool


def kept_secret(path: Path) -> KeptSecret:
    """The secret in the file; made, of 32 bytes of entropy, if there is none. ``Unavailable`` if it cannot be had."""
    make_directory(path.parent)
    try:
        text = secrets.token_urlsafe(32)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            if not path.exists():
                descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(f"{text}\n")
                os.link(unfinished, path)  # whole, or not at all, and never over another's
                return KeptSecret(path, text, fresh=True)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink(missing_ok=True)
        kept = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise unwritable(path, error) from error
    if not kept:
        raise Unavailable(f"{path} holds nothing", hint="remove the file; the next start makes a new one")
    return KeptSecret(path, kept, fresh=False)
