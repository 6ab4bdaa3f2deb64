"""``codetether audit``."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.harmless import harmless
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, how_long, print_json, print_table, say, wants_json
from codetether_apps.cli.trail import Trail, heads_in, lines_in
from codetether_apps.cli.wishes import shared
from codetether_apps.settings import DURATION
from codetether_core.audit import Verification

__all__ = ["audit"]


@click.group(cls=Group)
def audit() -> None:
    """What was done here, by whom; and whether anybody changed the record of it."""


@audit.command("list")
@click.option("--actor", "actors", multiple=True, help="Only what this principal did; may be repeated.")
@click.option("--action", "actions", multiple=True, help="Only this, such as task.created or task.*; may be repeated.")
@click.option("--outcome", "outcomes", multiple=True, help="success, failure or denied; may be repeated.")
@click.option("--resource", metavar="TEXT", help="Only what was done to something with this in its name.")
@click.option("--last", "span", metavar="DURATION", help="Only what is not older than that, such as 2h or 7d.")
@click.option("-n", "--limit", default=50, show_default=True, help="How many.")
@shared
@click.pass_context
def list_all(
    ctx: click.Context,
    actors: tuple[str, ...],
    actions: tuple[str, ...],
    outcomes: tuple[str, ...],
    resource: str | None,
    span: str | None,
    limit: int,
) -> None:
    """List what was done, the latest first."""
    since = _since(span)
    with connected(ctx) as client:
        found = client.audit.find(
            actor=actors, action=actions, outcome=outcomes, resource=resource, since=since, limit=limit
        )
        events = list(found.events)
        while found.cursor is not None and len(events) < limit:
            found = client.audit.find(
                actor=actors,
                action=actions,
                outcome=outcomes,
                resource=resource,
                since=since,
                limit=limit - len(events),
                cursor=found.cursor,
            )
            events += found.events
    print_table(
        ctx,
        events,
        {
            "ago": lambda each: age(each.timestamp),
            "actor": lambda each: each.actor,
            "action": lambda each: each.action,
            "outcome": lambda each: each.outcome,
            "resource": lambda each: each.resource,
            "from": lambda each: each.ip,
            "count": lambda each: each.metadata.get("count", ""),
        },
        none="nothing of the kind",
    )


@audit.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@shared
@click.pass_context
def export(ctx: click.Context, file: Path | None) -> None:
    """Write the whole trail to FILE, which must not be there yet, or print it: JSON Lines."""
    with connected(ctx) as client, _new(file) if file else nullcontext(sys.stdout.buffer) as out:
        for line in client.audit.export():
            out.write(line + b"\n")


@audit.command()
@shared
@click.pass_context
def head(ctx: click.Context) -> None:
    """Print how far the trail goes, to be kept where nobody who can change it can change that."""
    with connected(ctx) as client:
        print_json(client.audit.heads())


@audit.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--head", "kept", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="What `audit head` printed."
)
@click.option("--key", "given", multiple=True, metavar="HEX", help="A public key to trust; may be repeated.")
@click.option(
    "--keys",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Public keys to trust, one on a line, such as those of earlier secret keys; may be repeated.",
)
@shared
@click.pass_context
def verify(
    ctx: click.Context, files: tuple[Path, ...], kept: Path | None, given: tuple[str, ...], lists: tuple[Path, ...]
) -> None:
    """Find every record that was changed, removed, moved or cut off: in FILES (- is the standard input), or at the
    server.

    Exits with 1 if there is one. Without --head, records that were cut off the end together with the checkpoints that
    vouch for them are not missed. At the server its present key is the one that is trusted, unless others are named.
    """
    keys = frozenset((*(_key("--key", key) for key in given), *chain.from_iterable(map(_keys_in, lists))))
    trail = Trail(keys, heads_in(kept) if kept else {})
    last, ended = None, frozenset[str]()
    if files:
        for file in files:
            trail.feed(lines_in(file), f"{file}: line")
    else:
        with connected(ctx) as client:
            heads = client.audit.heads()
            last = {each.chain: each.number for each in heads.chains}
            ended = frozenset(each.chain for each in heads.chains if each.ended)
            trail.tenant = heads.tenant
            if not keys and heads.key:
                trail.keys = frozenset({heads.key})
            trail.feed(client.audit.export())
    flaws = [*trail.unreadable, *map(str, trail.finish(last))]
    if files and not any(each.records for each in trail.chains):
        flaws.append("there are no records")
    _tell(ctx, trail, flaws, live=not files, ended=ended)
    if flaws:
        ctx.exit(1)


def _tell(ctx: click.Context, trail: Trail, flaws: list[str], *, live: bool, ended: Collection[str]) -> None:
    chains = trail.chains
    told = [
        {
            "tenant": each.tenant,
            "chain": each.chain,
            "records": each.records,
            "last": each.last,
            "sealed": each.sealed,
            "unsealed": each.unsealed,
            "ended": each.chain in ended,
            "late": [
                {"first": seal.first, "last": seal.last, "seconds": int(seal.delay.total_seconds())}
                for seal in each.late
            ],
            "checkpoints": each.checkpoints,
            "keys": sorted(each.signers),
            "filed": each.filed,
        }
        for each in chains
    ]
    if wants_json(ctx):
        print_json({"sound": not flaws, "flaws": flaws, "chains": told})
        return
    for flaw in flaws:
        print(harmless(flaw))
    for each in chains:
        for filing in each.filed:
            say(f"records {filing.first} to {filing.last} of {each.chain} are in the blob {filing.blob}: not looked at")
    for each in chains:
        for seal in each.late:
            say(
                f"records {seal.first} to {seal.last} of {each.chain} were sealed {how_long(seal.delay)} after the "
                "first was written: no server was there meanwhile, or somebody wrote them anew"
            )
        if each.unsealed:
            say(f"{_counted(each.unsealed, 'record')} of {each.chain} after {each.sealed}: {_why(each, live, ended)}")
    records, waiting = sum(each.records for each in chains), sum(each.unsealed for each in chains)
    signers = sorted({key for each in chains for key in each.signers})
    by = f"signed by {', '.join(key or 'nobody' for key in signers)}" if signers else "no checkpoint yet"
    say(f"{_counted(records, 'record')} in {_counted(len(told), 'chain')}, {by}; {waiting:,} not sealed")
    say(_counted(len(flaws), "flaw") if flaws else "nothing was changed")


def _why(of: Verification, live: bool, ended: Collection[str]) -> str:
    """Why nobody vouches for records."""
    if of.chain in ended:
        return (
            "never sealed, as the chain has ended: the store was restored, or lost something and began another. "
            "Only a head that was kept elsewhere vouches for them"
        )
    if live:
        return "not sealed yet; the next checkpoint is due within seconds, while a server runs"
    return "not sealed when this was written; a later export has the checkpoint, unless the chain has ended"


def _keys_in(path: Path) -> Iterator[str]:
    """The keys in a file; what follows a # is for people."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if key := line.partition("#")[0].strip():
            yield _key(f"--keys {path}:", key)


def _key(option: str, key: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", key):
        raise click.UsageError(f"{option} {key} is no public key: 64 hexadecimal digits, as `audit head` prints it")
    return key


@contextmanager
def _new(file: Path) -> Iterator[IO[bytes]]:
    """A file that was not there, and is not if not all of it could be written."""
    try:
        out = file.open("xb")
    except FileExistsError:
        raise click.UsageError(f"{file} is there already: name another file") from None
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from None
    try:
        with out:
            yield out
    except BaseException:
        file.unlink()
        raise


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _since(span: str | None) -> datetime | None:
    if span is None:
        return None
    try:
        return datetime.now(UTC) - DURATION.read(span)
    except ValueError as error:
        raise click.UsageError(f"--last must be {error}") from None
