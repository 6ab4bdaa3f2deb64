"""Files that runs left, as answered."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

__all__ = ["Artifact", "ArtifactAnswer", "Artifacts"]


@frozen(kw_only=True)
class Artifact:
    """A file that a run left; ``attempt`` is the number of the lease under which it did."""

    name: str
    media_type: str
    size: int
    attempt: int
    created_at: datetime


@frozen(kw_only=True)
class ListedArtifact(Artifact):
    """A file, and where anybody may read it until ``url_expires_at``, if the store of files has such addresses."""

    url: str | None
    url_expires_at: datetime | None


@frozen(kw_only=True)
class Artifacts:
    """A task's files, in order of name."""

    task_id: str
    artifacts: tuple[ListedArtifact, ...]


@frozen(kw_only=True)
class ArtifactAnswer:
    """The file is kept."""

    success: bool
    artifact: Artifact
