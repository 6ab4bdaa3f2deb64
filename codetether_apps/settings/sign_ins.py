"""Where this user is signed in: for each server both tokens, in a file of the data directory for this user only."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from attrs import define, field, frozen

from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.sections import Settings
from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["SignIn", "SignIns", "sign_ins", "sign_ins_file"]


@frozen(kw_only=True)
class SignIn:
    """The token for requests to a server, good until ``expires_at``, and the one that renews both."""

    server: str
    username: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


@define
class SignIns:
    """What the file has, while no other process changes it."""

    _file: Path
    _known: Sequence[SignIn]

    def at(self, server: str) -> SignIn | None:
        """That at a server, if there is one."""
        return next((each for each in self._known if each.server == server), None)

    def keep(self, sign_in: SignIn) -> None:
        """From now on this one at its server."""
        self._write([*(each for each in self._known if each.server != sign_in.server), sign_in])

    def forget(self, server: str) -> None:
        """None any more at that server."""
        self._write(each for each in self._known if each.server != server)

    def _write(self, known: Iterable[SignIn]) -> None:
        self._known = [*known]
        unfinished = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as writer:
            json.dump(codec.dump(self._known), writer, indent=2)
        unfinished.replace(self._file)


@contextmanager
def sign_ins(settings: Settings) -> Iterator[SignIns]:
    """Those of this user; ``SettingsError`` if the file cannot be had."""
    file = sign_ins_file(settings)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield SignIns(file, _read(file))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise SettingsError(f"{file} cannot be used: {error.strerror}") from None


def sign_ins_file(settings: Settings) -> Path:
    """Where they are kept."""
    return settings.storage.data_dir / "sign-ins.json"


def _read(file: Path) -> Sequence[SignIn]:
    try:
        return codec.parse(list[SignIn], json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()
    except (ValueError, Invalid) as error:
        raise SettingsError(f"{file} cannot be read: {error}", hint="remove it, and sign in again") from None
