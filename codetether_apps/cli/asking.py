"""Asking people whether they mean what cannot be undone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["ask_whether", "sure"]

F = TypeVar("F", bound=Callable[..., Any])


def sure(function: F) -> F:
    """Give a command the option that answers before it is asked."""
    return click.option("-y", "--yes", is_flag=True, help="Do it without asking.")(function)


def ask_whether(question: str, yes: bool) -> None:
    """Return if somebody says so, now or by an option; leave otherwise."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("This cannot be undone, and nobody is there to ask: say --yes")
    click.confirm(question, abort=True, err=True)
