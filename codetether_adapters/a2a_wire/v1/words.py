"""Enumerations and numbers as ProtoJSON has them: names or integers, integers or their digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_adapters.a2a_wire.values import Role, TaskState

__all__ = ["read_integer", "read_role", "read_state", "write_role", "write_state"]

_ROLES: Final[Mapping[Any, Role]] = {
    "ROLE_USER": Role.USER,
    "ROLE_AGENT": Role.AGENT,
    1: Role.USER,
    2: Role.AGENT,
}
_STATES: Final[Mapping[Any, TaskState]] = {
    key: state for number, state in enumerate(TaskState) for key in (number, f"TASK_STATE_{state.name}")
}


def read_role(value: Any, _: Any) -> Role:
    """Who speaks; it must be said."""
    role = _ROLES.get(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if role is None:
        raise TypeError("must be one of: ROLE_USER, ROLE_AGENT")
    return role


def write_role(role: Role) -> str:
    """Its name."""
    return f"ROLE_{role.name}"


def read_state(value: Any, _: Any) -> TaskState:
    """A state; one that a later release may have, or a client's library writes for none, is not specified."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise TypeError("must be the name of a state")
    return _STATES.get(value, TaskState.UNSPECIFIED)


def write_state(state: TaskState) -> str:
    """Its name."""
    return f"TASK_STATE_{state.name}"


def read_integer(value: Any, _: Any) -> int:
    """An integer, also as digits, or as a number without a fraction."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) <= 20:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("must be an integer")
    return value
