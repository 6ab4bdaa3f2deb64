"""A conversation in OpenCode's own storage, as a worker finds it on its machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["SESSION", "keep_session"]

SESSION: Final = "ses_kept"
_MOMENT: Final = 1_760_000_000_500


def keep_session(home: Path, checkout: Path) -> None:
    """One session about the checkout, of one message."""
    storage = home / ".local" / "share" / "opencode" / "storage"
    time = {"created": _MOMENT, "updated": _MOMENT}
    _write(storage / "project" / "prj_1.json", id="prj_1", worktree=str(checkout), time=time)
    _write(
        storage / "session" / "prj_1" / f"{SESSION}.json",
        id=SESSION, title="A kept conversation", directory=str(checkout), version="1.0", time=time, summary={},
    )  # fmt: skip
    _write(
        storage / "message" / SESSION / "msg_1.json",
        id="msg_1", sessionID=SESSION, role="user", agent="build", time=time,
        model={"providerID": "anthropic", "modelID": "claude-x"},
    )  # fmt: skip
    _write(storage / "part" / "msg_1" / "prt_1.json", id="prt_1", type="text", text="hi there")


def _write(path: Path, **members: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(members))
