"""``codetether doctor``: what is missing or wrong, each with the next step."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from typing import NamedTuple

import click

from codetether_adapters.client import Client, Patience
from codetether_apps.cli.connection import settings_of, token_of
from codetether_apps.cli.own_store import own_store
from codetether_apps.cli.printing import print_json, say, wants_json
from codetether_apps.cli.wishes import Wishes, shared
from codetether_apps.settings import Settings, client_tls, misspelt_variables, token_file
from codetether_core.errors import CodeTetherError, PermissionDenied

__all__ = ["doctor"]


class Finding(NamedTuple):
    """One thing that was looked at: ``hint`` is the next step where it is not ``ok``."""

    check: str
    ok: bool
    found: str
    hint: str = ""


@click.command()
@shared
@click.pass_context
def doctor(ctx: click.Context) -> int:
    """Find out what is missing or wrong; exits with 1 if anything is."""
    findings = []
    for finding in _findings(ctx.ensure_object(Wishes)):
        findings.append(finding)
        if not wants_json(ctx):
            print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.check}: {finding.found}")
            if finding.hint and not finding.ok:
                say(f"      → {finding.hint}")
    if wants_json(ctx):
        print_json([finding._replace(hint="" if finding.ok else finding.hint)._asdict() for finding in findings])
    return 0 if all(finding.ok for finding in findings) else 1


def _findings(wishes: Wishes) -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), platform.python_version(), "install Python 3.11 or newer")
    git = shutil.which("git")
    yield Finding("git", git is not None, git or "not found", "install git: agents work in checkouts")
    try:
        settings = settings_of(wishes)
        token = token_of(wishes, settings)
    except CodeTetherError as error:
        yield Finding("settings", False, error.message, error.hint)
        return
    yield Finding("settings", True, "readable")
    for name, meant in misspelt_variables(os.environ).items():
        yield Finding("environment", False, f"{name} means nothing", f"did you mean {meant}?")
    yield _store()
    yield _token_file(settings)
    yield Finding(
        "token",
        token is not None,
        "found" if token else "none",
        "set CODETETHER_TOKEN or CODETETHER_TOKEN_FILE; on this machine `codetether up` makes one",
    )
    yield from _server(settings, token)


def _store() -> Finding:
    from codetether_apps.wiring.migrations import migrate

    try:
        with own_store() as mine:
            steps = asyncio.run(migrate(mine, check=True))
    except CodeTetherError as error:
        return Finding("store", False, error.message, error.hint)
    store = mine.store_shown + (f", kept by {mine.keeper_shown}" if mine.keeper_shown else "")
    if steps is None or not steps.pending:
        return Finding("store", True, store)
    state = "its schema is brought up to date at the next start" if steps.applied else "made at the first start"
    return Finding("store", True, f"{store}: {state}")


def _token_file(settings: Settings) -> Finding:
    path = token_file(settings)
    try:
        mode = path.stat().st_mode & 0o077
    except OSError:
        return Finding("token file", True, f"{path}: not there")
    return Finding(
        "token file", not mode, f"{path}: {'others may read it' if mode else 'private'}", f"chmod 600 {path}"
    )


def _server(settings: Settings, token: str | None) -> Iterator[Finding]:
    patience = Patience(attempts=1, connect=3, read=5)
    try:
        tls = client_tls(settings)
    except CodeTetherError as error:
        yield Finding("server", False, error.message, error.hint)
        return
    with Client(settings.client.server, token=token, patience=patience, tls=tls) as client:
        try:
            version = client.version().get("version", "unknown")
            ready = client.health().get("ready")
            yield Finding(
                "server", bool(ready), f"{settings.client.server}, version {version}", "see its /readyz?verbose"
            )
            client.tasks.list(limit=1)
            yield Finding("access", True, "the token is accepted")
            active = [worker for worker in client.workers.list() if worker.status == "active"]
            yield Finding(
                "workers", bool(active), f"{len(active)} there", "start one: codetether worker --codebase NAME:PATH"
            )
            yield from _encryption(client)
        except CodeTetherError as error:
            yield Finding("server", False, error.message, error.hint)


def _encryption(client: Client) -> Iterator[Finding]:
    """For who may know."""
    try:
        state = client.encryption.state()
    except PermissionDenied:
        return
    missing = [key.id for key in state.keys if key.data_keys and not key.available]
    found = f"at rest {'on' if state.at_rest else 'off'}, {'keys are missing' if missing else 'every key is there'}"
    hint = f"give the server {' and '.join(missing)} back: CODETETHER_ENCRYPTION_KEYS, CODETETHER_SECRET_KEY"
    yield Finding("encryption", not missing, found, hint)
