"""Taking secrets out: in any form, cut anywhere, and nothing else."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from codetether_core.errors import Invalid
from codetether_core.redaction import NOTHING_HELD, Held, Redactor, forms, mark, require_secret

KEY = "sk-ant-0123456789"
TEXT = st.text('ab[\n]:⟦redacted⟧\\"é', max_size=40)
VALUES = st.text('ab[]:\\"é/ ', min_size=8, max_size=12)


def _is_allowed(value: str) -> bool:
    try:
        require_secret("n", value)
    except Invalid:
        return False
    return True


SECRETS = st.lists(VALUES.filter(_is_allowed), min_size=1, max_size=3, unique=True).map(
    lambda values: {f"n{number}": value for number, value in enumerate(values)}
)


def _fed(redactor: Redactor, pieces: list[str]) -> tuple[list[str], Held]:
    told, held = [], NOTHING_HELD
    for piece in pieces:
        clean, held = redactor.feed(held, piece)
        told.append(clean)
    return told, held


@given(SECRETS, st.data())
def test_no_secret_is_told_however_it_is_cut(secrets: dict[str, str], data: st.DataObject) -> None:
    """Neither of what was told so far, nor of all of it; and what holds no secret comes through as it was."""
    forms_of_them = sorted({form for value in secrets.values() for form in forms(value)})
    beginnings = st.sampled_from(forms_of_them).flatmap(lambda form: st.integers(1, len(form)).map(lambda n: form[:n]))
    pieces = data.draw(st.lists(st.one_of(TEXT, st.sampled_from(forms_of_them), beginnings), max_size=8))
    text = "".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    cut = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    redactor = Redactor.of(secrets)

    told, held = _fed(redactor, cut)
    so_far = ["".join(told[: n + 1]) for n in range(len(told))]
    for each in (*so_far, so_far[-1] + redactor.end(held), redactor.whole(text)):
        assert not any(form in each for form in forms_of_them)
    if not any(form in text for form in forms_of_them):
        assert so_far[-1] + redactor.end(held) == text


@given(SECRETS, TEXT, st.integers(0, 40))
def test_it_holds_back_no_more_than_may_be_a_beginning(secrets: dict[str, str], text: str, cut: int) -> None:
    redactor = Redactor.of(secrets)
    _, held = redactor.feed(NOTHING_HELD, text)
    assert text.endswith(held.text)
    assert not held.text or any(
        form.startswith(held.text) and form != held.text for value in secrets.values() for form in forms(value)
    )


@given(st.text(min_size=8, max_size=40).filter(_is_allowed), st.binary(max_size=5), st.binary(max_size=5))
@example("eight ch", b"", b"")
def test_every_form_of_a_secret_is_found(value: str, before: bytes, after: bytes) -> None:
    """Base64 of something longer, JSON in JSON, an address."""
    redactor = Redactor.of({"n": value})
    around = before + value.encode() + after
    for told in (
        value,
        json.dumps({"key": value}),
        json.dumps({"key": value}, ensure_ascii=False),
        json.dumps({"inner": json.dumps({"key": value})}),
        json.dumps({"key": value}).replace("/", "\\/"),
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        quote(value, safe="!'()*"),
        b64encode(around).decode(),
        urlsafe_b64encode(around).decode(),
    ):
        assert mark("n") in redactor.whole(told)


def test_one_mark_stands_for_secrets_that_overlap_and_one_for_each_that_do_not() -> None:
    redactor = Redactor.of({"a": "abcdefgh", "b": "efghijkl"})
    assert redactor.whole("-abcdefghijkl-abcdefghefghijkl-") == f"-{mark('a')}-{mark('a')}{mark('b')}-"
    told, held = redactor.feed(NOTHING_HELD, "-abcdefgh")
    assert (told, held) == (f"-{mark('a')}", Held("efgh", covered=4))
    assert redactor.feed(held, "ijkl-") == ("-", NOTHING_HELD)
    assert redactor.feed(held, "-") == ("-", NOTHING_HELD)
    assert redactor.end(held) == ""


def test_a_short_secret_within_the_beginning_of_a_longer_one_is_found_in_the_end() -> None:
    redactor = Redactor.of({"short": "12345678", "long": "x12345678y12345678"})
    told, held = redactor.feed(NOTHING_HELD, "x12345678y")
    assert (told, held.text) == ("", "x12345678y")
    assert redactor.end(held) == f"x{mark('short')}y"


def test_the_long_words_of_a_secret_are_secrets_but_not_what_is_around_them() -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\nSM49AgEG\n-----END PRIVATE KEY-----"
    redactor = Redactor.of({"pem": pem, "kube": "apiVersion: v1\ncontexts:\n  token: eyJhbGciOiJSUzI1NiIs\n"})
    assert redactor.whole(f"it is {pem}!") == f"it is {mark('pem')}!"
    assert redactor.whole("MIGHAgEAMBMGByqGSM49") == mark("pem")
    assert redactor.whole("token: eyJhbGciOiJSUzI1NiIs") == f"token: {mark('kube')}"
    for innocent in ("-----BEGIN PRIVATE KEY-----", "apiVersion: v1", "contexts:"):
        assert redactor.whole(innocent) == innocent


def test_most_of_a_secret_at_the_end_of_a_text_that_was_cut_is_one() -> None:
    """What is said of an end is not said of the middle, nor of less than half."""
    redactor = Redactor.of({"n": KEY})
    assert redactor.whole(f"-{KEY[:9]}") == f"-{mark('n')}"
    assert redactor.whole(f"{KEY[8:]}-") == f"{mark('n')}-"
    assert redactor.whole(KEY[3:-1]) == KEY[3:-1]
    for innocent in (f"-{KEY[:8]}", f"{KEY[9:]}-", f"-{KEY[:9]}-", f"-{KEY[8:]}-", KEY[:8]):
        assert redactor.whole(innocent) == innocent


def test_bytes_are_searched_as_latin_1() -> None:
    redactor = Redactor.of({"n": "geheimnisträger"}).of_bytes()
    clean = redactor.whole("\xff geheimnisträger \x00".encode().decode("latin-1"))
    assert clean.encode("latin-1").decode() == f"\xff {mark('n')} \x00"


def test_one_without_secrets_lets_everything_pass() -> None:
    redactor = Redactor.of({})
    assert not redactor
    assert redactor.feed(NOTHING_HELD, KEY) == (KEY, NOTHING_HELD)


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("", KEY, "name"),
        ("a b", KEY, "name"),
        ("a" * 65, KEY, "name"),
        ("n", "1234567", "value"),
        ("n", "x" * 16_385, "value"),
        ("n", f"{KEY}\n", "value"),
        ("n", "redacted", "value"),
        ("anthropic", "anthropic", "value"),
        ("n", f"{KEY}⟧", "value"),
        ("n", f"{KEY}\ud800", "value"),
        ("n", f"{KEY}\0x", "value"),
    ],
)
def test_what_cannot_be_kept_out_is_refused(name: str, value: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        require_secret(name, value)
    assert refused.value.field == field


@given(SECRETS)
def test_a_redactor_does_not_show_what_it_knows(secrets: dict[str, str]) -> None:
    assume(not any(value in "Redactor()" for value in secrets.values()))
    assert repr(Redactor.of(secrets)) == "Redactor()"
