"""Any bytes become text that stores and clients accept, in bounded pieces, with nothing lost."""

from collections.abc import Set
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.agents.chunks import CHUNK_BYTES, JSON_LINE_CHARACTERS, Chunks, Tail

PIECES = st.sampled_from(
    [b"\n", b"{", b'{"type":"text"}', b"plain", b"\0", b"\x1b[31m", b"\r", b"\xff", b"\xe2\x82", b"\xac", "𝄞é".encode()]
)
STREAMS = st.lists(PIECES | st.binary(max_size=20), max_size=60).map(b"".join)


def read(data: bytes, cuts: list[int], flush_at: Set[int] = frozenset()) -> list[str]:
    chunks, texts = Chunks(), list[str]()
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for number, (start, end) in enumerate(pairwise(bounds)):
        texts += chunks.feed(data[start:end])
        if number in flush_at:
            texts += chunks.flush()
    return texts + chunks.finish()


@given(STREAMS, st.lists(st.integers(0, 600), max_size=30), st.sets(st.integers(0, 30)))
def test_joined_the_chunks_are_the_whole_however_it_arrives(data: bytes, cuts: list[int], flush_at: set[int]) -> None:
    texts = read(data, cuts, flush_at)
    assert "".join(texts) == data.decode("utf-8", "replace").replace("\0", "␀")
    assert all(texts), "no empty chunk"


@given(
    st.lists(
        st.sampled_from([(b"x", 9000), ("é𝄞".encode(), 3000), (b"\n", 1), (b"{", 1), (b"\xff", 5000)]), max_size=20
    ),
    st.lists(st.integers(0, 200_000), max_size=10),
)
def test_no_chunk_is_larger_than_promised(runs: list[tuple[bytes, int]], cuts: list[int]) -> None:
    for text in read(b"".join(piece * count for piece, count in runs), cuts):
        assert len(text.encode()) <= CHUNK_BYTES or (text.startswith("{") and len(text) <= JSON_LINE_CHARACTERS)


def test_a_line_of_json_is_a_chunk_of_its_own_even_if_it_comes_in_pieces() -> None:
    """The core parses a chunk that is one line of JSON; a merged or cut one it could not."""
    long = b'{"type":"tool_use","text":"' + b"y" * 40_000 + b'"}\n'
    data = b'warning\nagain\n{"type":"a"}\n' + long + b'{"type":"b"}\nbye\nbye'
    texts = read(data, [3, 17, 20_000, 30_000, 40_050])
    assert [text for text in texts if text.startswith("{")] == ['{"type":"a"}\n', long.decode(), '{"type":"b"}\n']


def test_plain_lines_that_come_together_share_a_chunk_and_are_cut_between_lines() -> None:
    texts = Chunks().feed(b"line\n" * 10_000)
    assert len(texts) < 10
    assert all(text.endswith("line\n") and len(text) <= CHUNK_BYTES for text in texts)


def test_a_line_that_waits_can_be_shown_but_a_piece_of_json_cannot() -> None:
    """A person must see the agent's prompt; a watcher must not get half of an object."""
    chunks = Chunks()
    assert chunks.feed(b"Go on? [y/N] ") == []
    assert chunks.waiting
    assert chunks.flush() == ["Go on? [y/N] "]
    assert chunks.feed(b'{y}\n{"type"') == ["{y}\n"]
    assert chunks.flush() == []
    assert chunks.feed(b":1}\n") == ['{"type":1}\n']


def test_ten_megabytes_without_an_end_of_line_never_pile_up() -> None:
    for opening in (b"", b"{"):
        chunks = Chunks()
        seen = sum(len(text) for text in chunks.feed(opening))
        for _ in range(160):
            seen += sum(len(text) for text in chunks.feed(b"z" * 65_536))
            assert seen > 0
        seen += sum(len(text) for text in chunks.finish())
        assert seen == 160 * 65_536 + len(opening)


@given(st.lists(st.text(min_size=1, max_size=40), max_size=40), st.integers(1, 100))
def test_a_tail_is_the_end_of_the_text_and_counts_what_is_missing(texts: list[str], limit: int) -> None:
    tail = Tail(limit)
    for text in texts:
        tail.add(text)
    whole = "".join(texts)
    if len(whole.encode()) <= limit:
        assert tail.text() == whole
    else:
        note, _, kept = tail.text().partition("\n")
        assert whole.endswith(kept)
        assert limit - 4 < len(kept.encode()) <= limit
        assert f"[{len(whole.encode()) - len(kept.encode())} bytes" in note
