"""What an agent elsewhere tells of a task, told here: words and artifacts as output, files as files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import count
from posixpath import splitext
from typing import Final

from attrs import define, field

from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import Artifact, ArtifactUpdate, Data, Message, Part, Raw, Url
from codetether_adapters.peers.told import Told, events_of, is_file
from codetether_adapters.peers.words import fit, said_in
from codetether_core.errors import CodeTetherError
from codetether_core.ports import Holder
from codetether_core.tasks import OutputChunk

__all__ = ["Reporting"]

_BINARY: Final = "application/octet-stream"
_JSON: Final = "application/json"


@define(eq=False)
class Reporting:
    """To the holder of one task. Words that the agent only says meanwhile, and troubles, go to ``stderr``."""

    holder: Holder
    _told: Told = field(factory=Told, init=False)
    _troubled: str = field(default="", init=False)
    _said: str = field(default="", init=False)

    @property
    def text(self) -> str:
        """The last of what was printed."""
        return self._told.text

    @property
    def has_files(self) -> bool:
        """Whether there were files, or where to find some."""
        return self._told.files

    async def artifacts(self, artifacts: Iterable[Artifact]) -> None:
        """What these have beyond what was told of them."""
        for artifact in artifacts:
            for chunk in self._told.whole(artifact):
                await self.holder.emit(chunk)

    async def update(self, update: ArtifactUpdate) -> None:
        """What an update brings."""
        for chunk in self._told.update(update):
            await self.holder.emit(chunk)

    async def words(self, message: Message) -> None:
        """What the agent says: data as events, as our own agents have them."""
        if message.message_id == self._said:
            return
        self._said = message.message_id
        for part in message.parts:
            if isinstance(part.content, Data):
                for chunk in events_of(part.content.data):
                    await self.holder.emit(chunk)
            elif text := said_in([part]):
                await self.holder.emit(OutputChunk(text=f"{text}\n", stream="stderr"))

    async def trouble(self, problem: str) -> None:
        """Something that passes by itself; said once for as long as it is the same."""
        if problem != self._troubled:
            self._troubled = problem
            await self.holder.emit(OutputChunk(text=fit(f"{problem}\n"), stream="stderr"))

    async def whole(self, artifacts: Iterable[Artifact]) -> None:
        """All that is left to tell of artifacts that are complete, their files too, each under a name of its own."""
        names = set[str]()
        for artifact in artifacts:
            await self.artifacts([artifact])
            for part in artifact.parts:
                if is_file(part):
                    name = _unlike(names, part.filename or artifact.name or artifact.artifact_id)
                    names.add(name)
                    await self._file(name, part)

    async def _file(self, name: str, part: Part) -> None:
        match part.content:
            case Url(url):
                await self.holder.emit(OutputChunk(text=fit(f"{name}: {url}\n")))
            case Raw(raw):
                await self._keep(name, part.media_type or _BINARY, raw)
            case Data(data):
                await self._keep(name, part.media_type or _JSON, encode(data))

    async def _keep(self, name: str, media_type: str, data: bytes) -> None:
        try:
            await self.holder.attach(name, media_type, data)
        except CodeTetherError as error:
            await self.trouble(f"The file {name} is not kept: {error.message}")


def _unlike(names: Collection[str], name: str) -> str:
    """The name, with a number before its suffix if others have it; the same files get the same names every time."""
    root, suffix = splitext(name)
    numbered = (f"{root}-{number}{suffix}" for number in count(2))
    return name if name not in names else next(each for each in numbered if each not in names)
