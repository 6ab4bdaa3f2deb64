"""A conversation in OpenCode's own storage, as a worker finds it on its machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["SESSION", "keep_session"]

SESSION: Final = "ses_kept"
_MOMENT: Final = 1_760_000_000_500


def keep_session(home: Path, checkout: Path, id: str = SESSION) -> None:
    """One session about the checkout, of one message."""
    storage = home / ".local" / "share" / "opencode" / "storage"
    time = {"created": _MOMENT, "updated": _MOMENT}
    _write(storage / "project" / "prj_1.json", id="prj_1", worktree=str(checkout), time=time)
    _write(
        storage / "session" / "prj_1" / f"{id}.json",
        id=id, title="A kept conversation", directory=str(checkout), version="1.0", time=time, summary={},
    )  # fmt: skip
    _write(
        storage / "message" / id / f"msg_{id}.json",
        id=f"msg_{id}", sessionID=id, role="user", agent="build", time=time,
        model={"providerID": "anthropic", "modelID": "claude-x"},
    )  # fmt: skip
    _write(storage / "part" / f"msg_{id}" / "prt_1.json", id="prt_1", type="text", text="hi there")


def _write(path: Path, **members: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(members))
