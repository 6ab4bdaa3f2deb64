"""What the server and the network complain of, in our words."""

from __future__ import annotations

from typing import Final

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from codetether_core.errors import Unavailable

__all__ = ["LOST", "PASSING", "REFUSED", "NotKept", "failure"]


class NotKept(TimeoutError):
    """What was asked was done, and not kept in time as strict durability wants it."""


LOST: Final = (ConnectionError, TimeoutError, OSError, EOFError)
"""The connection is gone; what was asked may have been done."""

PASSING: Final = (*LOST, ClusterDownError, TryAgainError, ReadOnlyError, MasterDownError, MovedError, AskError)
"""What a failover, a restart or a moving slot looks like: ask again a little later, perhaps elsewhere."""

REFUSED: Final = (AuthenticationError, AuthorizationError, NoPermissionError)
"""The server knows us, and wants none of it: asking again is of no use."""


def failure(error: BaseException, name: str) -> Unavailable:
    """The complaint with the next step; ``name`` says which server."""
    said = str(error) or type(error).__name__
    if isinstance(error, REFUSED):
        message, hint = f"The Redis store at {name} refuses us: {said}", "look at the user and password in its address"
    elif isinstance(error, OutOfMemoryError):
        message, hint = f"The Redis store at {name} is full", "give it more memory; nothing that was accepted is lost"
    elif isinstance(error, ReadOnlyError):
        message, hint = f"The Redis store at {name} is a replica, which takes no writes", "name the primary server"
    elif isinstance(error, NotKept):
        message = f"The Redis store at {name} did not keep what it was told: {said}"
        hint = "see that its replicas have appendonly yes and keep up, or do without strict durability"
    elif said.startswith("NOREPLICAS"):
        message = f"The Redis store at {name} takes no writes without a replica (min-replicas-to-write)"
        hint = "start its replicas; nothing that was accepted is lost"
    elif isinstance(error, LOST):
        message = f"The Redis store at {name} does not answer: {said}"
        hint = "start it, or look at the address and the network; what was accepted is kept there"
        if "SSL" in said:
            hint = "look at ca, cert and key in its address, and at the server's certificate"
    elif isinstance(error, ResponseError | RedisError):
        message, hint = f"The Redis store at {name} failed: {said}", "look at the server's log"
    else:
        message, hint = f"The Redis store at {name} failed: {said}", ""
    return Unavailable(message, hint=hint)
