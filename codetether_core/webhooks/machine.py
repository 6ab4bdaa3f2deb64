"""The life of a webhook, as one table.

It is *active* until somebody begins to deliver, and *delivering* while that one has the lease; whoever falls silent is
followed by the next one who begins. When its task's end has been told it is *done*, when the receiver could not be
reached for too long it is *dead*, until somebody revives it. To configure it anew is possible at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["TRANSITIONS", "Trigger", "WebhookState"]


class WebhookState(StrEnum):
    """Where a webhook stands."""

    ACTIVE = "active"
    DELIVERING = "delivering"
    DONE = "done"
    DEAD = "dead"


class Trigger(StrEnum):
    """What may happen to it."""

    CONFIGURE = "configure"
    BEGIN = "begin"
    RENEW = "renew"
    DELIVER = "deliver"
    REST = "rest"
    FAIL = "fail"
    FINISH = "finish"
    GIVE_UP = "give_up"
    REVIVE = "revive"


_S, _T = WebhookState, Trigger

TRANSITIONS: Final[Mapping[tuple[WebhookState, Trigger], WebhookState]] = MappingProxyType(
    {
        (_S.ACTIVE, _T.CONFIGURE): _S.ACTIVE,
        (_S.ACTIVE, _T.BEGIN): _S.DELIVERING,
        (_S.DELIVERING, _T.CONFIGURE): _S.ACTIVE,
        (_S.DELIVERING, _T.BEGIN): _S.DELIVERING,
        (_S.DELIVERING, _T.RENEW): _S.DELIVERING,
        (_S.DELIVERING, _T.DELIVER): _S.DELIVERING,
        (_S.DELIVERING, _T.REST): _S.ACTIVE,
        (_S.DELIVERING, _T.FAIL): _S.ACTIVE,
        (_S.DELIVERING, _T.FINISH): _S.DONE,
        (_S.DELIVERING, _T.GIVE_UP): _S.DEAD,
        (_S.DONE, _T.CONFIGURE): _S.ACTIVE,
        (_S.DEAD, _T.CONFIGURE): _S.ACTIVE,
        (_S.DEAD, _T.REVIVE): _S.ACTIVE,
    }
)
