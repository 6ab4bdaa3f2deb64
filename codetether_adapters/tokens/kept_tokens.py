"""Tokens that were issued here and are kept in the store: API keys, those of workers, and sign-ins.

A token is looked up once and then remembered, for as long as nobody revokes it: the log tells of that, and whoever
missed something in it forgets everything.
"""

from __future__ import annotations

import asyncio
import hashlib
import traceback
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final, TypeAlias

import structlog
from attrs import define, field

from codetether_core.access import Credential, CredentialState, Principal, Token
from codetether_core.errors import Unavailable
from codetether_core.events import CREDENTIALS, Cursor, Topic
from codetether_core.ids import CredentialId, TenantId
from codetether_core.ports import Clock
from codetether_core.services import RENEWED, REVOKED, Issuing, Resync, Watching

__all__ = ["KeptTokens", "open_kept_tokens"]

_MOST: Final = 10_000
"""Tokens that are remembered at once, and of those that were revoked."""

_PAUSE: Final = 1.0

_log = structlog.get_logger(__name__)

_Key: TypeAlias = tuple[TenantId, CredentialId]
_Fall: TypeAlias = Callable[[], None]


@asynccontextmanager
async def open_kept_tokens(issuing: Issuing, watching: Watching, clock: Clock) -> AsyncIterator[KeptTokens]:
    """Those of a store. What follows its log ends with the context."""
    tokens = KeptTokens(issuing, watching, clock)
    try:
        yield tokens
    finally:
        await tokens.close()


@define(eq=False)
class KeptTokens:
    """Authenticates against the store (port ``Authenticator``). What is revoked in this process counts at once."""

    _issuing: Issuing
    _watching: Watching
    _clock: Clock
    _known: dict[bytes, Principal] = field(factory=dict, init=False)
    _falls: dict[_Key, set[_Fall]] = field(factory=dict, init=False)
    _over: OrderedDict[_Key, None] = field(factory=OrderedDict, init=False)
    _changes: int = field(default=0, init=False)
    _following: dict[TenantId, tuple[asyncio.Task[None], asyncio.Future[None]]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._issuing.observers.append(self._note)

    async def authenticate(self, credential: str) -> Principal | None:
        """The principal whose token this is; ``None`` if it is none of ours."""
        token = Token.parse(credential)
        if token is None:
            return None
        digest = hashlib.sha256(credential.encode()).digest()
        known = self._known.get(digest)
        if known is not None and (known.expires_at is None or self._clock.now() < known.expires_at):
            return known
        if not self._heeds(token.tenant):
            await self._issuing.recognize(token)  # before: nobody has us follow tenants that there are none of
            await self._follow(token.tenant)
        while True:
            changes = self._changes
            principal = await self._issuing.recognize(token)
            if changes == self._changes:  # else the answer may not have what changed while we asked
                break
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[digest] = principal
        return principal

    @contextmanager
    def standing(self, principal: Principal, fall: _Fall) -> Iterator[None]:
        """Until it is revoked."""
        if principal.credential is None:
            yield
            return
        key = principal.tenant, principal.credential
        falls = self._falls.setdefault(key, set())
        falls.add(fall)
        if key in self._over:
            fall()
        try:
            yield
        finally:
            falls.discard(fall)
            if not falls:
                self._falls.pop(key, None)

    async def close(self) -> None:
        """Follow nothing any more."""
        following = [task for task, _ in self._following.values()]
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)

    def _heeds(self, tenant: TenantId) -> bool:
        """Whether nothing that is revoked from now on can be missed."""
        return tenant in self._following and self._following[tenant][1].done()

    async def _follow(self, tenant: TenantId) -> None:
        """Return once it heeds the tenant; ``Unavailable``."""
        if tenant not in self._following:
            begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._heed(tenant, begun))
            task.add_done_callback(lambda _: self._stop(tenant, begun))
            self._following[tenant] = task, begun
        await asyncio.shield(self._following[tenant][1])

    def _stop(self, tenant: TenantId, begun: asyncio.Future[None]) -> None:
        """Whatever ended it, nothing is remembered of which nobody would hear that it was revoked."""
        self._following.pop(tenant, None)
        self._forget(tenant)
        if not begun.done():
            begun.set_exception(Unavailable("The store cannot tell yet what was revoked", hint="try again"))

    async def _heed(self, tenant: TenantId, begun: asyncio.Future[None]) -> None:
        cursor: Cursor | None = None
        while True:
            with suppress(Unavailable):  # what it had to tell meanwhile it tells afterwards
                async for page in self._watching.follow(Topic(tenant, CREDENTIALS), cursor, kinds=[REVOKED, RENEWED]):
                    cursor = page.cursor
                    if not begun.done():
                        begun.set_result(None)
                    if isinstance(page, Resync):
                        self._forget(tenant)
                        continue
                    for record in page.records:
                        self._forget(tenant, CredentialId(record.topic.subject), over=record.kind == REVOKED)
            if cursor is None:
                return
            await asyncio.sleep(_PAUSE)

    def _note(self, changed: Credential) -> None:
        self._forget(changed.tenant, changed.id, over=changed.state is CredentialState.REVOKED)

    def _forget(self, tenant: TenantId, id: CredentialId | None = None, *, over: bool = True) -> None:
        """Of the tenant's credentials this one, or all: ask the store again, and end what it began if it is over."""
        self._changes += 1
        if over and id is not None:
            self._over[tenant, id] = None
            if len(self._over) > _MOST:
                self._over.popitem(last=False)
        for digest, principal in tuple(self._known.items()):
            if principal.tenant == tenant and id in (None, principal.credential):
                del self._known[digest]
        for (owner, credential), falls in tuple(self._falls.items()):
            if over and owner == tenant and id in (None, credential):
                for fall in tuple(falls):
                    try:
                        fall()
                    except Exception as error:  # the others have to hear of it all the same
                        _report(error)


def _report(error: Exception) -> None:
    """Without its words, in which there may be anything."""
    kind, frames = type(error), traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    _log.error("watcher_failed", error=f"{kind.__module__}.{kind.__qualname__}", where=where)
