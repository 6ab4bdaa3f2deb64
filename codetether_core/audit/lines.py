"""JSON Lines: a record, with its place in its chain and the head that the chain had with it.

A line is the record's own JSON, byte for byte, with three more members at its end, so that its digest can be made anew.
"""

from __future__ import annotations

import json
import re
from typing import Final

from codetether_core.audit.chain import Link
from codetether_core.errors import Invalid

__all__ = ["line_of", "link_of"]

_PLACE: Final = re.compile(rb',"chain":"([^"\\]*)","number":([1-9]\d{0,17}),"hash":"([0-9a-f]{64})"\}\s*\Z')


def line_of(chain: str, link: Link, head: bytes) -> bytes:
    """A record as a line; ``head`` is that of the chain with it."""
    place = f',"chain":{json.dumps(chain)},"number":{link.number},"hash":"{head.hex()}"}}\n'
    return link.body.removesuffix(b"}") + place.encode()


def link_of(line: bytes) -> tuple[str, Link, bytes]:
    """The chain, the record and the head of a line; ``Invalid`` for a text that is none."""
    found = _PLACE.search(line)
    if found is None:
        raise Invalid("", "is no line of an audit trail")
    name, number, head = found.groups()
    try:
        chain = name.decode()
    except UnicodeDecodeError:
        raise Invalid("", "is no line of an audit trail") from None
    return chain, Link(int(number), line[: found.start()] + b"}"), bytes.fromhex(head.decode())
