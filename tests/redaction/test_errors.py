"""Errors that quote others, in other words."""

from __future__ import annotations

import pytest

from codetether_core.errors import CodeTetherError, DeniedByPolicy, Invalid, NotFound, Unavailable
from codetether_core.redaction import Redactor, reword

SECRET = "s3cret-of-the-tenant"
HIDE = Redactor.of({"key": SECRET}).whole


@pytest.mark.parametrize(
    "error",
    [
        Invalid(f"a.{SECRET}", f"says {SECRET}", hint=f"not {SECRET}", code="tool_refused"),
        Unavailable(f"it says {SECRET}", hint=f"not {SECRET}", at=SECRET),
        NotFound("tool", SECRET),
        DeniedByPolicy(SECRET, f"it is {SECRET}"),
    ],
)
def test_an_error_says_the_same_without_secrets(error: CodeTetherError) -> None:
    code, names = error.code, set(error.details)
    assert SECRET in f"{error} {vars(error)}"
    reword(error, HIDE)
    assert SECRET not in f"{error} {error.args} {vars(error)}"
    assert (error.code, set(error.details), str(error)) == (code, names, error.message)


def test_an_error_without_secrets_says_what_it_said() -> None:
    error = Invalid("tools", "must be a list", hint="give one")
    before = {**vars(error)}
    reword(error, HIDE)
    assert (vars(error), str(error)) == (before, "tools: must be a list")
