"""Kinds of settings: what a text (or a TOML value) means, and how a value is written.

``read`` raises ``ValueError`` with what would be right, in words that follow "must be"; it never repeats the value,
which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from attrs import frozen

__all__ = [
    "FLAG",
    "KEY",
    "NETWORKS",
    "PATH",
    "PATHS",
    "POLICY",
    "PORT",
    "RATE",
    "SECRET",
    "SWITCH",
    "TEXT",
    "Kind",
    "choice",
    "integer",
    "items",
    "pairs",
    "url",
]

T = TypeVar("T")


@frozen
class Kind(Generic[T]):
    """``name`` is for the documentation; ``many`` marks lists, which a flag may be repeated for."""

    name: str
    read: Callable[[object], T]
    show: Callable[[T], str] = str
    many: bool = False


_SHORTEST_KEY: Final = 32
_RATE: Final = re.compile(r"[1-9][0-9]{0,8}/(second|minute|hour|day)", re.ASCII)
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_SECRET_OPTION: Final = re.compile("([?&][^=&#]*(?:pass|secret|token)[^=&#]*=)[^&#]*", re.IGNORECASE)


def _text(raw: object) -> str:
    if isinstance(raw, str) and raw.strip():
        return raw.strip()
    raise ValueError("a text that is not empty")


def _key(raw: object) -> str:
    text = _text(raw)
    if len(text) < _SHORTEST_KEY:
        raise ValueError(f"a secret of {_SHORTEST_KEY} characters at least, such as `openssl rand -base64 32` makes")
    return text


def _policy(raw: object) -> str:
    text = _text(raw)
    if text in ("rego", "roles") or text.startswith(("file:///", "opa+http://", "opa+https://")):
        return text
    raise ValueError("rego, roles, file:///PATH or opa+http://HOST:PORT")


def _rate(raw: object) -> str:
    text = _text(raw).lower()
    if text != "none" and not _RATE.fullmatch(text):
        raise ValueError("a rate such as 100/minute (second, minute, hour or day), or none")
    return text


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError("addresses or networks such as 10.0.0.0/8, with commas between") from None


def _flag(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word not in _TRUE | _FALSE:
        raise ValueError("true or false")
    return word in _TRUE


def _switch(raw: object) -> bool:
    try:
        return _flag(raw)
    except ValueError:
        raise ValueError("on or off") from None


def _path(raw: object) -> Path:
    return Path(_text(raw)).expanduser().absolute()


def _without_password(url: str) -> str:
    """Also where it stands among the options, or has characters in it that ought to be percent-encoded."""
    url = _SECRET_OPTION.sub(r"\1***", url)
    scheme, _, rest = url.partition("://")
    before, at, place = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    return f"{scheme}://{user}:***@{place}" if at and colon else url


def integer(low: int, high: int, name: str = "number") -> Kind[int]:
    """A whole number within bounds."""

    def read(raw: object) -> int:
        if isinstance(raw, str):
            try:
                raw = int(raw)
            except ValueError:
                raw = None
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return raw

    return Kind(name, read)


def url(example: str) -> Kind[str]:
    """A URL with a scheme."""

    def read(raw: object) -> str:
        text = _text(raw)
        if not urlsplit(text).scheme or "://" not in text:
            raise ValueError(f"a URL with a scheme, such as {example}")
        return text

    return Kind("URL", read, _without_password)


def choice(*words: str) -> Kind[str]:
    """One of a few words."""

    def read(raw: object) -> str:
        word = raw.strip().lower() if isinstance(raw, str) else ""
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return Kind(" or ".join(words), read)


def items(name: str, one: Callable[[str], T], show: Callable[[T], str] = str) -> Kind[tuple[T, ...]]:
    """A list: texts with commas between, or an array in TOML."""

    def read(raw: object) -> tuple[T, ...]:
        if isinstance(raw, str):
            raw = raw.split(",")
        if not isinstance(raw, Iterable):
            raise ValueError(f"{name}, with commas between")
        texts = [_text(each) for each in raw if each != ""]
        return tuple(one(text) for text in texts)

    def write(values: Iterable[Any]) -> str:
        return ",".join(show(value) for value in values)

    return Kind(name, read, write, many=True)


def pairs(example: str) -> Kind[Mapping[str, str]]:
    """``name=value``, commas between."""

    def read(raw: object) -> tuple[str, str]:
        name, equals, value = _text(raw).rpartition("=")
        if not (name.strip() and equals and value.strip()):
            raise ValueError(f"{example}, with commas between")
        return name.strip(), value.strip()

    several = items(f"{example} list", read)
    return Kind(
        several.name,
        lambda raw: MappingProxyType(dict(several.read(raw))),
        lambda known: ",".join(f"{name}={value}" for name, value in known.items()),
        many=True,
    )


TEXT: Final = Kind("text", _text)
SECRET: Final = Kind("text", _text, lambda value: "***")
KEY: Final = Kind("key", _key, lambda value: "***")
RATE: Final = Kind("rate", _rate)
NETWORKS: Final = items("network list", _network)
POLICY: Final = Kind("policy", _policy)
FLAG: Final = Kind("true or false", _flag, lambda value: "true" if value else "false")
SWITCH: Final = Kind("on or off", _switch, lambda value: "on" if value else "off")
PATH: Final = Kind("path", _path)
PATHS: Final = items("path list", _path)
PORT: Final = integer(0, 65_535, "port")
