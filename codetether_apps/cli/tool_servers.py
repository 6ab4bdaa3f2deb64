"""``codetether tool-server``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.durations import seconds_of
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_fields, print_json, print_table, say, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["tool_server"]


@click.group("tool-server", cls=Group)
def tool_server() -> None:
    """Servers elsewhere that speak MCP, whose tools runs may use as the policy allows."""


@tool_server.command()
@click.argument("name")
@click.argument("url")
@click.option("--secret", metavar="NAME", help="The secret by which it knows us (codetether secret set).")
@click.option("--header", metavar="NAME", help="The header that the secret goes into; Authorization without it.")
@click.option("--prefix", metavar="TEXT", help="What is before it there; 'Bearer ' in Authorization, else nothing.")
@click.option("--tool", "tools", multiple=True, metavar="PATTERN", help="Only these of its tools; may be repeated.")
@click.option("--timeout", metavar="DURATION", help="How long a call may take, up to 5m; 30s without it.")
@click.option("--description", default="", help="What it is.")
@shared
@click.pass_context
def add(
    ctx: click.Context,
    name: str,
    url: str,
    secret: str | None,
    header: str | None,
    prefix: str | None,
    tools: tuple[str, ...],
    timeout: str | None,
    description: str,
) -> None:
    """Register the server at URL as NAME, or another in its place; it is asked which tools it has."""
    seconds = seconds_of("--timeout", timeout)
    with connected(ctx) as client:
        found = client.tool_servers.put(
            name,
            url,
            description=description,
            tools=tools,
            timeout=seconds,
            secret=secret,
            header=header,
            prefix=prefix,
        )
    if wants_json(ctx):
        print_json(found)
        return
    offered = sum(each.offered for each in found.tools)
    click.echo(f"{found.server.name} offers {offered} of its {len(found.tools)} tools to runs")


@tool_server.command("list")
@shared
@click.pass_context
def list_all(ctx: click.Context) -> None:
    """List servers; nobody is asked."""
    with connected(ctx) as client:
        found = client.tool_servers.list()
    print_table(
        ctx,
        found,
        {
            "name": lambda each: each.name,
            "tools": lambda each: each.tools,
            "secret": lambda each: each.secret or ("yes" if each.signs_in else ""),
            "by": lambda each: each.registered_by,
            "registered": lambda each: age(each.registered_at),
            "url": lambda each: each.url,
        },
        none="no server of tools: codetether tool-server add NAME URL",
    )


@tool_server.command()
@click.argument("name")
@shared
@click.pass_context
def show(ctx: click.Context, name: str) -> None:
    """Show one server as it was registered."""
    with connected(ctx) as client:
        found = client.tool_servers.get(name)
    fields = {
        "name": found.name,
        "url": found.url,
        "description": found.description,
        "tools": found.tools,
        "timeout": f"{found.timeout_seconds:g}s",
        "signs in": "yes" if found.signs_in else "no",
        "secret": found.secret,
        "header": found.header,
        "prefix": found.prefix,
        "registered": found.registered_at,
        "by": found.registered_by,
    }
    print_fields(ctx, found, fields)


@tool_server.command()
@click.argument("name")
@shared
@click.pass_context
def check(ctx: click.Context, name: str) -> int:
    """Ask a server which tools it has; exits with 1 if it does not say."""
    with connected(ctx) as client:
        found = client.tool_servers.check(name)
    if wants_json(ctx):
        print_json(found)
    elif found.problem is not None:
        say(f"{found.server.name}: {found.problem}" + (f"\n  → {found.hint}" if found.hint else ""))
    else:
        columns = {
            "tool": lambda each: each.name,
            "offered": lambda each: "yes" if each.offered else "no",
            "description": lambda each: each.description or each.title or "",
        }
        print_table(ctx, found.tools, columns, none=f"{found.server.name} has no tools")
    return 1 if found.problem is not None else 0


@tool_server.command()
@click.argument("name")
@shared
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget a server: no run uses its tools any more."""
    with connected(ctx) as client:
        gone = client.tool_servers.delete(name)
    if wants_json(ctx):
        print_json(gone)
    else:
        click.echo(f"{gone.name} is forgotten")
