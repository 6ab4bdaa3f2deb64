"""What an agent has told of its artifacts, so that nothing is told twice when it is asked again.

Text of artifacts is output, as it comes; data too, as events, unless it has a file's name. Files are taken when all is
done, as they are then.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field

from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import Artifact, ArtifactUpdate, Data, Part, Raw, Text, Url
from codetether_adapters.peers.failures import Refused
from codetether_adapters.peers.words import fit
from codetether_core.tasks import OutputChunk
from codetether_core.tasks.agent_json import read_object

__all__ = ["Told", "events_of", "is_file"]

_PIECE: Final = 16 * 1024
_KEPT: Final = 256 * 1024
_BEGINNING: Final = 4 * 1024
_HELD: Final = 32 * 1024 * 1024
"""Characters that are compared with what was told: as many as an answer may have."""

_LARGEST: Final = 1024 * 1024
_MOST: Final = 10_000


@define(eq=False)
class _Again:
    """What an artifact begins with when it is told from its beginning a second time, until that has caught up."""

    length: int = 0
    digest: Any = field(factory=hashlib.sha256)
    pieces: list[str] = field(factory=list)


@define(eq=False)
class _Account:
    """What was told of one artifact: so much text, with that digest and that beginning, and so many pieces of data."""

    length: int = 0
    digest: Any = field(factory=hashlib.sha256)
    beginning: str = ""
    data: int = 0
    again: _Again | None = None

    def new_of(self, text: str) -> str:
        """What was not told yet of text that goes on from where we are; it is told now."""
        if self.again is not None:
            text = self._caught_up(self.again, text)
        self.length += len(text)
        self.digest.update(_bytes(text))
        self.beginning += text[: _BEGINNING - len(self.beginning)]
        return text

    def _caught_up(self, again: _Again, text: str) -> str:
        """What is beyond what was told, as soon as there is any; all of it, if it turns out to be something else."""
        known = text[: self.length - again.length]
        begins = known[: max(_BEGINNING - again.length, 0)]
        same = self.beginning[again.length :].startswith(begins) and again.length + len(known) <= _HELD
        again.length += len(known)
        again.digest.update(_bytes(known))
        again.pieces.append(text)
        if same and again.length < self.length:
            return ""
        self.again = None
        if same and again.digest.digest() == self.digest.digest():
            return text[len(known) :]
        self.length, self.digest, self.beginning = 0, hashlib.sha256(), ""
        return "".join(again.pieces)


@define(eq=False)
class Told:
    """One task's. ``files`` is whether it has any. ``Refused`` for more artifacts than anybody keeps account of."""

    files: bool = field(default=False, init=False)
    _accounts: dict[str, _Account] = field(factory=dict, init=False)
    _last: deque[str] = field(factory=deque, init=False)
    _kept: int = field(default=0, init=False)

    @property
    def text(self) -> str:
        """The last of what it printed."""
        return fit("".join(self._last))[-_KEPT:]

    def update(self, update: ArtifactUpdate) -> Iterator[OutputChunk]:
        """Output that an update brings."""
        artifact = update.artifact
        if not update.append:
            yield from self.whole(artifact)
            return
        account = self._account(artifact.artifact_id)
        for part in artifact.parts:
            yield from self._more(account, part)

    def whole(self, artifact: Artifact) -> Iterator[OutputChunk]:
        """Output that the artifact has beyond what was told of it; all of it, if that is not how it begins."""
        account = self._account(artifact.artifact_id)
        account.again = _Again()
        text = "".join(part.content.text for part in artifact.parts if isinstance(part.content, Text))
        yield from self._printed(account, text)
        self.files |= any(map(is_file, artifact.parts))
        data = [part for part in artifact.parts if isinstance(part.content, Data) and not is_file(part)]
        for part in data[account.data :]:
            yield from self._more(account, part)

    def _more(self, account: _Account, part: Part) -> Iterator[OutputChunk]:
        match part.content:
            case _ if is_file(part):
                self.files = True
            case Text(text):
                yield from self._printed(account, text)
            case Data(data):
                account.data += 1
                yield from events_of(data)

    def _printed(self, account: _Account, text: str) -> Iterator[OutputChunk]:
        text = account.new_of(text)
        self._last.append(text)
        self._kept += len(text)
        while self._kept - len(self._last[0]) >= _KEPT:
            self._kept -= len(self._last.popleft())
        for at in range(0, len(text), _PIECE):
            yield OutputChunk(text=fit(text[at : at + _PIECE]))

    def _account(self, id: str) -> _Account:
        if id not in self._accounts and len(self._accounts) >= _MOST:
            raise Refused(0, f"it tells of more than {_MOST:,} artifacts")
        return self._accounts.setdefault(id, _Account())


def is_file(part: Part) -> bool:
    """Whether it is a file, or where there is one; data is if it has a file's name."""
    return isinstance(part.content, Raw | Url) or (isinstance(part.content, Data) and part.filename is not None)


def events_of(data: Any) -> Iterator[OutputChunk]:
    """The data as an agent of ours would print it: an object with a type; as text alone if it is large."""
    told = data if isinstance(data, dict) and isinstance(data.get("type"), str) else {"type": "data", "data": data}
    text = encode(told).decode()
    if len(text) <= _LARGEST:
        yield OutputChunk(text=f"{text}\n", event=read_object(text))
        return
    for at in range(0, len(text), _PIECE):
        yield OutputChunk(text=fit(text[at : at + _PIECE]))
    yield OutputChunk(text="\n")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
