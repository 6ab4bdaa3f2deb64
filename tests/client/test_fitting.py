"""Whatever a function says, the server can take it."""

from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.client.fitting import PIECE_BYTES, RESULT_BYTES, clean, cut, pieces

anything = st.text(st.characters(codec=None, categories=None), max_size=200)
long_texts = st.builds(
    lambda text, times: text * times, st.text("aé漢\U0001f600\n\0", max_size=9), st.integers(0, 9000)
)


@given(anything)
def test_clean_text_can_be_sent_and_kept(text: str) -> None:
    assert "\0" not in clean(text)
    assert clean(text).encode().decode() == clean(text)


def test_what_cannot_be_is_shown_as_what_it_was() -> None:
    assert clean("a\0b") == "a␀b"
    assert clean("half \ud83d, both \ud83d\ude00") == "half \ufffd, both \U0001f600"


@given(long_texts)
def test_pieces_are_small_and_joined_they_are_the_whole(text: str) -> None:
    cut_up = list(pieces(text))
    assert "".join(cut_up) == clean(text)
    assert all(0 < len(piece.encode()) <= PIECE_BYTES for piece in cut_up)


def test_a_piece_ends_with_a_line_where_there_is_one() -> None:
    line = "x" * 99 + "\n"
    assert all(piece.endswith("\n") for piece in pieces(line * 1000))


@given(long_texts)
def test_a_cut_text_says_how_much_is_missing(text: str) -> None:
    kept = cut(text)
    if len(clean(text).encode()) <= RESULT_BYTES:
        assert kept == clean(text)
    else:
        beginning, _, note = kept.rpartition("\n")
        missing = len(clean(text).encode()) - len(beginning.encode())
        assert clean(text).startswith(beginning)
        assert note == f"[{missing} bytes after this were cut]"
        assert len(beginning.encode()) <= RESULT_BYTES
