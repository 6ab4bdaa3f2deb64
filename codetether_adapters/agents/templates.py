"""Named commands of the worker's own configuration.

A task names a template and brings words; it never brings a command line, and nothing passes through a shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from attrs import Factory, frozen

from codetether_core.errors import Invalid

__all__ = ["BASE_VARIABLES", "CommandTemplate"]

BASE_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR")
"""The variables that every agent gets from the worker, beside ``LC_*``."""


@frozen(kw_only=True)
class CommandTemplate:
    """How to run one kind of agent; ``name`` is the ``agent_type`` of the tasks that ask for it.

    The prompt goes to standard input, or last among the arguments after ``--``, or nowhere. ``env`` names the
    variables of the worker that the agent gets beside the basic ones, ``set`` gives some a value. A run takes at
    most ``timeout``. Raises ``Invalid``, which names the member that is wrong.
    """

    name: str
    argv: tuple[str, ...]
    prompt: Literal["stdin", "argument", "none"] = "stdin"
    env: tuple[str, ...] = ()
    set: Mapping[str, str] = Factory(dict)
    timeout: timedelta | None = None
    description: str = ""

    def __attrs_post_init__(self) -> None:
        where = f"templates.{self.name}" if self.name else "templates"
        if not self.name:
            raise Invalid(f"{where}.name", "must not be empty")
        if not self.argv or not self.argv[0] or any("\0" in argument for argument in self.argv):
            raise Invalid(f"{where}.argv", "must be a command and its arguments, without NUL")
        if self.prompt not in ("stdin", "argument", "none"):
            raise Invalid(f"{where}.prompt", "must be one of: stdin, argument, none")
        for name in (*self.env, *self.set):
            if not name or "=" in name or "\0" in name:
                raise Invalid(f"{where}.env", "must hold names of variables")
        if any("\0" in value for value in self.set.values()):
            raise Invalid(f"{where}.set", "must hold text without NUL")
        if self.timeout is not None and self.timeout <= timedelta():
            raise Invalid(f"{where}.timeout", "must be more than 0")

    def environment(self, worker: Mapping[str, str]) -> dict[str, str]:
        """What the agent sees of the worker's environment, and what the template adds to it."""
        wanted = {*BASE_VARIABLES, *self.env}
        passed = {name: value for name, value in worker.items() if name in wanted or name.startswith("LC_")}
        return {**passed, "TERM": "dumb", **self.set}

    def command(self, prompt: str) -> tuple[str, ...]:
        """The command line of one run."""
        return (*self.argv, "--", prompt) if self.prompt == "argument" else self.argv
