"""Everything that can go wrong, as one small tree.

Each class names a *kind* of refusal and carries a stable ``code`` (a slug clients may match on), a sentence,
the field or ids concerned and, where there is one, the next step. Adapters translate foreign errors into these
at their edge and these into their own form (HTTP problems, exit codes) at the other.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "AlreadyAnswered",
    "AlreadyExists",
    "Busy",
    "CodeTetherError",
    "Conflict",
    "CursorUnknown",
    "DeniedByPolicy",
    "Erased",
    "IdempotencyMismatch",
    "IllegalTransition",
    "Invalid",
    "LeaseRequired",
    "NotConfigured",
    "NotEnded",
    "NotFound",
    "PermissionDenied",
    "RateLimited",
    "SearchUnavailable",
    "StaleLease",
    "TaskUnavailable",
    "TooLarge",
    "TooManyArtifacts",
    "Unauthenticated",
    "Unavailable",
    "Undecipherable",
    "VersionConflict",
]


class CodeTetherError(Exception):
    """The root: a stable ``code``, a sentence, ``details`` (ids and names, never secrets) and a ``hint``."""

    code: str = "error"

    def __init__(self, message: str, /, *, hint: str = "", **details: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: Mapping[str, str | int] = details


class NotFound(CodeTetherError):
    """No such thing in this tenant, or none the caller may know of; ``code`` is ``<kind>_not_found``."""

    def __init__(self, kind: str, id: str, /, *, hint: str = "") -> None:
        super().__init__(f"{kind.replace('_', ' ').capitalize()} not found", hint=hint, id=id)
        self.code = f"{kind}_not_found"


class Invalid(CodeTetherError):
    """The request is understood and wrong: ``field`` (a dotted path) says where, the sentence says how."""

    code = "invalid_request"

    def __init__(self, field: str, problem: str, /, *, hint: str = "", code: str = "") -> None:
        super().__init__(f"{field}: {problem}" if field else problem, hint=hint, field=field)
        self.field = field
        self.problem = problem
        if code:
            self.code = code


class TooLarge(CodeTetherError):
    """More bytes than the limit that the sentence names."""

    code = "too_large"


class Unauthenticated(CodeTetherError):
    """Nobody we know is asking."""

    code = "unauthenticated"


class PermissionDenied(CodeTetherError):
    """The caller is known and may not do this."""

    code = "permission_denied"


class DeniedByPolicy(PermissionDenied):
    """The policy denies what an agent wishes to do; ``details`` name the ``rule``."""

    code = "denied_by_policy"

    def __init__(self, rule: str, reason: str, /) -> None:
        super().__init__(reason or "The policy denies this", hint="tell the agent, and go on without", rule=rule)
        self.rule = rule


class CursorUnknown(CodeTetherError):
    """The cursor names another epoch of the log, or a position that is no longer kept: read again from ``head``."""

    code = "cursor_unknown"


class Unavailable(CodeTetherError):
    """A part that we need does not answer now; the same request may succeed later."""

    code = "unavailable"


class Busy(Unavailable):
    """We have too much to do ourselves just now: nobody else has failed."""

    code = "busy"


class RateLimited(Unavailable):
    """Too often: the same request will do later.

    ``details`` have the ``limit``, and in how many seconds none of it is used up any more (``resets_in``).
    """

    code = "rate_limited"


class NotConfigured(CodeTetherError):
    """This installation lacks a part that the request needs; only its operator can change that."""

    code = "not_configured"


class SearchUnavailable(NotConfigured):
    """What is encrypted cannot be searched."""

    code = "search_unavailable"

    def __init__(self) -> None:
        hint = "leave the text out: everything is listed then"
        super().__init__("Nothing can be searched for here, because everything is encrypted", hint=hint)


class Undecipherable(CodeTetherError):
    """What was encrypted cannot be read: it was changed, belongs elsewhere, or its key is another one."""

    code = "undecipherable"


class Conflict(CodeTetherError):
    """The request does not fit the present state; nothing was changed."""

    code = "conflict"


class AlreadyExists(Conflict):
    """The id, or the name that must be unique, is taken."""

    def __init__(self, kind: str, id: str, /) -> None:
        super().__init__(f"{kind.replace('_', ' ').capitalize()} already exists", id=id)
        self.code = f"{kind}_exists"


class Erased(Conflict):
    """Somebody had it erased, and it does not come back; ``code`` is ``<kind>_erased``."""

    def __init__(self, kind: str, id: str, /, *, hint: str = "") -> None:
        super().__init__(f"The {kind.replace('_', ' ')} was erased", hint=hint, id=id)
        self.code = f"{kind}_erased"


class VersionConflict(Conflict):
    """Somebody else's swap landed first: read again and decide anew."""

    code = "version_conflict"


class IdempotencyMismatch(Conflict):
    """The ``Idempotency-Key`` was used before, with another body."""

    code = "idempotency_mismatch"


class IllegalTransition(Conflict):
    """The machine has no row for this trigger in this state."""

    code = "illegal_transition"

    def __init__(self, kind: str, id: str, state: str, trigger: str, /) -> None:
        verb, standing = trigger.replace("_", " "), state.replace("_", " ")
        super().__init__(f"Cannot {verb} the {kind}: it is {standing}", id=id, state=state, trigger=trigger)


class TaskUnavailable(Conflict):
    """The task cannot be claimed by this worker now; ``reason`` is one slug of ``matching.Refusal`` or a state."""

    code = "task_unavailable"

    def __init__(self, id: str, reason: str, /) -> None:
        super().__init__(f"The task cannot be claimed: {reason.replace('_', ' ')}", id=id, reason=reason)
        self.reason = reason


class NotEnded(Conflict):
    """The task has not ended: what goes on cannot be erased."""

    code = "task_not_ended"

    def __init__(self, id: str, state: str, /) -> None:
        super().__init__(f"The task is {state.replace('_', ' ')}", hint="cancel it first", id=id, state=state)


class TooManyArtifacts(Conflict):
    """The task has as many files as a task may have."""

    code = "too_many_artifacts"


class StaleLease(Conflict):
    """The grant that the word carries is not, or no longer, the one that may speak."""

    code = "stale_lease"


class LeaseRequired(Conflict):
    """The grant was claimed with a token; a word about it must carry that token."""

    code = "lease_required"


class AlreadyAnswered(Conflict):
    """The approval has its answer; ``winner`` names who gave it."""

    code = "already_answered"

    def __init__(self, id: str, winner: str, /) -> None:
        super().__init__(f"Already answered by {winner}", id=id, winner=winner)
        self.winner = winner
