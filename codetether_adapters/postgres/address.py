"""Where the database is: ``postgresql://user:password@host:port/database``, with libpq's options after it."""

from __future__ import annotations

from typing import Final

import psycopg
from attrs import field, frozen
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from codetether_core.errors import Invalid

__all__ = ["Address"]

_SCHEMES: Final = ("postgresql://", "postgres://")
_HINT: Final = "postgresql://user:password@db.example:5432/codetether"

_DEFAULTS: Final = {
    "application_name": "codetether",
    "client_encoding": "utf8",
    "connect_timeout": "3",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""What the address does not say otherwise: a server that is gone is noticed in seconds."""


@frozen
class Address:
    """``conninfo`` for the driver, and the names that a message may show; never the password. ``setting`` names it."""

    conninfo: str = field(repr=False)
    place: str
    database: str
    user: str
    setting: str

    @classmethod
    def parse(cls, url: str, setting: str = "store") -> Address:
        """Read an address; ``Invalid`` says what is wrong without repeating it."""
        if not url.startswith(_SCHEMES):
            raise Invalid(setting, "must begin with postgresql://", hint=_HINT)
        try:
            given = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
        except (psycopg.Error, ValueError):
            raise Invalid(setting, "is no address that PostgreSQL's client understands", hint=_HINT) from None
        if not given.get("dbname"):
            raise Invalid(setting, "must name a database", hint=_HINT)
        if not all(_is_port(port) for port in _split(given.get("port", ""))):
            raise Invalid(setting, "must have a port between 1 and 65535", hint=_HINT)
        hosts, ports = _split(given.get("host", "")) or ["local socket"], _split(given.get("port", "")) or ["5432"]
        ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
        # Of several servers, the one that is the primary now.
        defaults = _DEFAULTS if len(hosts) == 1 else {**_DEFAULTS, "target_session_attrs": "read-write"}
        return cls(
            make_conninfo(**{**defaults, **given}),
            ", ".join(f"{host}:{port}" for host, port in zip(hosts, ports, strict=True)),
            given["dbname"],
            given.get("user", ""),
            setting,
        )


def _split(given: str) -> list[str]:
    """One entry for each host, as libpq counts them."""
    return given.split(",") if given else []


def _is_port(text: str) -> bool:
    return text == "" or (text.isascii() and text.isdigit() and 0 < int(text) < 65536)
