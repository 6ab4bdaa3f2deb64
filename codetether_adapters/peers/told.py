"""What an agent has told of its artifacts, so that nothing is told twice when it is asked again.

Text of artifacts is output, as it comes; data too, as events. Files are taken when all is done, as they are then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field

from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import Artifact, ArtifactUpdate, Data, Part, Raw, Text, Url
from codetether_adapters.peers.words import fit
from codetether_core.tasks import OutputChunk
from codetether_core.tasks.agent_json import read_object

__all__ = ["Told", "event_of"]

_PIECE: Final = 16 * 1024
_KEPT: Final = 256 * 1024
_BEGINNING: Final = 64 * 1024


@define(eq=False)
class _Account:
    """What was told of one artifact: so much text, with that digest and that beginning, and so many pieces of data.

    ``again`` is what it begins with when it is told from its beginning a second time, until that has caught up.
    """

    length: int = 0
    digest: Any = field(factory=hashlib.sha256)
    beginning: str = ""
    data: int = 0
    again: str | None = None

    def tell(self, text: str) -> None:
        """It is told now."""
        self.length += len(text)
        self.digest.update(_bytes(text))
        self.beginning += text[: _BEGINNING - len(self.beginning)]

    def is_how(self, text: str) -> bool:
        """Whether what was told is how this begins, or may come to begin."""
        if len(text) < self.length:
            return self.beginning.startswith(text[:_BEGINNING])
        told: bytes = self.digest.digest()
        return hashlib.sha256(_bytes(text[: self.length])).digest() == told


@define(eq=False)
class Told:
    """One task's. ``text`` is the last of what it printed, ``files`` whether it has any."""

    text: str = field(default="", init=False)
    files: bool = field(default=False, init=False)
    _accounts: dict[str, _Account] = field(factory=dict, init=False)

    def update(self, update: ArtifactUpdate) -> Iterator[OutputChunk]:
        """Output that an update brings."""
        artifact = update.artifact
        if not update.append:
            yield from self.whole(artifact)
            return
        account = self._accounts.setdefault(artifact.artifact_id, _Account())
        for part in artifact.parts:
            yield from self._more(account, part)

    def whole(self, artifact: Artifact) -> Iterator[OutputChunk]:
        """Output that the artifact has beyond what was told of it; all of it, if that is not how it begins."""
        account = self._accounts.setdefault(artifact.artifact_id, _Account())
        account.again = ""
        text = "".join(part.content.text for part in artifact.parts if isinstance(part.content, Text))
        yield from self._printed(account, text)
        known = account.data
        for part in artifact.parts:
            if isinstance(part.content, Data):
                known -= 1
            if not isinstance(part.content, Text) and (known < 0 or not isinstance(part.content, Data)):
                yield from self._more(account, part)

    def _more(self, account: _Account, part: Part) -> Iterator[OutputChunk]:
        match part.content:
            case Text(text):
                yield from self._printed(account, text)
            case Data(data):
                account.data += 1
                yield event_of(data)
            case Raw() | Url():
                self.files = True

    def _printed(self, account: _Account, text: str) -> Iterator[OutputChunk]:
        """What is new of the text, which goes on from where the account is."""
        if account.again is not None:
            text, account.again = account.again + text, None
            if not account.is_how(text):
                account.length, account.digest, account.beginning = 0, hashlib.sha256(), ""
            elif len(text) < account.length:
                account.again = text
            text = text[account.length :]
        account.tell(text)
        self.text = fit(self.text + text)[-_KEPT:]
        for at in range(0, len(text), _PIECE):
            yield OutputChunk(text=fit(text[at : at + _PIECE]))


def event_of(data: Any) -> OutputChunk:
    """The data as an agent of ours would print it: an object with a type."""
    told = data if isinstance(data, dict) and isinstance(data.get("type"), str) else {"type": "data", "data": data}
    text = encode(told).decode()
    return OutputChunk(text=f"{text}\n", event=read_object(text))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
