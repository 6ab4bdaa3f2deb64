"""Peers: agents elsewhere, to which tasks are given over a protocol of theirs."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

__all__ = ["Peer", "SignIn"]


@frozen(kw_only=True)
class SignIn:
    """How a peer knows us: a ``header`` whose value is the ``prefix`` and then the tenant's ``secret`` of that name."""

    header: str
    prefix: str
    secret: str = field(repr=False)


@frozen(kw_only=True)
class Peer:
    """What the card at ``card_url`` said of an agent when it was read.

    The agent is spoken to at ``url``, in the words of the release ``dialect``. ``tenant`` is a word of its own that it
    wants to hear again. It ``streams`` what happens, or has to be asked. Who is ``idempotent`` takes what it is sent
    with the same key but once. The card is ``signed`` if its signature was good.
    """

    card_url: str
    url: str
    dialect: str
    read_at: datetime
    tenant: str = ""
    streams: bool = False
    idempotent: bool = False
    signed: bool = False
    sign_in: SignIn | None = None
