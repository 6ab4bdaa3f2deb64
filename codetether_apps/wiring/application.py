"""Settings to the ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from urllib.parse import urlsplit

from attrs import frozen

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.webhooks import Webhooks
from codetether_adapters.audited import Acting
from codetether_adapters.http import Application, Drain, Limits, create_app
from codetether_adapters.http.resources import all_routes
from codetether_adapters.mcp_servers import open_tool_servers
from codetether_adapters.outgoing.allowing import allowed
from codetether_adapters.outgoing.courier import open_courier
from codetether_adapters.outgoing.transport import open_transport
from codetether_adapters.peers import Agents
from codetether_adapters.peers import Cards as AgentCards
from codetether_adapters.signing import is_signed
from codetether_adapters.tokens import Chain, StaticToken, open_kept_tokens
from codetether_apps.settings import Settings
from codetether_apps.wiring.a2a import a2a_routes, card_routes, open_cards
from codetether_apps.wiring.client_certificates import open_certificates
from codetether_apps.wiring.credentials import Access, access_of
from codetether_apps.wiring.identities import open_identities
from codetether_apps.wiring.limits import open_limiter
from codetether_apps.wiring.mcp import (
    RUNS,
    catalogue_of,
    endpoint_of,
    mcp_routes,
    protected_of,
    run_endpoint_of,
    run_routes,
)
from codetether_apps.wiring.policy import open_policy
from codetether_apps.wiring.pushing import delivering
from codetether_apps.wiring.services import open_services
from codetether_core.ports import Delegate
from codetether_core.services import Services

__all__ = ["Opened", "open_application"]


@frozen
class Opened:
    """The application, the services below it, how its users sign in, and who speaks to agents elsewhere."""

    application: Application
    services: Services
    access: Access
    delegate: Delegate


@asynccontextmanager
async def open_application(
    settings: Settings, tokens: Iterable[StaticToken] = (), *, drain: Drain | None = None
) -> AsyncIterator[Opened]:
    """The whole API over the settings' store; ``tokens`` are those of this process itself. It leaves with ``drain``."""
    acting = Acting()
    async with (
        open_policy(settings) as policy,
        open_transport(allowed(settings.server.outgoing_allow)) as outgoing,
        open_tool_servers(outgoing, version("codetether-hub")) as tool_servers,
        open_services(settings, acting, policy, AgentCards(outgoing, is_signed), tool_servers) as services,
        open_kept_tokens(services.issuing, services.watching, services.clock) as kept,
        open_identities(settings, services.clock, services.issuing.key) as vouching,
        open_limiter(settings) as limiter,
        open_courier(allowed(settings.server.outgoing_allow)) as courier,
    ):
        access = access_of(settings, tokens)
        cards = open_cards(settings, services, policy.access, vouching.told if vouching else dict)
        catalogue = catalogue_of(settings, services, policy.access)
        mcp = mcp_routes(
            catalogue,
            endpoint_of(settings, catalogue),
            policy.access,
            prefix=settings.mcp.prefix,
            protected=protected_of(settings),
        )
        run_endpoint, below = run_endpoint_of(settings, services), settings.mcp.prefix
        runs = run_routes(run_endpoint, services.tool_using, prefix=below)
        keeping = services.webhook_keeping
        agent = Agent(
            services=services,
            authorizer=policy.access,
            default_agent=settings.server.default_agent,
            cards=cards,
            push=Webhooks(keeping, courier) if keeping.possible else None,
        )
        application = create_app(
            services,
            authenticator=Chain((access.tokens, kept, *([vouching.tokens] if vouching else ()))),
            authorizer=policy.access,
            routes=(*all_routes(), *a2a_routes(agent), *card_routes(cards), *mcp, *runs),
            limits=Limits(
                body=settings.server.body_limit,
                file=settings.server.artifact_limit,
                patience=settings.server.upload_timeout,
            ),
            drain=drain,
            origins=_origins(settings),
            anonymous=access.anonymous,
            base_path=settings.server.base_path,
            public_url=settings.server.public_url or "",
            version=version("codetether-hub"),
            limiter=limiter,
            provider=vouching.provider if vouching else None,
            trusted_proxies=settings.server.trusted_proxies,
            certificates=open_certificates(settings, services.clock),
            certificates_from_proxies=settings.server.proxy_certificates,
            acts=acting,
            over_tls=settings.server.tls_cert is not None,
            tools_at=f"{below}{RUNS}" if run_endpoint else None,
        )
        async with delivering(agent, courier):
            yield Opened(application, services, access, Agents(outgoing, services.clock, services.entropy))


def _origins(settings: Settings) -> tuple[str, ...]:
    """The origin of our own pages, where browsers reach them under another name than ours."""
    if settings.server.public_url is None:
        return ()
    parts = urlsplit(settings.server.public_url)
    return (f"{parts.scheme}://{parts.netloc}",)
