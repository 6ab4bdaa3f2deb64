"""The forms in which a secret is looked for, and what stands in its place.

A secret is found as it is, as JSON writes it (twice over, too: JSON within JSON), in base64 wherever in the encoded
bytes it stands, and percent-encoded. Of one that has several lines long words with digits are looked for as well, for
many a reader knows no more than a line at a time. The mark has brackets that no secret may have, so that text beside a
mark never makes up a secret.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from string import ascii_letters, digits
from typing import Final

from codetether_core.errors import Invalid

__all__ = ["LONGEST", "SHORTEST", "forms", "mark", "require_secret"]

SHORTEST: Final = 8
"""Characters that a secret has at least: shorter ones would be found everywhere."""

LONGEST: Final = 16_384

_LONGEST_NAME: Final = 64
_NAME: Final = frozenset(f"{ascii_letters}{digits}._-")
_UNRESERVED: Final = frozenset(f"{ascii_letters}{digits}-._~".encode())
_OF_COMPONENTS: Final = _UNRESERVED | frozenset(b"!'()*")
"""What browsers leave as it is (``encodeURIComponent``)."""

_OPEN: Final = "⟦"
_CLOSE: Final = "⟧"
_SHORTEST_WORD: Final = 16
_URL_SAFE: Final = str.maketrans("+/", "-_")
_ESCAPED_SLASH: Final = "\\/"


def mark(name: str) -> str:
    """What is told in place of a secret."""
    return f"{_OPEN}redacted:{name}{_CLOSE}"


def require_secret(name: str, value: str) -> None:
    """``Invalid`` for a name or a value that could not be kept out of everything."""
    if not 0 < len(name) <= _LONGEST_NAME or not _NAME.issuperset(name):
        raise Invalid("name", f"must have 1 to {_LONGEST_NAME} letters, digits, dots, dashes or underscores")
    if not SHORTEST <= len(value) <= LONGEST:
        raise Invalid(
            "value", f"must have {SHORTEST} to {LONGEST} characters", hint="shorter ones are found everywhere"
        )
    if value != value.strip():
        raise Invalid("value", "must not begin or end with blanks or empty lines")
    if _OPEN in value or _CLOSE in value or value in mark(name):
        raise Invalid("value", f"must not be a part of {mark(name)}, which stands in its place")
    if "\0" in value:
        raise Invalid("value", "must not have NUL in it", hint="no environment can hand it on")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid("value", "must be Unicode text") from None


def forms(value: str) -> frozenset[str]:
    """All texts that tell the secret."""
    plain = {value, *(filter(_telling, value.split()) if "\n" in value else ())}
    return frozenset(form for each in plain for form in (each, *_json(each), *_base64(each), *_percent(each)))


def _telling(word: str) -> bool:
    """Whether a word of a secret that has several lines is one by itself, rather than what such texts are made of."""
    return len(word) >= _SHORTEST_WORD and not word.isalpha() and any(map(str.isdigit, word))


def _json(value: str) -> Iterator[str]:
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (once, once.replace("/", _ESCAPED_SLASH), json.dumps(once, ensure_ascii=ascii_only)[1:-1])


def _base64(value: str) -> Iterator[str]:
    """Whatever stands before and after it: the characters that are the secret's alone, for each place in a triple."""
    data = value.encode()
    for before in range(3):
        whole = b64encode(bytes(before) + data).decode()
        own = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield from (own, own.translate(_URL_SAFE))


def _percent(value: str) -> Iterator[str]:
    data = value.encode()
    for letters in ("%{:02X}", "%{:02x}"):
        for kept in (_UNRESERVED, _OF_COMPONENTS):
            quoted = "".join(chr(byte) if byte in kept else letters.format(byte) for byte in data)
            yield from (quoted, quoted.replace("%20", "+"), quoted.replace("%2F", "/").replace("%2f", "/"))
