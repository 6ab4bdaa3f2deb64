"""What an agent may do, without an engine: the same rules as ``agent.rego``, which says why they are so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from codetether_core.access import Decision, ToolKind, ToolRequest, Verdict

__all__ = ["AgentRules"]

_SECRET_NAMES: Final = frozenset(
    {
        ".aws",
        ".azure",
        ".docker",
        ".env",
        ".envrc",
        ".git-credentials",
        ".gnupg",
        ".htpasswd",
        ".kube",
        ".netrc",
        ".npmrc",
        ".pgpass",
        ".pypirc",
        ".ssh",
        ".vault-token",
    }
)
_SECRET_BEGINNINGS: Final = (".env.", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa")
_SECRET_ENDS: Final = (".env", ".jks", ".kdbx", ".key", ".keystore", ".p12", ".pem", ".pfx", ".ppk", ".tfstate")

_CHANGING: Final = frozenset({ToolKind.EDIT, ToolKind.DELETE, ToolKind.MOVE})
_LOOKING: Final = frozenset({ToolKind.READ, ToolKind.SEARCH})

_REASONS: Final[Mapping[str, str]] = {
    "git_internals": "What is in .git is changed by git alone: use its commands.",
    "outside_checkout": "The path leads out of the checkout.",
    "secret_file": "Such files have secrets in them.",
}
_OTHERWISE: Final = Verdict(decision=Decision.ASK, rule="otherwise")


class AgentRules:
    """Decides by the rules here alone (port ``AgentPolicy``)."""

    __slots__ = ()

    async def judge(self, request: ToolRequest) -> Verdict:
        """Deny goes before ask, ask before allow; of several rules the first by name is told."""
        for decision, rules in ((Decision.DENY, _denied), (Decision.ASK, _asked), (Decision.ALLOW, _allowed)):
            rule = min(rules(request), default=None)
            if rule is not None:
                return Verdict(decision=decision, rule=rule, reason=_REASONS.get(rule, ""))
        return _OTHERWISE


def _denied(request: ToolRequest) -> Iterator[str]:
    if request.tool.kind in _CHANGING and any(".git" in _parts(path) for path in request.paths):
        yield "git_internals"


def _asked(request: ToolRequest) -> Iterator[str]:
    searched = request.tool.kind is ToolKind.SEARCH
    if any(_is_secret(path) or (searched and ".git" in _parts(path)) for path in request.paths):
        yield "secret_file"
    if any(_leaves(path) for path in request.paths):
        yield "outside_checkout"


def _allowed(request: ToolRequest) -> Iterator[str]:
    tool = request.tool
    if tool.command is not None:
        return
    if tool.kind in _LOOKING and tool.paths and request.checkout is not None:
        yield "looking"
    if tool.kind is ToolKind.THINK and not tool.paths:
        yield "thinking"


def _is_secret(path: str) -> bool:
    parts = _parts(path)
    named = any(
        part in _SECRET_NAMES or part.startswith(_SECRET_BEGINNINGS) or part.endswith(_SECRET_ENDS) for part in parts
    )
    return named or (".git" in parts and parts[-1].startswith("config"))


def _leaves(path: str) -> bool:
    parts = _parts(path)
    return path.startswith(("/", "~", "$", "%")) or "\\" in path or ":" in parts[0] or ".." in parts


def _parts(path: str) -> list[str]:
    return path.lower().split("/")
