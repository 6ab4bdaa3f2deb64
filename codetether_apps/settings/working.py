"""The settings of workers, and of all that talk to a server."""

# ruff: noqa: RUF009 - `setting` makes an attrs field, no shared value

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

from attrs import Factory, frozen

from codetether_apps.settings.codebases import CODEBASES, GivenCodebase
from codetether_apps.settings.directories import home_directories
from codetether_apps.settings.kinds import PATH, PATHS, SECRET, TEXT, integer, items, url
from codetether_apps.settings.quantities import DURATION, SIZE
from codetether_apps.settings.setting import setting

__all__ = ["Client", "WorkerSettings"]

_SERVER = url("http://127.0.0.1:8000")


@frozen(kw_only=True)
class Client:
    """The server that workers and commands talk to."""

    server: str = setting(
        "http://127.0.0.1:8000",
        url("http://127.0.0.1:8000"),
        "URL of the server",
        env="SERVER",
        aliases=("A2A_SERVER_URL",),
        flag="--server",
    )
    token: str | None = setting(
        None, SECRET, "Token to show to the server",
        env="TOKEN", aliases=("A2A_AUTH_TOKEN",), secret=True,
        shown="the data directory's own, for a server on this machine",
    )  # fmt: skip
    ca: Path | None = setting(
        None, PATH, "Certificates of the authorities that alone may have signed the server's (PEM)",
        env="CA", shown="the public ones, or those in `SSL_CERT_FILE`",
    )  # fmt: skip
    client_cert: Path | None = setting(
        None, PATH, "Certificate to show to a server that wants one (PEM)", env="CLIENT_CERT", shown="–"
    )
    client_key: Path | None = setting(
        None, PATH, "Its private key (PEM, without a password)", env="CLIENT_KEY", shown="–"
    )


@frozen(kw_only=True)
class WorkerSettings:
    """A worker: what it is called, serves and takes on."""

    name: str = setting(
        Factory(socket.gethostname), TEXT, "Name, which tasks may ask for",
        aliases=("A2A_WORKER_NAME",), flag="--name", shown="the host's name",
    )  # fmt: skip
    id: str | None = setting(
        None, TEXT, "Id, unique among workers",
        aliases=("A2A_WORKER_ID",), flag="--worker-id", shown="made once and kept in the data directory",
    )  # fmt: skip
    codebases: tuple[GivenCodebase, ...] = setting(
        (), CODEBASES, "Directories to serve, `NAME:PATH` or `PATH`",
        env="CODEBASES", aliases=("A2A_CODEBASES",), flag="--codebase", shown="–",
    )  # fmt: skip
    roots: tuple[Path, ...] = setting(
        (), PATHS, "Directories at and below which tasks (`register_codebase`) may add codebases to serve",
        flag="--root", shown="your home directory, and those that the given codebases are in",
    )  # fmt: skip
    capabilities: tuple[str, ...] = setting(
        (),
        items("text list", str),
        "What tasks may require of it",
        env="CAPABILITIES",
        flag="--capabilities",
        shown="–",
    )
    slots: int = setting(
        2, integer(1, 1000), "Tasks at once",
        aliases=("A2A_MAX_CONCURRENT_TASKS",), flag="--max-concurrent-tasks",
    )  # fmt: skip
    poll_interval: timedelta = setting(
        timedelta(seconds=5), DURATION, "How often to ask for tasks while the stream is down",
        env="POLL_INTERVAL", aliases=("A2A_POLL_INTERVAL",), flag="--poll-interval",
    )  # fmt: skip
    output_wait: timedelta = setting(
        timedelta(milliseconds=20), DURATION, "How long output is gathered before it is sent", env="OUTPUT_WAIT"
    )
    output_batch: int = setting(16 * 2**10, SIZE, "How much output is sent without waiting", env="OUTPUT_BATCH")

    @property
    def registrable(self) -> tuple[Path, ...]:
        """The roots, or those of the default; the whole file system only if somebody says so."""
        if self.roots:
            return self.roots
        parents = {codebase.path.parent for codebase in self.codebases}
        return tuple(sorted({*home_directories(), *parents} - {Path("/")}))
