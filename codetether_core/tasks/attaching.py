"""Files that a run leaves with its task."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import evolve

from codetether_core.artifacts import Artifact
from codetether_core.errors import NotFound, TooManyArtifacts
from codetether_core.tasks.holding import held_by
from codetether_core.tasks.lease import LeaseTerms, Word
from codetether_core.tasks.task import Task

__all__ = ["ARTIFACTS_MOST", "artifact_of", "attach"]

ARTIFACTS_MOST: Final = 100
"""How many files a task may have: all of them are written with each of its versions."""


def attach(task: Task, word: Word, artifact: Artifact, now: datetime, terms: LeaseTerms) -> Task:
    """The holder leaves a file, in place of one of that name; the same value if this very one is there already."""
    held = held_by(task, word, now, terms)
    others = tuple(each for each in held.artifacts if each.name != artifact.name)
    if any(_same(each, artifact) for each in held.artifacts):
        return task
    if len(others) >= ARTIFACTS_MOST:
        raise TooManyArtifacts(
            f"A task keeps {ARTIFACTS_MOST} files at most", hint="leave one archive instead", id=task.id
        )
    kept = tuple(sorted((*others, artifact), key=lambda each: each.name))
    return evolve(held, artifacts=kept, version=task.version + 1, updated_at=now)


def artifact_of(task: Task, name: str) -> Artifact:
    """The task's file of that name; ``NotFound``."""
    for artifact in task.artifacts:
        if artifact.name == name:
            return artifact
    raise NotFound("artifact", name)


def _same(one: Artifact, other: Artifact) -> bool:
    return evolve(one, created_at=other.created_at) == other
