"""Who may do what, and what agents may do, as the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from attrs import frozen

from codetether_apps.settings import Settings, SettingsError
from codetether_core.ports import AgentPolicy, Authorizer
from codetether_core.services import AgentRules, RolePolicy

__all__ = ["Policy", "open_policy", "policy_modules"]

_POLICY: Final = "auth.policy"


@frozen
class Policy:
    """What decides about callers, and what about agents."""

    access: Authorizer
    agents: AgentPolicy


@asynccontextmanager
async def open_policy(settings: Settings) -> AsyncIterator[Policy]:
    """The policy; ``SettingsError`` for one that cannot be read or does not decide."""
    policy = settings.auth.policy
    if policy == "roles":
        yield Policy(RolePolicy(), AgentRules())
        return
    from codetether_adapters.opa import PolicyBroken, RegoPolicy, open_opa_server

    if policy.startswith("opa+"):
        async with open_opa_server(policy.removeprefix("opa+")) as server:
            yield Policy(server, server)
        return
    try:
        rego = RegoPolicy(policy_modules(settings))
    except PolicyBroken as error:
        raise SettingsError(f"{_where(settings)}: {error.message}", hint=error.hint) from None
    yield Policy(rego, rego)


def policy_modules(settings: Settings) -> Mapping[str, str]:
    """The Rego that the settings name, by file: the one file, or all of the directory."""
    from codetether_adapters.opa import shipped_policy

    if settings.auth.policy == "rego":
        return shipped_policy()
    path = Path(unquote(urlsplit(settings.auth.policy).path))
    try:
        files = sorted(path.glob("*.rego")) if path.is_dir() else [path]
        found = {str(file): file.read_text("utf-8") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{_where(settings)} names {path}, which cannot be read: {error}") from None
    if not found:
        raise SettingsError(f"{_where(settings)} names {path}, where there is no .rego file")
    return found


def _where(settings: Settings) -> str:
    return f"{_POLICY} ({settings.origin(_POLICY)})"
