"""The ASGI application: every request's way from the server to its handler and back.

Match, authenticate, authorize, handle; whatever is raised on the way becomes a problem. There is no middleware and
no task per request, and nothing here knows a resource.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from itertools import count
from secrets import token_hex
from typing import Final, TypeAlias
from urllib.parse import quote

import structlog
from attrs import define, field
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from codetether_adapters.http.addresses import Network, client_address
from codetether_adapters.http.authentication import Authentication, IdentityProvider
from codetether_adapters.http.bodies import Disconnected, Limits
from codetether_adapters.http.browser import Browser
from codetether_adapters.http.call import Call
from codetether_adapters.http.checks import Check, Checks
from codetether_adapters.http.client_certificates import Presented
from codetether_adapters.http.csrf import SAFE
from codetether_adapters.http.drain import Drain
from codetether_adapters.http.framing import check_framing
from codetether_adapters.http.headers import Headers
from codetether_adapters.http.limiting import Limiting
from codetether_adapters.http.mounted import Mounted
from codetether_adapters.http.openapi import described
from codetether_adapters.http.probes import probe_routes
from codetether_adapters.http.problems import CLOSING, problem, report, status_of
from codetether_adapters.http.reply import ALWAYS, OVER_TLS, AnswerHeaders, Reply
from codetether_adapters.http.request import Request
from codetether_adapters.http.request_trail import Acts, RequestTrail, nobody_else_acts
from codetether_adapters.http.routing import MethodNotAllowed, Route, Routes
from codetether_adapters.http.site import Site
from codetether_core.access import LEASE, PUBLIC, Principal, require_tenant
from codetether_core.audit import Actor
from codetether_core.errors import CodeTetherError, Unauthenticated
from codetether_core.ids import TenantId
from codetether_core.ports import Authenticator, Authorizer, CertificateAuthenticator, RateLimiter
from codetether_core.services import Services

__all__ = ["Application", "create_app"]

_log = structlog.get_logger(__name__)

_ANYBODY: Final = Principal(name="anonymous")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}", re.ASCII)
_MULTIPLEXED: Final = ("2", "3")
"""Versions of HTTP in which a connection's other requests are another matter (RFC 9113, section 8.2.2)."""
Lifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]


@define(eq=False)
class Application:
    """CodeTether over HTTP, as an ASGI application. Call ``drain.begin`` to leave."""

    services: Services
    routes: Routes
    authentication: Authentication
    authorizer: Authorizer
    limits: Limits
    drain: Drain
    base_path: bytes
    lifespan: Lifespan
    limiting: Limiting
    trusted_proxies: Sequence[Network]
    presented: Presented
    site: Site
    acts: Acts
    trail: RequestTrail
    always: AnswerHeaders = ALWAYS
    tools_at: str | None = None
    _run: str = field(factory=lambda: token_hex(6), init=False)
    _count: Iterator[int] = field(factory=count, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        match scope["type"]:
            case "http":
                await self._serve(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            case unknown:
                raise NotImplementedError(f"ASGI scope {unknown!r}")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(self.presented.headers(scope))
        request_id = headers.get("x-request-id")
        if request_id is None or not _REQUEST_ID.fullmatch(request_id):
            request_id = f"{self._run}-{next(self._count):x}"
        stranger = Actor(name=_ANYBODY.name, ip=client_address(scope, self.trusted_proxies), request_id=request_id)
        with self.acts(stranger) as act:
            request = Request(scope["method"], scope["path"], act)
            reply = Reply(send, request, self.always)
            try:
                answer = await self._answer(scope, receive, headers, request)
                await answer(scope, receive, reply)
                if isinstance(answer, Mounted):
                    self.trail.answered(request)
            except Disconnected:
                return
            except Exception as error:
                await self.trail.refused(request, error)
                if isinstance(error, CodeTetherError) and not reply.started and status_of(error) != 500:
                    answer = problem(error, request_id, headers, request.guidance)
                    if isinstance(error, CLOSING) and scope.get("http_version") not in _MULTIPLEXED:
                        answer.raw_headers.append((b"connection", b"close"))
                else:
                    answer = report(error, request_id, f"{scope['method']} {scope['path']}")
                if not reply.started:
                    with suppress(Disconnected):
                        await answer(scope, receive, reply)

    async def _answer(self, scope: Scope, receive: Receive, headers: Headers, request: Request) -> ASGIApp:
        check_framing(scope, headers)
        try:
            route, path = self.routes.match(scope["method"], self._path(scope))
        except MethodNotAllowed as refusal:
            if scope["method"] != "OPTIONS":
                raise
            return Response(status_code=204, headers={"allow": ", ".join(refusal.allow)})
        request.route, request.permission = route.path, route.permission
        if route.protected is not None:
            request.guidance = route.protected.guidance(self.site.address(scope, headers))
        principal, address = _ANYBODY, request.act.actor.ip
        browser = Browser(self.site, scope, headers, request)
        if route.permission not in (LEASE, PUBLIC):
            signed_in, spent = await self._signed_in(browser, headers)
            principal = await self._recognized(scope, headers, signed_in, spent=spent, address=address)
            request.recognize(principal)
            await self.limiting.count_request(principal, route.permission)
            if signed_in is not None:
                changes, stream = scope["method"] not in SAFE, route.stream is not None
                key = self.services.issuing.require_key()
                browser.recognize(principal, key, changes=changes, stream=stream)
            named = headers.get("x-tenant-id")
            tenant = None if named is None else TenantId(named)
            await self.authorizer.authorize(principal, route.permission, tenant=tenant)
            require_tenant(principal, tenant)
        answer = await route.endpoint(
            Call(
                scope=scope,
                receive=receive,
                services=self.services,
                principal=principal,
                path=path,
                headers=headers,
                alias=route.alias,
                request=request,
                browser=browser,
                limits=self.limits,
                drain=self.drain,
                authentication=self.authentication,
                address=address,
                limiting=self.limiting,
                tools_at=self.tools_at,
            )
        )
        if not isinstance(answer, Mounted):
            self.trail.answered(request)
        return answer

    async def _signed_in(self, browser: Browser, headers: Headers) -> tuple[Principal | None, bool]:
        """Who is signed in by the cookie, and whether there is one that is no good, which the browser is to forget.

        It is not looked at where a credential is shown otherwise, or nobody needs one.
        """
        if "authorization" in headers or self.authentication.anonymous is not None or browser.session is None:
            return None, False
        browser.request.with_answer.append((b"vary", b"Cookie"))
        signed_in = await self.authentication.signed_in(browser.session)
        if signed_in is None:
            browser.forget_session()
        return signed_in, signed_in is None

    async def _recognized(
        self, scope: Scope, headers: Headers, signed_in: Principal | None, *, spent: bool, address: str
    ) -> Principal:
        """Who asks. A credential that counts is never refused for those of others that do not."""
        certificate = self.presented.certificate
        try:
            return await self.authentication.principal(headers, signed_in, certificate(scope), spent=spent)
        except Unauthenticated:
            await self.limiting.count_failure(address)
            raise

    def _path(self, scope: Scope) -> bytes:
        """The path as it was sent, below the prefix under which a proxy or server has us."""
        raw: bytes = scope.get("raw_path") or quote(scope["path"], safe="/:@!$&'()*+,;=~").encode()
        prefix = self.base_path or scope.get("root_path", "").encode()
        if prefix and raw.startswith(prefix) and raw[len(prefix) : len(prefix) + 1] in (b"", b"/"):
            return raw[len(prefix) :]
        return raw

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan protocol: ``lifespan`` is entered before the first request and left after the last."""
        await receive()
        started = False
        try:
            async with self.lifespan():
                started = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
                self.drain.begin()
        except Exception as error:
            phase = "shutdown" if started else "startup"
            _log.exception("lifespan_failed", phase=phase)
            await send({"type": f"lifespan.{phase}.failed", "message": type(error).__name__})
        else:
            await send({"type": "lifespan.shutdown.complete"})


def create_app(
    services: Services,
    *,
    authenticator: Authenticator,
    authorizer: Authorizer,
    routes: Iterable[Route],
    limits: Limits | None = None,
    drain: Drain | None = None,
    checks: Mapping[str, Check] | None = None,
    origins: Collection[str] = (),
    anonymous: Principal | None = None,
    provider: IdentityProvider | None = None,
    base_path: str = "",
    public_url: str = "",
    version: str = "0",
    lifespan: Lifespan = nullcontext,
    limiter: RateLimiter | None = None,
    trusted_proxies: Sequence[Network] = (),
    certificates: CertificateAuthenticator | None = None,
    certificates_from_proxies: bool = False,
    acts: Acts = nobody_else_acts,
    over_tls: bool = False,
    tools_at: str | None = None,
) -> Application:
    """The application of these routes, and of the probes and the OpenAPI document besides.

    ``checks`` tell whether we are ready, in addition to the store's answering; whether its wake-ups reach everybody is
    only told of. ``origins``, ``anonymous`` and ``provider`` are those of ``Authentication``. ``trusted_proxies`` are
    believed when they say whose request it is that they pass on, with ``certificates_from_proxies`` also whose
    certificate they were shown; ``certificates`` tells whose it is. Without a ``limiter`` nobody asks too often.
    While a request lasts, ``acts`` lets the stores know who makes it. ``over_tls`` says that nobody reaches us without
    TLS, and every answer tells browsers so. Below ``tools_at`` runs find the tools that they may use.
    ``ValueError`` if a route has no permission or two answer the same request.
    """
    backend, now = services.backend, services.clock.now
    probes = probe_routes(
        Checks({"store": backend.ping, **(checks or {})}, now),
        Checks({"notifier": backend.notifier.ping}, now),
        version=version,
    )
    return Application(
        services=services,
        routes=described((*routes, *probes), version=version, base_path=base_path),
        authentication=Authentication(
            authenticator=authenticator,
            origins=frozenset(origins),
            anonymous=anonymous,
            provider=provider,
            certificates=certificates,
        ),
        authorizer=authorizer,
        limits=limits or Limits(),
        drain=drain or Drain(),
        base_path=base_path.rstrip("/").encode(),
        lifespan=lifespan,
        limiting=Limiting(limiter),
        trusted_proxies=tuple(trusted_proxies),
        presented=Presented(tuple(trusted_proxies) if certificates_from_proxies else ()),
        site=Site(public=public_url, base_path=base_path, trusted=tuple(trusted_proxies)),
        acts=acts,
        trail=RequestTrail(services.recording),
        always=(*ALWAYS, *OVER_TLS) if over_tls else ALWAYS,
        tools_at=tools_at,
    )
