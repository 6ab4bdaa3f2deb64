"""The address of the store, taken apart."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from attrs import field, frozen

from codetether_core.errors import Invalid

__all__ = ["Address", "Server", "address"]

Server = tuple[str, int]
"""A host and a port."""

_SCHEMES: Final = ("redis", "rediss", "redis+cluster", "rediss+cluster")
_FILES: Final = ("ca", "cert", "key")
_OPTIONS: Final = ("prefix", "shards", *_FILES)
_HINT: Final = "redis://host:6379/0, or redis+cluster://host:7000,host:7001; options: " + ", ".join(_OPTIONS)
_ESCAPED: Final = "in a password write % / # ? @ as %25 %2F %23 %3F %40"
_MOST_SHARDS: Final = 64
_CLUSTER_SHARDS: Final = 16


@frozen(kw_only=True)
class Address:
    """Where the store is, who we are there, and how it is used.

    ``prefix`` begins every key, so that several stores may share a server. ``shards`` is how many a new store gets,
    and ``chosen`` whether the address says so. ``ca``, ``cert`` and ``key`` name files for TLS.
    """

    servers: tuple[Server, ...]
    cluster: bool = False
    tls: bool = False
    db: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    prefix: str = "ct"
    shards: int = 1
    chosen: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @property
    def name(self) -> str:
        """The servers, for messages; never the password."""
        return ", ".join(f"{host}:{port}" for host, port in self.servers)


def address(url: str) -> Address:
    """Read an address; ``Invalid`` says what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise Invalid("store", f"must begin with one of: {', '.join(_SCHEMES)}", hint=_HINT)
    cluster = parts.scheme.endswith("+cluster")
    login, _, places = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    servers = tuple(_server(place) for place in places.split(","))
    if len(servers) > 1 and not cluster:
        raise Invalid("store", "names several servers, which only a cluster has", hint=_HINT)
    options = _options(parts)
    files = [name for name in _FILES if name in options]
    tls = parts.scheme.startswith("rediss")
    if files and not tls:
        raise Invalid("store", f"names {' and '.join(files)}, and speaks no TLS", hint="write rediss instead of redis")
    if "key" in files and "cert" not in files:
        raise Invalid("store", "names a key and no certificate for it", hint="add cert=FILE")
    return Address(
        servers=servers,
        cluster=cluster,
        tls=tls,
        db=_database(parts.path, cluster),
        user=unquote(user) or None,
        password=unquote(password) or None,
        prefix=options.get("prefix", "ct"),
        shards=_shards(options.get("shards", ""), cluster),
        chosen="shards" in options,
        **{name: options[name] for name in files},
    )


def _server(place: str) -> Server:
    host, port = place, 6379
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        given = rest.removeprefix(":")
    else:
        host, _, given = place.partition(":")
    if given.isascii() and given.isdigit() and int(given) < 65536:
        port = int(given)
    elif given:
        raise Invalid("store", "has a port that is no number below 65536", hint=_ESCAPED)
    if not host:
        raise Invalid("store", "names no server", hint=_HINT)
    return host, port


def _database(path: str, cluster: bool) -> int:
    text = path.removeprefix("/") or "0"
    if not (text.isascii() and text.isdigit()) or (cluster and int(text)):
        problem = "names a database, and a cluster has one only" if cluster else "names a database that is no number"
        raise Invalid("store", problem, hint=_HINT)
    return int(text)


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - {*_OPTIONS})
    if unknown:
        raise Invalid("store", f"has options that are not known: {', '.join(unknown)}", hint=_HINT)
    prefix = options.get("prefix", "ct")
    if not prefix or {*prefix} & {*"{}"}:
        raise Invalid("store", "has a prefix that is empty or has braces in it", hint=_HINT)
    absent = [options[name] for name in _FILES if name in options and not Path(options[name]).is_file()]
    if absent:
        raise Invalid("store", f"names files that are not there: {', '.join(absent)}", hint=_HINT)
    return options


def _shards(text: str, cluster: bool) -> int:
    if not text:
        return _CLUSTER_SHARDS if cluster else 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_SHARDS):
        raise Invalid("store", f"must have from 1 to {_MOST_SHARDS} shards", hint=_HINT)
    return int(text)
