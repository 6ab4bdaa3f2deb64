"""Settings of encryption."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import Final

from attrs import field, frozen

from codetether_apps.settings.kinds import SWITCH, Kind, items
from codetether_apps.settings.setting import setting

__all__ = ["KEY_BYTES", "NAMED_KEYS", "Encryption", "GivenKey"]

KEY_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


@frozen
class GivenKey:
    """A key of the installation, under which data keys are encrypted, and its name."""

    id: str
    key: bytes = field(repr=False)

    def __str__(self) -> str:
        """As the setting has it."""
        return f"{self.id}:{b64encode(self.key).decode()}"


def _given(text: str) -> GivenKey:
    name, _, encoded = text.partition(":")
    try:
        key = b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES or not _NAME.fullmatch(name.strip()):
        raise ValueError("name:key, the key being 32 bytes in base64, as `codetether encryption new-key` prints it")
    return GivenKey(name.strip(), key)


def _distinct(kind: Kind[tuple[GivenKey, ...]]) -> Kind[tuple[GivenKey, ...]]:
    """The same kind, that refuses a name given to two keys."""

    def read(raw: object) -> tuple[GivenKey, ...]:
        given = kind.read(raw)
        if len({each.id for each in given}) < len(given):
            raise ValueError("keys of different names")
        return given

    return Kind(kind.name, read, lambda given: ",".join(f"{each.id}:***" for each in given), many=True)


NAMED_KEYS: Final = _distinct(items("name:key list", _given))
"""Several keys, each with a name of its own."""


@frozen(kw_only=True)
class Encryption:
    """What is encrypted, and under which keys."""

    at_rest: bool = setting(
        False, SWITCH,
        "Encrypt what people and agents write: tasks, output, files, sessions, messages, approvals; it cannot be"
        " searched then",
        env="ENCRYPT", shown="off",
    )  # fmt: skip

    keys: tuple[GivenKey, ...] = setting(
        (), NAMED_KEYS,
        "Keys under which the keys of what is encrypted are encrypted, `name:key`, commas between; the first from now"
        " on, the others for what is under them. The same on every server of a store",
        env="ENCRYPTION_KEYS", secret=True, shown="one made of `auth.secret_key`",
    )  # fmt: skip
