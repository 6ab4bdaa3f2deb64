"""Running a command, and saying in one sentence what went wrong, with the exit code that belongs to it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from codetether_apps.cli.exits import INTERRUPTED, USAGE, exit_code
from codetether_apps.cli.root import PROGRAM, codetether

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what this terminal cannot show is no reason to fail
    try:
        code = codetether.main(arguments, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        return _explain_missing_command(arguments, error)
    except click.UsageError as error:
        usage = error.ctx.get_usage() if error.ctx else ""
        hint = f"{error.ctx.command_path} --help" if error.ctx else ""
        return _explain(arguments, "usage", error.format_message(), hint, USAGE, above=usage)
    except click.ClickException as error:
        return _explain(arguments, "error", error.format_message(), "", error.exit_code)
    except Exception as error:
        return _explain_ours(arguments, error)


def _explain_missing_command(arguments: Sequence[str], error: click.exceptions.NoArgsIsHelpError) -> int:
    if "--json" in arguments:
        path = error.ctx.command_path if error.ctx else PROGRAM
        return _explain(arguments, "usage", f"{path} needs a command", f"{path} --help", USAGE)
    print(error.format_message(), file=sys.stderr)
    return USAGE


def _explain_ours(arguments: Sequence[str], error: Exception) -> int:
    from codetether_apps.cli.next_steps import next_step
    from codetether_core.errors import CodeTetherError, NotFound

    if not isinstance(error, CodeTetherError):
        raise error
    message = error.message
    if isinstance(error, NotFound) and "id" in error.details:
        message += f": {error.details['id']}"
    return _explain(arguments, error.code, message, next_step(error), exit_code(error))


def _explain(arguments: Sequence[str], code: str, message: str, hint: str, exit_code: int, *, above: str = "") -> int:
    from codetether_apps.cli.harmless import harmless

    if "--json" in arguments:
        print(json.dumps({"code": code, "message": message, "hint": hint}), file=sys.stderr)
        return exit_code
    if above:
        print(above, file=sys.stderr)
    print(harmless(f"{PROGRAM}: {message}"), file=sys.stderr)
    if hint:
        print(harmless(f"  → {hint}"), file=sys.stderr)
    return exit_code
