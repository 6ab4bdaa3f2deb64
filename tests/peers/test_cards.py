"""What is made of a card: where the agent is spoken to, who vouches for that, and where nobody goes to look."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.a2a.card import Interface, Profile
from codetether_adapters.a2a.card.release_0_3 import with_release_0_3
from codetether_adapters.a2a.card.release_1_0 import card_of
from codetether_adapters.a2a.card.signing import signatures_of
from codetether_adapters.outgoing.allowing import allowed
from codetether_adapters.outgoing.transport import open_transport
from codetether_adapters.peers import Cards
from codetether_adapters.peers.card_reading import card_of as reading
from codetether_adapters.peers.signed_part import signed_part
from codetether_adapters.signing import DetachedEs256, is_signed
from codetether_core.errors import CodeTetherError, Invalid
from tests.a2a.profiles import profiles
from tests.peers.far import CARD, URL, Far

OURS, OTHERS = (DetachedEs256([("k", key * 32)], b"agent card") for key in (b"o", b"x"))
SITE = "https://far.test"
JSONRPC = {"protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
OLD = {"name": "old", "description": "Old", "protocolVersion": "0.3.0", "url": f"{SITE}/a2a", "capabilities": {}}


def interfaces(*each: tuple[str, str, str]) -> dict[str, Any]:
    told = [{"url": url, "protocolBinding": binding, "protocolVersion": version} for url, binding, version in each]
    return CARD | {"supportedInterfaces": told}


@pytest.mark.parametrize(
    ("card", "url", "dialect"),
    [
        (CARD, f"{URL}/rpc", "1.0"),
        (interfaces((f"{SITE}/old", "JSONRPC", "0.3"), (f"{SITE}/new", "JSONRPC", "1.0")), f"{SITE}/new", "1.0"),
        (
            interfaces((f"{SITE}/a", "JSONRPC", "1.0"), (f"{SITE}/b", "JSONRPC", "1.0.1")),
            f"{SITE}/a",
            "1.0",
        ),
        (interfaces((f"{SITE}/rest", "HTTP+JSON", "1.0"), (f"{SITE}/old", "jsonrpc", "0.3.0")), f"{SITE}/old", "0.3"),
        (OLD, f"{SITE}/a2a", "0.3"),
        ({**OLD, "protocolVersion": None}, f"{SITE}/a2a", "0.3"),
        (
            {
                **OLD,
                "preferredTransport": "GRPC",
                "additionalInterfaces": [{"url": f"{SITE}/rpc", "transport": "JSONRPC"}],
            },
            f"{SITE}/rpc",
            "0.3",
        ),
    ],
)
def test_the_newest_release_that_both_speak_is_spoken(card: Any, url: str, dialect: str) -> None:
    told = reading(card, signed=False)
    assert (told.url, told.dialect) == (url, dialect)


@pytest.mark.parametrize(
    "card",
    [
        {},
        interfaces((f"{SITE}/rest", "HTTP+JSON", "1.0"), (f"{SITE}/later", "JSONRPC", "2.0")),
        {**OLD, "preferredTransport": "GRPC"},
        {**OLD, "protocolVersion": "0.1"},
        interfaces((f"{SITE}/{'x' * 1000}", "JSONRPC", "1.0")),
        interfaces(("http://xn--a/", "JSONRPC", "1.0"), ("http://169.254.169.254/", "JSONRPC", "0.3")),
        interfaces(("rpc", "JSONRPC", "1.0"), ("ftp://far.test", "JSONRPC", "1.0"), ("http://", "JSONRPC", "0.3")),
        {"supportedInterfaces": "none", "url": 5, "capabilities": [], "securitySchemes": None, "security": {}},
    ],
)
def test_an_agent_that_cannot_be_spoken_to_is_none(card: Any) -> None:
    with pytest.raises(Invalid) as refused:
        reading(card, signed=False)
    assert refused.value.code == "card_unfit"


@pytest.mark.parametrize(
    ("schemes", "requirements", "header", "prefix"),
    [
        ({"b": {"httpAuthSecurityScheme": {"scheme": "bearer"}}}, ["b"], "Authorization", "Bearer "),
        ({"b": {"type": "http", "scheme": "basic"}}, ["b"], "Authorization", "Basic "),
        ({"k": {"type": "apiKey", "in": "header", "name": "X-K"}}, ["k"], "X-K", ""),
        ({"o": {"openIdConnectSecurityScheme": {"openIdConnectUrl": "u"}}}, ["o"], "Authorization", "Bearer "),
        (
            {"b": {"type": "http", "scheme": "bearer"}, "k": {"type": "apiKey", "in": "header", "name": "X-K"}},
            ["k"],
            "X-K",
            "",
        ),
        ({"k": {"type": "apiKey", "in": "header", "name": "bad\r\nname"}}, ["k"], "Authorization", "Bearer "),
        ({"k": {"type": "apiKey", "in": "header", "name": "Host"}}, ["k"], "Authorization", "Bearer "),
        ({"k": {"type": "apiKey", "in": "query", "name": "key"}}, ["k"], "Authorization", "Bearer "),
    ],
)
def test_how_it_is_told_who_asks(schemes: Any, requirements: list[str], header: str, prefix: str) -> None:
    new: list[Any] = [{"schemes": {name: {"list": []}}} for name in requirements]
    old: list[Any] = [{name: []} for name in requirements]
    for required in ({"securityRequirements": new}, {"security": old}):
        told = reading({**CARD, "securitySchemes": schemes, **required}, signed=False)
        assert (told.header, told.prefix, told.asks_who) == (header, prefix, True)
    for optional in ({}, {"securityRequirements": [*new, {}]}, {"security": [{}, *old]}):
        assert not reading({**CARD, "securitySchemes": schemes, **optional}, signed=False).asks_who


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*CARD, *OLD, "securitySchemes", "security", "x"]), inner, max_size=4)
        ),
    ).filter(lambda value: isinstance(value, dict))
)
def test_whatever_a_card_says_it_is_read_or_refused(card: Any) -> None:
    try:
        reading(card, signed=False)
    except CodeTetherError as error:
        assert error.code == "card_unfit"


def signed(profile: Profile, signer: DetachedEs256 = OURS, *, pure: bool = False) -> dict[str, Any]:
    card = card_of(profile, URL)
    told = card if pure else with_release_0_3(card)
    return json.loads(json.dumps(told | {"signatures": signatures_of(card, signer, URL)}))


def ours() -> Profile:
    from codetether_apps.settings import Settings
    from codetether_apps.wiring.a2a.cards import profile_of

    return profile_of(Settings(), {})


async def read(card: dict[str, Any], keys: Any = None, *, served: Any = None) -> Any:
    return await Cards(Far(card=card, keys=OURS.keys() if served is None else served), is_signed).read(URL, keys)


@given(profile=profiles(), pure=st.booleans())
def test_of_any_card_of_ours_release_1_0_is_signed(profile: Profile, pure: bool) -> None:
    card = signed(profile, pure=pure)
    part = signed_part(card, lambda payload: is_signed(payload, card["signatures"][0], OURS.keys()))
    assert part is not None
    assert part["supportedInterfaces"] == card["supportedInterfaces"]
    assert "url" not in part


async def test_a_card_that_was_changed_is_refused() -> None:
    good = signed(ours())
    elsewhere = [{**each, "url": "https://evil.test"} for each in good["supportedInterfaces"]]
    for bad in (
        good | {"supportedInterfaces": elsewhere},
        good | {"name": "Another"},
        good | {"signatures": signed(ours(), OTHERS)["signatures"]},
        good | {"signatures": [{**good["signatures"][0], "protected": "e30"}]},
        good | {"signatures": [{"protected": 5}, {}]},
    ):
        with pytest.raises(Invalid) as refused:
            await read(bad)
        assert (refused.value.field, refused.value.code) == ("card_url", "card_signature_invalid")


async def test_what_the_signature_does_not_vouch_for_counts_for_nothing() -> None:
    """The words of release 0.3 are not signed: who puts his own place there is not spoken to."""
    card = signed(ours()) | {"url": "https://evil.test", "protocolVersion": "0.3.0"}
    told = await read(card)
    assert (told.signed, told.url) == (True, f"{URL}/v1/a2a")
    unfit = evolve(ours(), interfaces=(Interface("/a2a/rest", "HTTP+JSON", "1.0"),))
    with pytest.raises(Invalid) as refused:
        await read(signed(unfit) | {"url": "https://evil.test", "preferredTransport": "JSONRPC"})
    assert refused.value.code == "card_unfit"


async def test_keys_that_are_given_are_the_only_ones_that_count() -> None:
    card = signed(ours())
    assert (await read(card, OURS.keys(), served={"keys": []})).signed
    with pytest.raises(Invalid):
        await read(card, OTHERS.keys())
    unsigned = {name: each for name, each in card.items() if name != "signatures"}
    assert not (await read(unsigned)).signed
    with pytest.raises(Invalid):
        await read(unsigned, OURS.keys())


async def test_keys_that_are_kept_elsewhere_are_not_asked_for() -> None:
    """Else whoever changes a card would say where its keys are."""
    card = card_of(ours(), URL)
    elsewhere = [*OURS.sign(_payload(card), "http://evil.test/keys.json")]
    far = Far(card=card | {"signatures": elsewhere}, keys=OURS.keys())
    with pytest.raises(Invalid):
        await Cards(far, is_signed).read(URL)
    assert [str(each.url) for each in far.requests] == [f"{URL}/.well-known/agent-card.json"]


def _payload(card: dict[str, Any]) -> bytes:
    from codetether_adapters.a2a.card.signing import payload_of

    return payload_of(card)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::1]/card.json",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://internal.test/card.json",
        "http://mixed.test/card.json",
    ],
)
async def test_nobody_is_sent_to_our_own_network(url: str) -> None:
    """Neither by an address nor by a name that leads there."""
    hosts = {"internal.test": ["192.168.0.1"], "mixed.test": ["93.184.215.14", "127.0.0.1"]}

    async def resolve(host: str, port: int) -> list[str]:
        return hosts.get(host, [host.strip("[]")])

    async with open_transport(allowed([]), resolve=resolve) as transport:
        with pytest.raises(Invalid) as refused:
            await Cards(transport, is_signed).read(url)
    assert (refused.value.field, refused.value.code) == ("card_url", "url_not_allowed")


@pytest.mark.parametrize(
    "url", ["ftp://far.test/", "file:///etc/passwd", "far.test", "http://", "https://u:p@far.test"]
)
async def test_only_the_web_has_cards(url: str) -> None:
    with pytest.raises(Invalid):
        await Cards(Far(), is_signed).read(url)


async def test_a_card_too_large_is_not_read() -> None:
    with pytest.raises(Invalid, match="bytes"):
        await read(CARD | {"description": "x" * 2_000_000})
