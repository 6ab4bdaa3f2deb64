"""The root command: which commands there are, and what holds for all of them."""

from __future__ import annotations

import click

from codetether_apps.cli.exits import EXITS
from codetether_apps.cli.lazy import LazyGroup
from codetether_apps.cli.wishes import shared

__all__ = ["PROGRAM", "codetether"]

PROGRAM = "codetether"

_COMMANDS = {
    "up": ("processes:up", "Run server and worker in one process"),
    "server": ("processes:server", "Run the server"),
    "mcp": ("processes:mcp", "Pass MCP on to the server, on a port of its own or from standard input"),
    "worker": ("processes:worker", "Run a worker"),
    "task": ("tasks:task", "Run, list, show, watch, cancel, retry, explain tasks"),
    "codebase": ("codebases:codebase", "Add, list, show, remove codebases"),
    "session": ("sessions:session", "List and show conversations with agents"),
    "approval": ("approvals:approval", "List and answer what agents ask"),
    "agent": ("agents:agent", "List agents"),
    "message": ("messages:message", "Send and list messages between agents"),
    "webhook": ("webhooks:webhook", "List webhooks that were given up, deliver again"),
    "login": ("sign_in:login", "Sign in with a name and a password"),
    "logout": ("sign_in:logout", "Sign out"),
    "whoami": ("sign_in:whoami", "Show as whom the server knows you"),
    "account": ("accounts:account", "Add, list, change, remove accounts"),
    "token": ("tokens:token", "Create, list and revoke tokens"),
    "policy": ("policy:policy", "Try the policy"),
    "audit": ("audit:audit", "See what was done, and whether the record of it is whole"),
    "secret": ("secrets:secret", "Register secrets, keep them out of everything, hand them to runs"),
    "tool-server": ("tool_servers:tool_server", "Register servers of tools that runs may use, ask how they are"),
    "encryption": ("encryption:encryption", "See which keys are in use, make one, rotate"),
    "config": ("config:config", "Show the settings, and where each is from"),
    "migrate": ("migrate:migrate", "Bring the store's schema up to date, or see whether it is"),
    "backup": ("backups:backup", "Copy everything in the store into a file"),
    "restore": ("backups:restore", "Put a backup into an empty store"),
    "verify": ("backups:verify", "Find out whether a backup is whole"),
    "doctor": ("doctor:doctor", "Find out what is missing or wrong"),
    "version": ("version:version", "Show the version of this program, and with --remote the server's"),
    "completion": ("completion:completion", "Print a script that completes commands in your shell"),
}
_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXITS.items())


@click.group(
    cls=LazyGroup,
    package="codetether_apps.cli",
    commands_at=_COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@shared
def codetether() -> None:
    """A self-hosted control plane for AI coding agents.

    Data is printed on stdout, progress and errors on stderr. The token is read from CODETETHER_TOKEN, the file that
    CODETETHER_TOKEN_FILE or --token-file names, or the one that `codetether up` left in the data directory.
    """
