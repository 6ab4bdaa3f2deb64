"""Output without the secrets that are in it, however it is cut into chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field

from codetether_core.redaction import NOTHING_HELD, Held, Redactor, rewritten
from codetether_core.tasks.output import OutputChunk

__all__ = ["RedactedOutput"]


def _copied(held: Mapping[str, Held]) -> dict[str, Held]:
    return {**held}


@define
class RedactedOutput:
    """One run's, as it may be told. ``held`` is what was held back so far, by stream."""

    redactor: Redactor
    held: dict[str, Held] = field(factory=dict, converter=_copied)

    def feed(self, chunk: OutputChunk) -> OutputChunk | None:
        """What may be told of a chunk, and of those before it; ``None`` if all of it is held back."""
        text, held = self.redactor.feed(self.held.get(chunk.stream, NOTHING_HELD), chunk.text)
        self.held[chunk.stream] = held
        event = rewritten(chunk.event, self.redactor.whole)
        told = text or event is not None or not chunk.text
        return evolve(chunk, text=text, event=event) if told else None

    def end(self) -> Sequence[OutputChunk]:
        """What was held back, once nothing follows it."""
        rest = [OutputChunk(text=self.redactor.end(held), stream=stream) for stream, held in self.held.items()]
        self.held.clear()
        return [chunk for chunk in rest if chunk.text]
