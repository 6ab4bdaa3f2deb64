"""The card as a document of the web: since when it is as it is, and whether a client has it already (RFC 9110)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a_wire.encoding import encode

__all__ = ["MAX_AGE", "Page", "page_of"]

MAX_AGE: Final = 300
"""For how many seconds nobody needs to ask again."""


@frozen(kw_only=True)
class Page:
    """A card. ``tag`` is weak: it stands for what the card says, which its signatures, new each time, say again."""

    body: bytes
    tag: str
    changed: datetime

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What is to be known of it."""
        return (
            (b"etag", self.tag.encode()),
            (b"last-modified", format_datetime(self.changed, usegmt=True).encode()),
            (b"cache-control", b"public, max-age=%d" % MAX_AGE),
        )

    def is_known(self, if_none_match: str | None, if_modified_since: str | None) -> bool:
        """Whether a client that says so has it; dates only count where no tag is given (section 13.2.2)."""
        if if_none_match is not None:
            told = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
            return "*" in told or self.tag.removeprefix("W/") in told
        since = _moment(if_modified_since)
        return since is not None and self.changed.replace(microsecond=0) <= since


def page_of(card: Mapping[str, Any], changed: datetime) -> Page:
    """A card that is as it is since then."""
    unsigned = {name: member for name, member in card.items() if name != "signatures"}
    tag = sha256(encode(unsigned)).hexdigest()[:32]
    return Page(body=encode(card), tag=f'W/"{tag}"', changed=changed)


def _moment(text: str | None) -> datetime | None:
    """A date as HTTP has it; nothing for what is none."""
    try:
        at = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):  # a field may be a number that no integer of C holds
        return None
    return at if at.tzinfo is not None else None
