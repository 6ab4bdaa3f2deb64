"""Every setting there is. Environment names, flags, the documentation and ``config show`` follow from this table."""

# ruff: noqa: RUF009 - `setting` makes an attrs field, no shared value

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import quote

from attrs import Factory, field, frozen

from codetether_adapters.agents import AgentTemplate
from codetether_adapters.outgoing.allowing import checked_exception
from codetether_apps.settings.access import Auth, Limits, Oidc
from codetether_apps.settings.directories import data_directory
from codetether_apps.settings.encryption import Encryption
from codetether_apps.settings.kinds import (
    FLAG,
    NETWORKS,
    PATH,
    PORT,
    TEXT,
    choice,
    items,
    url,
)  # fmt: skip
from codetether_apps.settings.mcp import Mcp
from codetether_apps.settings.quantities import DURATION, SIZE
from codetether_apps.settings.setting import setting
from codetether_apps.settings.vault import Vault
from codetether_apps.settings.working import Client, WorkerSettings

__all__ = ["Leases", "Process", "Server", "Settings", "Storage"]

_STORE = url("sqlite:////var/lib/codetether.db")
_KEEPER = url("postgresql://keeper@db.example/codetether")
_NOTIFIER = url("redis://127.0.0.1:6379/0")
_BLOBS = url("file:///var/lib/codetether/blobs")
_WEB = url("http://127.0.0.1:8000")
_EXCEPTIONS = items("host or network list", checked_exception)
_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)


@frozen(kw_only=True)
class Storage:
    """Where everything is kept."""

    data_dir: Path = setting(
        Factory(data_directory), PATH, "Directory for the embedded store, generated tokens and a worker's own records",
        env="DATA_DIR", flag="--data-dir", shown="the platform's data directory",
    )  # fmt: skip
    store: str | None = setting(
        None, _STORE,
        "Store: `sqlite:///PATH`, `postgresql://…`, `redis://…`, `redis+cluster://…`, or `memory://` for trying",
        env="STORE", aliases=("DATABASE_URL", "A2A_DATABASE_URL", "A2A_REDIS_URL"), secret=True,
        shown="SQLite in the data directory",
    )  # fmt: skip
    store_keeper: str | None = setting(
        None, _KEEPER,
        "Second login of a PostgreSQL store, as `postgresql://…` to the same database: it owns the schema and does what"
        " concerns all tenants, so that the one in `store` never has the rows of two",
        env="STORE_KEEPER", secret=True, shown="the one in `store` does everything",
    )  # fmt: skip
    notifier: str | None = setting(
        None, _NOTIFIER, "What wakes the other servers of a PostgreSQL store: `redis://…` or `redis+cluster://…`",
        env="NOTIFIER", beside={"A2A_REDIS_URL": ("DATABASE_URL", "A2A_DATABASE_URL")}, secret=True,
        shown="the store itself",
    )  # fmt: skip
    blobs: str | None = setting(
        None, _BLOBS, "Files that runs leave, and logs past their retention: `file:///PATH` or `s3://KEY:SECRET@HOST/BUCKET`",
        env="BLOBS", secret=True, shown="files in the data directory; none for a store that is shared",
    )  # fmt: skip
    strict_durability: bool = setting(
        False,
        FLAG,
        "Refuse a store that may lose what it accepted; on Redis also wait for a replica's disk where there is one",
        env="STRICT_DURABILITY",
        flag="--strict-durability",
    )
    retention: timedelta = setting(
        timedelta(days=30), DURATION, "How long events and output are kept", env="EVENT_RETENTION"
    )
    audit_retention: timedelta | None = setting(
        None, DURATION, "How long the audit trail stays in the store; what is older is filed away where blobs are",
        env="AUDIT_RETENTION", shown="for ever",
    )  # fmt: skip


@frozen(kw_only=True)
class Server:
    """Where the server listens, and what it accepts."""

    host: str = setting("127.0.0.1", TEXT, "Address to listen on", env="HOST", aliases=("A2A_HOST",), flag="--host")
    port: int = setting(
        8000, PORT, "Port to listen on; 0 takes a free one", env="PORT", aliases=("A2A_PORT",), flag="--port"
    )
    public_url: str | None = setting(
        None,
        _WEB,
        "URL under which browsers and other agents reach the server",
        env="PUBLIC_URL",
        flag="--public-url",
        shown="–",
    )
    base_path: str = setting(
        "", TEXT, "Path below which a proxy serves the API", env="BASE_PATH", flag="--base-path", shown="–"
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = setting(
        (), NETWORKS, "Proxies that are believed when they say whose request they pass on (`X-Forwarded-For`), and how"
        " it was made (`X-Forwarded-Proto`, and for A2A `-Host` and `-Prefix`)", env="TRUSTED_PROXIES", shown="none",
    )  # fmt: skip
    proxy_certificates: bool = setting(
        False, FLAG, "Believe them too when they say which client certificate they were shown (`Client-Cert`)",
        env="PROXY_CERTIFICATES",
    )  # fmt: skip
    tls_cert: Path | None = setting(
        None, PATH, "The server's certificate, then those that lead to its authority (PEM): speak TLS",
        env="TLS_CERT", flag="--tls-cert", shown="–",
    )  # fmt: skip
    tls_key: Path | None = setting(
        None, PATH, "Its private key (PEM, without a password)", env="TLS_KEY", flag="--tls-key", shown="–"
    )
    mtls_port: int | None = setting(
        None, PORT, "Port to listen on besides, for clients that show a certificate of `mtls_ca`",
        env="MTLS_PORT", flag="--mtls-port", shown="–",
    )  # fmt: skip
    mtls_ca: Path | None = setting(
        None, PATH, "Certificates of the authorities whose clients may connect there (PEM)",
        env="MTLS_CA", flag="--mtls-ca", shown="–",
    )  # fmt: skip
    asgi: str = setting("hypercorn", choice("hypercorn", "uvicorn"), "HTTP server", env="ASGI", flag="--asgi")
    body_limit: int = setting(4 * 2**20, SIZE, "Largest request body", env="BODY_LIMIT")
    artifact_limit: int = setting(256 * 2**20, SIZE, "Largest file that a run may leave", env="ARTIFACT_LIMIT")
    idle_timeout: timedelta = setting(
        75 * _SECOND, DURATION, "How long a connection may be without a request, or take for the head of one",
        env="IDLE_TIMEOUT",
    )  # fmt: skip
    upload_timeout: timedelta = setting(
        60 * _SECOND, DURATION, "Within so long the next 64 KiB of a request's body have to come, or its end",
        env="UPLOAD_TIMEOUT",
    )  # fmt: skip
    stall_timeout: timedelta = setting(
        60 * _SECOND, DURATION, "How long a client may leave unread what it is sent (HTTP/1.1: on Linux)",
        env="STALL_TIMEOUT",
    )  # fmt: skip
    default_agent: str = setting(
        "build", TEXT, "Type of agent that runs what is asked for over A2A without naming one", env="DEFAULT_AGENT"
    )
    pure_card: bool = setting(
        False, FLAG, "Leave out of the agent card what only release 0.3 of A2A reads", env="PURE_CARD"
    )
    outgoing_allow: tuple[str, ...] = setting(
        (), _EXCEPTIONS,
        "Where else than to public addresses requests may go that others give the URLs of, such as webhooks: hosts"
        " (`build.local:8080`), networks (`10.0.0.0/8`), or `*`",
        env="OUTGOING_ALLOW", shown="nowhere",
    )  # fmt: skip
    access_log: bool = setting(False, FLAG, "Log every request", env="ACCESS_LOG", flag="--access-log")


@frozen(kw_only=True)
class Leases:
    """For how long a grant lasts, and how soon its end is noticed."""

    ttl: timedelta = setting(
        60 * _SECOND, DURATION, "A worker that is silent for so long loses its task", env="LEASE_TTL"
    )
    reaper_interval: timedelta = setting(
        10 * _SECOND, DURATION, "How often lapses and deadlines are looked for at least", env="REAPER_INTERVAL"
    )
    run_timeout: timedelta = setting(
        24 * _HOUR, DURATION, "Longest run of a task that names no limit itself", env="RUN_TIMEOUT"
    )
    silence: timedelta = setting(
        30 * 60 * _SECOND,
        DURATION,
        "For how long mere presence keeps a task for a worker that knows no leases",
        env="LEASE_SILENCE",
    )


@frozen(kw_only=True)
class Process:
    """How a process leaves, and what it says."""

    drain: timedelta = setting(30 * _SECOND, DURATION, "Time to leave after SIGTERM", env="DRAIN", flag="--drain")
    log_level: str = setting(
        "info", choice("debug", "info", "warning", "error"), "What is logged",
        env="LOG_LEVEL", aliases=("A2A_LOG_LEVEL",), flag="--log-level",
    )  # fmt: skip
    log_format: str = setting(
        "auto", choice("auto", "json", "text"), "How it is logged; auto is text on a terminal, else JSON",
        env="LOG_FORMAT", flag="--log-format",
    )  # fmt: skip


@frozen(kw_only=True)
class Settings:
    """All of them, and where each has its value from (by ``section.key``; what is missing has its default)."""

    storage: Storage = Factory(Storage)
    server: Server = Factory(Server)
    mcp: Mcp = Factory(Mcp)
    auth: Auth = Factory(Auth)
    oidc: Oidc = Factory(Oidc)
    encryption: Encryption = Factory(Encryption)
    limits: Limits = Factory(Limits)
    leases: Leases = Factory(Leases)
    client: Client = Factory(Client)
    worker: WorkerSettings = Factory(WorkerSettings)
    process: Process = Factory(Process)
    vault: Vault = Factory(Vault)
    agents: Mapping[str, AgentTemplate] = Factory(dict)
    origins: Mapping[str, str] = field(factory=dict, eq=False, repr=False)

    @property
    def store_url(self) -> str:
        """The store, which is an SQLite file in the data directory unless said otherwise."""
        return self.storage.store or f"sqlite://{quote(str(self.storage.data_dir))}/codetether.db"

    @property
    def store_shown(self) -> str:
        """The store as it may be shown: without a password."""
        return _STORE.show(self.store_url)

    @property
    def keeper_shown(self) -> str | None:
        """The store's keeper, in the same way, if there is one of its own."""
        return self.storage.store_keeper and _KEEPER.show(self.storage.store_keeper)

    def origin(self, name: str) -> str:
        """Where a setting has its value from."""
        return self.origins.get(name, "default")
