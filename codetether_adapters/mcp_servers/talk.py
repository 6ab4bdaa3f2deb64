"""One operation with a server: begun in the era that the server speaks, and ended so that nothing of it is left."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from attrs import define, evolve, field

from codetether_adapters.mcp_servers.eras import HANDSHAKE, HANDSHAKES, MODERN, Session
from codetether_adapters.mcp_servers.failures import Refused, unfit
from codetether_adapters.mcp_servers.wire import Wire
from codetether_core.errors import Unavailable

__all__ = ["Talk"]

_HANDSHAKE: Final = "initialize"
_UNSUPPORTED_REVISION: Final = -32022
_METHOD_NOT_FOUND: Final = -32601
_VISIBLE: Final = range(0x21, 0x7F)


@define(eq=False)
class Talk:
    """Requests over a ``wire``, one after another; ``client`` is who we say that we are."""

    wire: Wire
    client: Mapping[str, str]
    session: Session = field(init=False)
    _ids: Any = field(factory=lambda: count(1), init=False)
    _unanswered: int | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.session = Session(MODERN, self.client)

    async def begin(self) -> None:
        """Find out which era it is, which a server that has a handshake says by not knowing what is asked."""
        try:
            found = await self.ask("server/discover", {})
        except Refused as refusal:
            spoken = refusal.data.get("supported")
            if refusal.code == _UNSUPPORTED_REVISION and not (isinstance(spoken, list) and set(HANDSHAKES) & {*spoken}):
                raise unfit("speaks none of the protocol's revisions that we do") from None
        else:
            spoken = found.get("supportedVersions")
            if isinstance(spoken, list) and MODERN in spoken:
                return
        await self._shake_hands()

    async def ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of a request; ``Refused``, and what the port has. Cancelling it leaves it for ``farewell``."""
        id = next(self._ids)
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": self.session.params(params)}
        self._unanswered = None if method == _HANDSHAKE else id  # which cannot be withdrawn
        try:
            async with self.wire.post(message, self._headers(method, params)) as reply:
                self._note_session(method, reply.headers.get("mcp-session-id"))
                async for told in reply.messages:
                    if "method" in told:
                        await self._refuse(told)
                    elif told.get("id") == id:
                        self._unanswered = None
                        return self._result(told)
        except Refused:
            self._unanswered = None
            raise
        raise Unavailable(f"{self.wire.server.name} ended its answer before there was one")

    async def farewell(self) -> None:
        """Withdraw what has no answer yet, and end the session. In the later era closing the connection did that."""
        if self.session.modern:
            return
        if self._unanswered is not None:
            await self._tell("notifications/cancelled", {"requestId": self._unanswered})
        if self.session.id:
            await self.wire.delete(self._headers("", {}))

    @property
    def owes_farewell(self) -> bool:
        """Whether the server is to be told that we go."""
        return not self.session.modern and (bool(self.session.id) or self._unanswered is not None)

    async def _shake_hands(self) -> None:
        self.session = Session(HANDSHAKE, self.client)
        asked = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": self.client}
        found = await self.ask(_HANDSHAKE, asked)
        revision = found.get("protocolVersion")
        if revision not in HANDSHAKES:
            raise unfit("speaks none of the protocol's revisions that we do")
        self.session = evolve(self.session, revision=revision)
        await self._tell("notifications/initialized", {})

    def _note_session(self, method: str, id: str | None) -> None:
        if method != _HANDSHAKE or not id:
            return
        if not all(ord(character) in _VISIBLE for character in id):
            raise unfit("gives its session an id that is none")
        self.session = evolve(self.session, id=id)

    async def _refuse(self, told: Mapping[str, Any]) -> None:
        """It asks something of us, which we said that we cannot do; what it only tells needs no answer."""
        id = told.get("id")
        if not isinstance(id, str | int):
            return
        if self.session.modern:
            raise unfit("asks something of us, which this revision does not know")
        if told["method"] == "ping":
            answer: Mapping[str, Any] = {"jsonrpc": "2.0", "id": id, "result": {}}
        else:
            error = {"code": _METHOD_NOT_FOUND, "message": "This client can do nothing for servers"}
            answer = {"jsonrpc": "2.0", "id": id, "error": error}
        await self._send(answer, "")

    async def _tell(self, method: str, params: Mapping[str, Any]) -> None:
        await self._send({"jsonrpc": "2.0", "method": method, "params": params}, method)

    async def _send(self, message: Mapping[str, Any], method: str) -> None:
        """What is not answered."""
        try:
            async with self.wire.post(message, self._headers(method, {})):
                pass
        except Refused as refusal:
            raise Unavailable(f"{self.wire.server.name} does not take what it has to: {refusal.message}") from None

    def _headers(self, method: str, params: Mapping[str, Any]) -> Mapping[str, str]:
        headers = self.session.headers(method, params)
        if method == _HANDSHAKE:
            del headers["MCP-Protocol-Version"]  # which the handshake is about
        return headers

    def _result(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        error, result = told.get("error"), told.get("result")
        if isinstance(error, dict):
            raise self.wire.refusal(error)
        if not isinstance(result, dict):
            raise unfit("answers without a result")
        if result.get("resultType", "complete") != "complete":
            raise unfit("asks something in place of an answer, which we cannot answer")
        return result
