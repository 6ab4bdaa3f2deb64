"""Text is shown, never obeyed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_apps.cli.harmless import Harmless, harmless

ALLOWED = {"\t", "\n"}
noise = st.text(alphabet="\x1b\x9b\x9d\x07\x00\r\n\t[]0;31mPX^_\\?h \u202eé漢a", max_size=40)


def controls(text: str) -> set[str]:
    return {each for each in text if (ord(each) < 32 or 127 <= ord(each) < 160) and each not in ALLOWED}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("plain é 漢 \U0001f600\n", "plain é 漢 \U0001f600\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x9b2Jcleared", "cleared"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("bell\x07 back\x08 null\x00", "bell back null"),
        ("\x1b(Bcharset \x1b7saved", "charset saved"),
        ("right\u202eto left", "rightto left"),
    ],
)
def test_control_sequences_are_left_out(told: str, shown: str) -> None:
    assert harmless(told) == shown


@given(noise)
def test_nothing_that_controls_is_left(text: str) -> None:
    assert not controls(harmless(text))


@given(st.lists(noise, max_size=6))
def test_pieces_are_as_harmless_as_the_whole_and_lose_no_plain_text(pieces: list[str]) -> None:
    cleaned = Harmless()
    shown = "".join([*(cleaned.feed(piece) for piece in pieces), cleaned.rest()])
    assert shown == harmless("".join(pieces))
