"""What stands for a secret in a setting: where the secret is kept, as ``vault:MOUNT/PATH#FIELD``."""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import field, frozen

from codetether_apps.settings.kinds import Kind
from codetether_apps.settings.setting import Setting

__all__ = ["VAULT", "Reference", "reference_in"]

VAULT: Final = "vault"
"""The scheme, and the section of the settings that says where that is: nothing in that one can be kept there."""

_SHAPE: Final = re.compile(rf"{VAULT}:([^\s/#?]+/[^\s#?]+#[^\s#]+)")


@frozen
class Reference:
    """It takes the place of a value until that is read, so that nobody takes a default for it: any use of it fails.

    ``kind`` is how the value is to be read then.
    """

    name: str
    kind: Kind[Any] = field(repr=False, eq=False)

    def __str__(self) -> str:
        return f"{VAULT}:{self.name}"


def reference_in(row: Setting, kind: Kind[Any], raw: object) -> Reference | None:
    """The reference that was given for a secret, if it is one; ``ValueError`` if it fails to be one.

    A list may begin with a name, and somebody may be called ``vault``.
    """
    if not (row.secret and isinstance(raw, str) and raw.strip().startswith(f"{VAULT}:")):
        return None
    shape = _SHAPE.fullmatch(raw.strip())
    if shape is None and kind.many:
        return None
    if shape is None:
        raise ValueError(f"{VAULT}:MOUNT/PATH#FIELD where it is kept in a vault")
    if row.name.startswith(f"{VAULT}."):
        raise ValueError("the secret itself: it opens the vault, so it cannot be kept there")
    return Reference(shape[1], kind)
