"""What the server and the network complain of, in our words."""

from __future__ import annotations

import os
from ssl import SSLCertVerificationError, SSLError
from typing import Final, TypeAlias

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    TimeoutError,
    TryAgainError,
)

from codetether_core.errors import Unavailable

__all__ = ["LOST", "NotKept", "failure", "is_moving", "is_passing"]


class NotKept(TimeoutError):
    """What was asked was done, and not kept in time as strict durability wants it."""


LOST: Final = (ConnectionError, TimeoutError, OSError, EOFError)
"""The connection is gone; what was asked may have been done."""

_PASSING: Final = (*LOST, ClusterDownError, TryAgainError, ReadOnlyError, MasterDownError, AskError)
_HALF: Final = "non local key"
"""What a script says that does not find all keys of the shard."""

_REFUSED: Final = (AuthenticationError, AuthorizationError, NoPermissionError)
"""The server knows us, and wants none of it: asking again is of no use."""

_WAIT_FOR_IT: Final = "look at CLUSTER NODES, and let Valkey 9 move slots as a whole (CLUSTER MIGRATESLOTS)"

_Kind: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]

_COMPLAINTS: Final[tuple[tuple[_Kind | str, str, str], ...]] = (
    (
        NoPermissionError,
        "forbids its user something: {}",
        "allow PREFIX:* as keys and channels, and all commands but @admin and @dangerous, of those INFO and CONFIG GET",
    ),
    (_REFUSED, "refuses us: {}", "correct the user and the password in its address"),
    (
        SSLError,
        "and this program do not come to terms in TLS: {}",
        "look at ca, cert and key in its address, and at what the server's certificate is for",
    ),
    (BusyLoadingError, "still loads its data", "wait until it has, or look at its log"),
    (
        ClusterDownError,
        "belongs to a cluster that is down",
        "start its masters, or let their replicas take over; what was accepted is kept there",
    ),
    (
        (TryAgainError, AskError),
        "moves our keys to another server, and that takes too long",
        _WAIT_FOR_IT,
    ),
    (_HALF, "moves our keys to another server, and that takes too long", _WAIT_FOR_IT),
    (OutOfMemoryError, "is full", "give it more memory; nothing that was accepted is lost"),
    (ReadOnlyError, "is a replica, which takes no writes", "name the primary server"),
    (
        NotKept,
        "did not keep what it was told: {}",
        "see that its replicas have appendonly yes and keep up, or do without strict durability",
    ),
    (
        "NOREPLICAS",
        "takes no writes without a replica (min-replicas-to-write)",
        "start its replicas; nothing that was accepted is lost",
    ),
    (
        "WRONGTYPE",
        "has keys of another program among ours",
        "add prefix=another to its address, or name another database",
    ),
    ("DB index", "has no database of that number", "correct the number at the end of its address"),
    ("max number of clients", "has no connection left", "raise maxclients on the server, or run fewer replicas"),
    (
        LOST,
        "does not answer: {}",
        "start it, or look at the address and the network; what was accepted is kept there",
    ),
    (BaseException, "failed: {}", "look at the server's log"),
)
"""The kind of an error, or words in it; what we say, and the next step. The first that fits counts."""

_SILENCE: Final = ("Connection closed by server", "Connection reset by peer", "Timeout connecting to server")
"""What is heard of a server that is spoken to in another way than it speaks itself."""


def is_passing(error: BaseException) -> bool:
    """Whether it looks like a failover, a restart or a moving slot: ask again a little later, perhaps elsewhere."""
    return (isinstance(error, _PASSING) and not isinstance(error, _REFUSED)) or is_moving(error)


def is_moving(error: BaseException) -> bool:
    """Whether the slot is on its way to another server, key by key: some of its keys are here and some are there.

    Nobody follows them there (``ASK``): our scripts want all the keys of a shard, or they do half of what they shall.
    """
    return (isinstance(error, AskError | TryAgainError) and not isinstance(error, MovedError)) or _HALF in str(error)


def failure(error: BaseException, name: str, what: str = "store", *, tls: bool = False) -> Unavailable:
    """The complaint with the next step; ``name`` says which server, ``what`` it is to us, ``tls`` how we speak."""
    cause = _cause(error)
    said = _said(cause)
    told, hint = next(
        (told, hint)
        for kind, told, hint in _COMPLAINTS
        if (kind in said if isinstance(kind, str) else isinstance(error, kind) or isinstance(cause, kind))
    )
    if said in _SILENCE:
        hint += "; it may speak no TLS, or want a certificate" if tls else "; or write rediss://, if it speaks TLS"
    return Unavailable(f"The Redis {what} at {name} {told.format(said)}", hint=hint)


def _cause(error: BaseException) -> BaseException:
    """What the system or TLS complained of, where the driver only passes that on."""
    cause = error.__cause__ or error.__context__
    return cause if isinstance(error, ConnectionError) and isinstance(cause, OSError) else error


def _said(error: BaseException) -> str:
    """In as few words as possible."""
    if isinstance(error, SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    if isinstance(error, SSLError):
        return (error.reason or str(error.strerror).partition(" (_ssl")[0]).lower().replace("_", " ")
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error).partition(" script: ")[0].rstrip(".") or type(error).__name__
