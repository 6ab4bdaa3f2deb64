"""Named agents of the worker's own configuration.

A task names a template and brings words; it never brings a command line, and nothing passes through a shell. The
words with a place of their own, a model and a session, cannot pose as options either.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from attrs import Factory, frozen

from codetether_core.errors import Invalid

__all__ = ["BASE_VARIABLES", "AgentTemplate", "CommandTemplate"]

BASE_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR")
"""The variables that every agent gets from the worker, beside ``LC_*``."""

_PROMPTS: Final = ("stdin", "argument", "none")


@frozen(kw_only=True)
class AgentTemplate:
    """How to start one kind of agent; ``name`` is the ``agent_type`` of the tasks that ask for it.

    ``model`` are arguments for tasks that bring one, with ``{model}`` in its place; none at all (``()``) for a command
    that reads ``CODETETHER_MODEL``; ``None`` for one that takes no such argument. ``env`` names the variables of the
    worker that the agent gets beside the basic ones, ``set`` gives some a value. A run takes at most ``timeout``.
    Raises ``Invalid``, which names the member that is wrong.
    """

    name: str
    command: tuple[str, ...]
    model: tuple[str, ...] | None = None
    env: tuple[str, ...] = ()
    set: Mapping[str, str] = Factory(dict)
    timeout: timedelta | None = None

    def __attrs_post_init__(self) -> None:
        if not self.name:
            raise Invalid("agents.name", "must not be empty")
        if not self.command or not self.command[0] or any("\0" in argument for argument in self.command):
            raise self._wrong("command", 'must be a program and its arguments, such as ["my-agent", "--json"]')
        self._require_place("model", self.model)
        for name in (*self.env, *self.set):
            if not name or "=" in name or "\0" in name:
                raise self._wrong("env", "must hold names of variables")
        if any("\0" in value for value in self.set.values()):
            raise self._wrong("set", "must hold text without NUL")
        self._require_time("timeout", self.timeout)

    def environment(self, worker: Mapping[str, str]) -> dict[str, str]:
        """What the agent sees of the worker's environment, and what the template adds to it."""
        wanted = {*BASE_VARIABLES, *self.env}
        passed = {name: value for name, value in worker.items() if name in wanted or name.startswith("LC_")}
        return {**passed, "TERM": "dumb", **self.set}

    def _wrong(self, member: str, problem: str) -> Invalid:
        return Invalid(f"agents.{self.name}.{member}", problem)

    def _require_place(self, member: str, arguments: tuple[str, ...] | None) -> None:
        if arguments and not any(f"{{{member}}}" in argument for argument in arguments):
            example = f'["--{member}", "{{{member}}}"]'
            raise self._wrong(member, f"must be arguments with {{{member}}} among them, such as {example}")

    def _require_time(self, member: str, time: timedelta | None) -> None:
        if time is not None and time <= timedelta():
            raise self._wrong(member, "must be more than 0")


@frozen(kw_only=True)
class CommandTemplate(AgentTemplate):
    """An agent that takes words and prints text.

    The prompt goes to standard input, or last among the arguments after ``--``, or nowhere. ``session`` are arguments
    for tasks that resume one, as ``model`` are for those that name one; a command that needs none reads
    ``CODETETHER_SESSION``.
    """

    prompt: Literal["stdin", "argument", "none"] = "stdin"
    session: tuple[str, ...] | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.prompt not in _PROMPTS:
            raise self._wrong("prompt", f"must be one of {', '.join(_PROMPTS)}")
        self._require_place("session", self.session)

    def arguments(self, prompt: str, *, model: str | None = None, session: str | None = None) -> tuple[str, ...]:
        """The command line of one run."""
        words = self.command
        if model is not None:
            words += tuple(each.replace("{model}", model) for each in self.model or ())
        if session is not None:
            words += tuple(each.replace("{session}", session) for each in self.session or ())
        return (*words, "--", prompt) if self.prompt == "argument" else words
