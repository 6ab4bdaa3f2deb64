"""Many words at once are found where each would be found alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codetether_core.redaction.lexicon import Lexicon

WORDS = st.lists(st.text("ab", min_size=8, max_size=24), max_size=40)
LONG_WORDS = st.lists(st.text("ab", min_size=20, max_size=24), max_size=8)


@given(st.one_of(WORDS, LONG_WORDS), st.data())
def test_every_word_is_found_and_nothing_else(words: list[str], data: st.DataObject) -> None:
    """However many there are, however long the text is, and whatever begins with what."""
    parts = st.one_of(st.text("abc", max_size=30), *([st.sampled_from(words)] if words else []))
    text = "".join(data.draw(st.lists(parts, max_size=30)))
    lexicon = Lexicon.of(words)
    places = lexicon.places(text)
    assert [*places] == sorted(set(places))
    found = [(place, word) for place in places for word in lexicon.at(text, place)]
    there = sorted({*words}, key=len, reverse=True)
    assert sorted(found, key=lambda each: (each[0], -len(each[1]))) == found
    assert found == [(place, word) for place in range(len(text)) for word in there if text.startswith(word, place)]


@given(st.one_of(WORDS, LONG_WORDS), st.data())
def test_the_ends_of_a_text_that_words_begin_with(words: list[str], data: st.DataObject) -> None:
    beginning = st.sampled_from(words).map(lambda word: word[:-1]) if words else st.just("")
    text = data.draw(st.text("abc", max_size=30)) + data.draw(beginning)
    lexicon = Lexicon.of(words)
    endings = [ending for ending in lexicon.endings(text, lexicon.places(text)) if [*lexicon.going_on(ending)]]
    ends = [text[place:] for place in range(len(text))]
    assert endings == [end for end in ends if any(word != end and word.startswith(end) for word in words)]
    for end in ends:
        assert [*lexicon.going_on(end)] == sorted({word for word in words if word != end and word.startswith(end)})
