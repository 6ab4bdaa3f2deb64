"""What an agent prints, without the secrets that its run was handed: none of them lies on the worker's disk, either."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from attrs import define, evolve, field

from codetether_core.ports import RunFailed, RunOutcome
from codetether_core.redaction import NOTHING_HELD, Held, Redactor, rewritten
from codetether_core.tasks import OutputChunk

__all__ = ["Speech"]


@define(eq=False)
class Speech:
    """Of one run. ``emit`` is called with what may be told."""

    _redactor: Redactor
    _emit: Callable[[OutputChunk], Awaitable[None]]
    _held: dict[str, Held] = field(factory=dict, init=False)

    @classmethod
    def of(cls, environment: Mapping[str, str], emit: Callable[[OutputChunk], Awaitable[None]]) -> Speech:
        """For a run that was handed this environment."""
        return cls(Redactor.of(environment), emit)

    async def say(self, chunk: OutputChunk) -> None:
        """Tell of a chunk what cannot be the beginning of a secret."""
        if not self._redactor:
            return await self._emit(chunk)
        text, self._held[chunk.stream] = self._redactor.feed(self._held.get(chunk.stream, NOTHING_HELD), chunk.text)
        event = rewritten(chunk.event, self._redactor.whole)
        if text or event is not None:
            await self._emit(evolve(chunk, text=text, event=event))

    async def finish(self) -> None:
        """Tell what was held back."""
        for stream, held in self._held.items():
            if rest := self._redactor.end(held):
                await self._emit(OutputChunk(text=rest, stream=stream))
        self._held.clear()

    def outcome(self, outcome: RunOutcome) -> RunOutcome:
        """How the run went well."""
        return evolve(outcome, result=self._redactor.whole(outcome.result))

    def failure(self, failed: RunFailed) -> RunFailed:
        """How it went wrong."""
        return RunFailed(self._redactor.whole(failed.error), failed.reason)
