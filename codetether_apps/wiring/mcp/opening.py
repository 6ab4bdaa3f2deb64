"""Settings to what is served over MCP, and what answers for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import structlog
from attrs import define, field

from codetether_adapters.http import Protected
from codetether_adapters.mcp.answering import Answering, Receive, Scope, Send
from codetether_adapters.mcp.caller import Caller
from codetether_adapters.mcp.catalogue import Catalogue
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.offer import Offer
from codetether_adapters.mcp.run_tools import RunTools
from codetether_adapters.mcp.served import Served
from codetether_adapters.mcp.tools import TOOLS
from codetether_apps.settings import Settings, SettingsError
from codetether_apps.wiring.credentials import installation_key
from codetether_apps.wiring.mcp.routes import RPC
from codetether_core.ports import Authorizer
from codetether_core.services import Services

__all__ = ["catalogue_of", "endpoint_of", "is_served", "protected_of", "run_endpoint_of"]

_SINCE, _BEFORE = (2, 3), (3,)
"""Releases of the protocol's library between which ours works: those of the extra ``mcp``."""

_log = structlog.get_logger(__name__)


def catalogue_of(settings: Settings, services: Services, policy: Authorizer) -> Catalogue:
    """What there is; ``SettingsError`` for names of tools that there are not."""
    hub = Hub(
        services=services,
        authorizer=policy,
        default_agent=settings.server.default_agent,
        version=version("codetether-hub"),
    )
    mcp, known = settings.mcp, {tool.name for tool in TOOLS}
    for name, tools in (("mcp.allow", mcp.allow), ("mcp.deny", mcp.deny)):
        if unknown := [tool for tool in tools if tool not in known]:
            raise SettingsError(
                f"{name} ({settings.origin(name)}) names {unknown[0]}, which is no tool",
                hint=f"there are: {', '.join(sorted(known))}",
            )
    return Catalogue(
        hub=hub, offer=Offer(read_only=mcp.read_only, allow=frozenset(mcp.allow), deny=frozenset(mcp.deny))
    )


def is_served(settings: Settings) -> bool:
    """Whether it is switched on, and its library installed."""
    return settings.mcp.enabled and not _lacks()


def endpoint_of(settings: Settings, served: Served) -> Answering | None:
    """What answers; ``None`` if it is switched off, or its library is not installed or another release of it."""
    if not settings.mcp.enabled:
        return None
    if reason := _lacks():
        _log.info("mcp_not_served", reason=reason, hint="pip install 'codetether-hub[mcp]'")
        return None
    key = installation_key(settings)

    def load() -> Answering:
        from codetether_adapters.mcp.serving import Endpoint

        return Endpoint.of(served, key)

    return _Endpoint(load)


def run_endpoint_of(settings: Settings, services: Services) -> Answering | None:
    """What answers runs that look for tools; ``None`` where MCP is not served, or no tools of others are used."""
    if not is_served(settings) or not services.tool_using.possible:
        return None

    def load() -> Answering:
        from codetether_adapters.mcp.serving import Endpoint

        return Endpoint.of_runs(RunTools(services.tool_using, version("codetether-hub")))

    return _Endpoint(load)


def _lacks() -> str:
    """What there would have to be besides; it is not imported to find out, which takes more than a second."""
    try:
        installed = version("mcp")
    except PackageNotFoundError:
        return "mcp is not installed"
    release = re.match(r"(\d+)\.(\d+)", installed)
    if release is None or not _SINCE <= (int(release[1]), int(release[2])) < _BEFORE:
        since, before = (".".join(map(str, each)) for each in (_SINCE, _BEFORE))
        return f"mcp {installed} is installed; it takes one from {since} on, and before {before}"
    return ""


@define(eq=False)
class _Endpoint:
    """Imports the library, which takes more than a second, beside the first request that needs it."""

    load: Callable[[], Answering] = field(repr=False)
    _loading: asyncio.Future[Answering] | None = field(default=None, init=False)

    async def answer(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (``Answering``)."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(self.load))
        endpoint = await asyncio.shield(self._loading)  # others wait for it too
        await endpoint.answer(caller, scope, receive, send)


def protected_of(settings: Settings) -> Protected | None:
    """Where tokens are to be had for it; ``None`` without an OpenID provider."""
    if settings.oidc.issuer is None:
        return None
    asked = dict.fromkeys(("openid", "profile", *settings.oidc.scopes))
    scopes = tuple(scope for scope in asked if scope != "offline_access")
    return Protected(path=f"{settings.mcp.prefix}{RPC}", issuer=settings.oidc.issuer, scopes=scopes)
