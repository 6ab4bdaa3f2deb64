"""However an agent tells of an artifact, in pieces and as a whole, all of its text is told, and once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.a2a_wire.values import Artifact, ArtifactUpdate, Data, Part, Text
from codetether_adapters.peers.failures import Refused
from codetether_adapters.peers.told import Told
from codetether_core.tasks import OutputChunk

PIECES = st.lists(st.text(max_size=6), max_size=8)


def artifact(*pieces: str | int, id: str = "a") -> Artifact:
    parts = [Part(content=Text(each) if isinstance(each, str) else Data(each)) for each in pieces]
    return Artifact(artifact_id=id, parts=tuple(parts))


def update(piece: str | int, *, append: bool = True, id: str = "a") -> ArtifactUpdate:
    return ArtifactUpdate(task_id="t", context_id="c", artifact=artifact(piece, id=id), append=append)


@given(PIECES, st.data())
def test_text_is_told_once(pieces: list[str], data: st.DataObject) -> None:
    """Whatever was missed, and whenever we asked for all of it again, or came back and heard it from its beginning."""
    told, said = Told(), list[OutputChunk]()
    for count, piece in enumerate(pieces, 1):
        match data.draw(
            st.sampled_from(["heard", "missed and asked", "heard and asked", "told again from the beginning"])
        ):
            case "heard":
                said += told.update(update(piece))
            case "missed and asked":
                said += told.whole(artifact(*pieces[:count]))
            case "told again from the beginning":
                for at, each in enumerate(pieces[:count]):
                    said += told.update(update(each, append=at > 0))
            case _:
                said += [*told.update(update(piece)), *told.whole(artifact(*pieces[:count]))]
    assert "".join(chunk.text for chunk in said) == "".join(pieces).replace("\0", "␀")


def test_another_beginning_is_told_anew() -> None:
    told = Told()
    said = [*told.update(update("abc", append=False)), *told.update(update("xy", append=False))]
    assert [chunk.text for chunk in said] == ["abc", "xy"]


def test_what_is_told_again_and_turns_out_otherwise_is_told_anew() -> None:
    told, long = Told(), "x" * 100_000
    said = [*told.update(update(long, append=False))]
    said += [*told.update(update(long[:90_000], append=False)), *told.update(update("y" * 20_000))]
    assert "".join(chunk.text for chunk in said) == long + long[:90_000] + "y" * 20_000


def test_what_is_told_again_in_small_pieces_is_not_told_twice() -> None:
    told, long = Told(), "".join(map(str, range(30_000)))
    said = [*told.update(update(long))]
    for at in range(0, len(long), 10):
        said += told.update(update(long[at : at + 10], append=at > 0))
    said += told.update(update("more"))
    assert "".join(chunk.text for chunk in said) == f"{long}more"
    assert told.text == f"{long}more"


def test_of_more_artifacts_than_anybody_counts_nothing_is_kept() -> None:
    told = Told()
    for number in range(10_000):
        assert [*told.update(update("x", id=str(number)))]
    with pytest.raises(Refused, match="artifacts"):
        list(told.update(update("x", id="one more")))
    assert [*told.update(update("x", id="0"))]


def test_artifacts_have_accounts_of_their_own() -> None:
    told = Told()
    said = [*told.update(update("a", id="1")), *told.update(update("b", id="2")), *told.whole(artifact("aa", id="1"))]
    assert [chunk.text for chunk in said] == ["a", "b", "a"]
    assert told.text == "aba"


def test_data_is_told_once() -> None:
    told = Told()
    said = [*told.update(update(1)), *told.whole(artifact(1, "x", 2)), *told.whole(artifact(1, "x", 2))]
    assert [chunk.event or chunk.text for chunk in said] == [
        {"type": "data", "data": 1},
        "x",
        {"type": "data", "data": 2},
    ]


def test_large_data_is_text() -> None:
    parts = (Part(content=Data("x" * 2_000_000)),)
    said = [*Told().whole(Artifact(artifact_id="a", parts=parts))]
    assert not any(chunk.event for chunk in said)
    assert "".join(chunk.text for chunk in said) == f'{{"type":"data","data":"{"x" * 2_000_000}"}}\n'


def test_long_text_comes_in_pieces() -> None:
    said = [*Told().update(update("x" * 40_000))]
    assert [len(chunk.text) for chunk in said] == [16_384, 16_384, 7_232]
