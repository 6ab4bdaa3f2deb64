"""The task machine as data and as a diagram, both made from its table."""

from __future__ import annotations

import json

from codetether_core.tasks import TERMINAL, TRANSITIONS, TaskState, Trigger

__all__ = ["diagram", "document"]


def document() -> str:
    """``contracts/tasks/transitions.json``."""
    table = {
        "states": [state.value for state in TaskState],
        "initial": TaskState.PENDING.value,
        "terminal": sorted(state.value for state in TERMINAL),
        "triggers": [trigger.value for trigger in Trigger],
        "transitions": [
            {"from": state.value, "trigger": trigger.value, "to": target.value}
            for (state, trigger), target in TRANSITIONS.items()
        ],
    }
    return json.dumps(table, indent=2) + "\n"


def diagram() -> str:
    """``contracts/tasks/transitions.md``: the same as a Mermaid state diagram."""
    arrows: dict[tuple[TaskState, TaskState], list[str]] = {}
    for (state, trigger), target in TRANSITIONS.items():
        arrows.setdefault((state, target), []).append(trigger.value)
    lines = ["# The life of a task", "", "Made from the table in `codetether_core/tasks/machine.py`.", ""]
    lines += ["```mermaid", "stateDiagram-v2", "    [*] --> pending"]
    lines += [f"    {state} --> {target}: {', '.join(names)}" for (state, target), names in arrows.items()]
    lines += [f"    {state} --> [*]" for state in TaskState if state in TERMINAL]
    return "\n".join([*lines, "```", ""])
