"""``contracts/examples``: a new server answers every recorded request as it is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.examples import EXAMPLES
from tests.contracts.stage import open_stage

ROOT = Path(__file__).parents[2] / "contracts"


def test_there_is_a_script_for_every_example() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/*")} == EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
async def test_it_is_answered_as_recorded(name: str) -> None:
    example = json.loads((ROOT / name).read_text(encoding="utf-8"))
    async with open_stage() as stage:
        for number, step in enumerate(example["steps"]):
            answer = await stage.perform(step)
            assert answer == {part: step[part] for part in answer}, f"step {number} of {name}"
