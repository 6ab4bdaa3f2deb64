"""Passwords, asked for without an echo, or read from stdin: never from the command line."""

from __future__ import annotations

import sys

import click

__all__ = ["asked_password"]


def asked_password(*, from_stdin: bool, new: bool = False) -> str:
    """The password; a ``new`` one is asked for twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=new, err=True)
    return password
