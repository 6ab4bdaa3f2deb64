"""What a tool server may be called, which of its tools are meant, and how it may be told who we are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from codetether_core import codec
from codetether_core.errors import Invalid
from codetether_core.ids import TenantId
from codetether_core.tool_servers import (
    ToolServer,
    ToolServerHealth,
    changed,
    offers,
    registered,
    server_in,
    signing_in,
    tool_name,
)
from contracts.ports.samples import NOW
from tests.tool_servers.caller import tool

TOOL = st.from_regex(r"[A-Za-z0-9_.-]{1,120}", fullmatch=True)
SERVER = st.text("ab1_-", min_size=1, max_size=60)
TAKEN = (
    *("Accept", "accept-encoding", "Content-Type", "COOKIE", "Host", "mcp-session-id", "Sec-Fetch-Site"),
    *("Transfer-Encoding", "X-Forwarded-For"),
)


def server(name: str = "issues", **more: Any) -> ToolServer:
    """One that is registered."""
    told: dict[str, Any] = {
        "url": "https://tools.example/mcp",
        "description": "",
        "tools": ("*",),
        "timeout": timedelta(seconds=30),
        "sign_in": None,
    }
    return registered(name, TenantId("default"), registered_by="ann", now=NOW, **(told | more))


def refused(name: str = "issues", **more: Any) -> str:
    """The field for which one is refused."""
    with pytest.raises(Invalid) as refusal:
        server(name, **more)
    assert refusal.value.hint or refusal.value.field in ("timeout_seconds", "description")
    return refusal.value.field


@given(SERVER, TOOL)
@example("a", "_b")
@example("a_", "b")
@example("a_b", "__c")
def test_what_a_tool_is_called_tells_whose_it_is(name: str, tool: str) -> None:
    """Whatever servers and tools are called: no two tools of two servers have one name."""
    try:
        registered = server(name)
    except Invalid as error:
        assert error.field == "name"
        assert "__" in name or name[0] in "_-" or name[-1] == "_" or len(name) > 48
        return
    assert tool_name(registered.name, tool).partition("__") == (name, "__", tool)
    assert server_in(tool_name(registered.name, tool)) == name


@pytest.mark.parametrize("name", ["", "far", "far_tool", "__tool"])
def test_what_is_no_name_of_a_tool_is_nobodys(name: str) -> None:
    assert server_in(name) == ""


@pytest.mark.parametrize("name", ["", "A", "a b", "é", "a/b", "a.b", "a\n", "a__b", "_a", "-a", "a_", "a" * 49])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert refused(name) == "name"


@pytest.mark.parametrize("name", ["a", "1", "a-b", "a_b", "a--b", "a_-b", "a" * 48])
def test_what_is_one_is_not(name: str) -> None:
    assert server(name).id == name


@given(TOOL, st.integers(0, 128), st.integers(0, 128))
def test_a_pattern_is_a_name_with_stars_and_question_marks(tool: str, start: int, end: int) -> None:
    """A name matches itself, with any stretch of it as a star and any character as a question mark; and in its case."""
    start, end = sorted((start % (len(tool) + 1), end % (len(tool) + 1)))
    star = server(tools=(f"{tool[:start]}*{tool[end:]}",))
    mark = server(tools=("?" * len(tool),))
    assert offers(star, tool) and offers(mark, tool)
    assert not offers(mark, f"{tool}x") and not offers(mark, tool[1:])
    assert offers(server(tools=(tool,)), tool.swapcase()) == (tool == tool.swapcase())


@pytest.mark.parametrize("name", ["a", "issues", "a" * 48])
def test_what_agents_could_not_call_by_its_name_is_not_offered(name: str) -> None:
    longest = "x" * (128 - len(tool_name(name, "")))
    for tools in (("*",), (longest, f"{longest}x")):
        assert offers(server(name, tools=tools), longest)
        assert not offers(server(name, tools=tools), f"{longest}x")


@given(st.lists(st.text(max_size=300), max_size=120))
def test_any_other_pattern_is_refused(patterns: list[str]) -> None:
    """What is taken has no other meaning anywhere: no brackets, no blanks."""
    try:
        kept = server(tools=patterns).tools
    except Invalid as error:
        assert error.field == "tools"
    else:
        assert 0 < len(patterns) <= 100 and kept == (*patterns,)
        assert all(0 < len(each) <= 200 and each.isascii() and not {*each} & {*" []!\n"} for each in patterns)


@pytest.mark.parametrize("tools", [(), ("",), ("a" * 201,), ("*",) * 101, ("[ab]",), ("a b",)])
def test_patterns_have_bounds(tools: tuple[str, ...]) -> None:
    assert refused(tools=tools) == "tools"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tools.example/mcp",
        "ftp://tools.example/",
        "file:///etc/passwd",
        "https://",
        "https:///mcp",
        "https://ann@tools.example/",
        "https://ann:secret@tools.example/",
        "https://tools.example/#part",
        "https://tools.example/a b",
        "http://169.254.169.254/latest",
        "https://tools.example:0/",
        f"https://tools.example/{'x' * 2048}",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    assert refused(url=url) == "url"


def test_a_url_is_kept_in_one_way_of_writing() -> None:
    assert server(url="HTTPS://Tools.Example:443/MCP?a=@b").url == "https://tools.example:443/MCP?a=@b"


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("timeout_seconds", {"timeout": timedelta(milliseconds=999)}),
        ("timeout_seconds", {"timeout": timedelta(minutes=5, microseconds=1)}),
        ("description", {"description": "x" * 2001}),
    ],
)
def test_bounds(field: str, told: dict[str, Any]) -> None:
    assert refused(**told) == field


@pytest.mark.parametrize(
    ("header", "prefix", "told"),
    [
        (None, None, ("Authorization", "Bearer ")),
        ("authorization", None, ("authorization", "Bearer ")),
        ("Authorization", "token ", ("Authorization", "token ")),
        ("X-API-Key", None, ("X-API-Key", "")),
        ("X-API-Key", "key=", ("X-API-Key", "key=")),
        (None, "", ("Authorization", "")),
    ],
)
def test_a_server_is_told_who_we_are(header: str | None, prefix: str | None, told: tuple[str, str]) -> None:
    sign_in = signing_in("key-of-ours", header, prefix)
    assert sign_in is not None
    assert (sign_in.header, sign_in.prefix, sign_in.secret) == (*told, "key-of-ours")


def test_or_is_not() -> None:
    assert signing_in(None) is None


@pytest.mark.parametrize(
    ("field", "told"),
    [
        *(("header", ("key", header, None)) for header in TAKEN),
        *(("header", ("key", header, None)) for header in ("", "a b", "a:", "é", "x" * 101, "A\r\nB")),
        *(("prefix", ("key", None, prefix)) for prefix in ("Bearer\n", "é", "x" * 101)),
        ("header", (None, "X-API-Key", None)),
        ("prefix", (None, None, "")),
    ],
)
def test_but_by_no_header_that_says_something_else(field: str, told: tuple[str | None, ...]) -> None:
    with pytest.raises(Invalid) as refusal:
        signing_in(*told)
    assert refusal.value.field == field and refusal.value.hint


def test_nothing_stays_of_what_is_replaced() -> None:
    old = server(sign_in=signing_in("key"), description="old")
    new = changed(changed(old, server()), server(tools=("a",)))
    assert new == evolve(server(tools=("a",)), version=3)


def test_a_server_is_read_as_it_was_written() -> None:
    kept = server(sign_in=signing_in("key"), tools=("a", "b*"), timeout=timedelta(seconds=1.5))
    assert codec.load(ToolServer, codec.dump(kept)) == kept == codec.parse(ToolServer, codec.dump(kept))


def test_a_secret_is_not_shown() -> None:
    assert "key-of-ours" not in repr(server(sign_in=signing_in("key-of-ours")))


def test_only_the_tools_that_are_meant_are_offered() -> None:
    found = (tool("get_a"), tool("put_a"), tool("put"))
    asked = ToolServerHealth(server=server(tools=("get_*", "put")), at=NOW, tools=found)
    assert [each.name for each in asked.offered] == ["get_a", "put"]
