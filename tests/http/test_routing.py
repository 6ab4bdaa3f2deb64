"""The table of routes: what it refuses at the start, and where it leads a request (promise 7)."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.http import Alias, Call, Json, Route, Routes, expand
from codetether_adapters.http.routing import MethodNotAllowed
from codetether_core.access import PUBLIC
from codetether_core.errors import Invalid, NotFound
from tests.http.harness import EDITOR, application, client_of


async def echo(call: Call) -> Json:
    return Json({"path": dict(call.path), "alias": call.alias})


def route(path: str, method: str = "GET", permission: str = "tasks:read") -> Route:
    return Route(method, path, echo, permission)


def found(routes: Routes, path: str, method: str = "GET") -> tuple[str, dict[str, str]]:
    match = routes.match(method, path.encode())
    return match.route.path, match.path


# ------------------------------------------------------------------------------------------ construction


@pytest.mark.parametrize("permission", ["", "tasks", "tasks:", ":read", "Tasks:Read", "tasks:read ", "*:*", "*"])
def test_a_route_without_a_permission_does_not_start(permission: str) -> None:
    with pytest.raises(ValueError, match="needs a permission"):
        application(route("/a", permission=permission))


@pytest.mark.parametrize(
    ("first", "second"),
    [("/a", "/a"), ("/a/{x}", "/a/{x}"), ("/a/", "/a"), ("/a", "/a/"), ("/a/{x:path}", "/a/{x:path}")],
)
def test_two_routes_for_one_request_do_not_start(first: str, second: str) -> None:
    with pytest.raises(ValueError, match="already answered"):
        Routes([route(first), route(second)])


def test_one_path_has_one_name_for_a_parameter() -> None:
    """OpenAPI cannot tell ``/a/{x}`` from ``/a/{y}``; neither could a reader of the table."""
    with pytest.raises(ValueError, match=r"is written /a/\{x\} elsewhere"):
        Routes([route("/a/{x}"), route("/a/{y}", "PUT")])


@pytest.mark.parametrize(
    "path",
    ["", "a", "//", "/a//b", "/{x}/{x}", "/{x:path}/b", "/{x", "/x}", "/a{x}", "/{x}b", "/{X}", "/{x:int}", "/{}"],
)
def test_a_path_that_means_nothing_does_not_start(path: str) -> None:
    with pytest.raises(ValueError, match=r"GET .*: "):
        Routes([route(path)])


@pytest.mark.parametrize("method", ["get", "HEAD", "OPTIONS", "BREW"])
def test_methods_that_no_route_may_declare(method: str) -> None:
    with pytest.raises(ValueError, match="the method must be one of"):
        Routes([route("/a", method)])


def test_the_table_is_a_sequence_of_its_routes() -> None:
    routes = [route("/a"), route("/b", permission=PUBLIC)]
    assert list(Routes(routes)) == routes
    assert len(Routes(routes)) == 2


# ----------------------------------------------------------------------------------------------- matching


def test_the_most_literal_way_wins_and_dead_ends_are_left_again() -> None:
    """``/tasks/stuck`` is not a task called stuck, as the deployed server has it; yet stuck's output is."""
    routes = Routes(map(route, ["/tasks/{id}", "/tasks/stuck", "/tasks/{id}/output", "/tasks/stuck/recover"]))
    assert found(routes, "/tasks/stuck") == ("/tasks/stuck", {})
    assert found(routes, "/tasks/t1") == ("/tasks/{id}", {"id": "t1"})
    assert found(routes, "/tasks/stuck/output") == ("/tasks/{id}/output", {"id": "stuck"})
    assert found(routes, "/tasks/stuck/recover") == ("/tasks/stuck/recover", {})


def test_a_verb_after_a_parameter() -> None:
    routes = Routes(map(route, ["/tasks/{id}", "/tasks/{id}:cancel", "/tasks/{id}:subscribe"]))
    assert found(routes, "/tasks/t1:cancel") == ("/tasks/{id}:cancel", {"id": "t1"})
    assert found(routes, "/tasks/a:b:subscribe") == ("/tasks/{id}:subscribe", {"id": "a:b"})
    assert found(routes, "/tasks/t1:other") == ("/tasks/{id}", {"id": "t1:other"})
    assert found(routes, "/tasks/:cancel") == ("/tasks/{id}", {"id": ":cancel"})


def test_what_a_dead_end_has_captured_is_forgotten() -> None:
    routes = Routes(map(route, ["/{x}:go/a", "/{x}/b/c", "/{x:path}"]))
    assert found(routes, "/t:go/b/c") == ("/{x}/b/c", {"x": "t:go"})
    assert found(routes, "/t:go/b/d") == ("/{x:path}", {"x": "t:go/b/d"})


def test_the_rest_of_a_path() -> None:
    routes = Routes(map(route, ["/files/{name:path}", "/files/index"]))
    assert found(routes, "/files/a/b.css") == ("/files/{name:path}", {"name": "a/b.css"})
    assert found(routes, "/files/index") == ("/files/index", {})
    for escape in ("/files/", "/files//etc", "/files/../x", "/files/a/%2e%2e/x", "/files/a%2f..%2fx", "/files/a//b"):
        with pytest.raises(NotFound):
            routes.match("GET", escape.encode())


def test_a_trailing_slash_is_tolerated_where_the_route_has_one() -> None:
    routes = Routes(map(route, ["/", "/monitor/", "/tasks", "/tasks/{id}/"]))
    assert found(routes, "/") == found(routes, "") == ("/", {})
    assert found(routes, "/monitor") == found(routes, "/monitor/") == ("/monitor/", {})
    assert found(routes, "/tasks/1") == found(routes, "/tasks/1/") == ("/tasks/{id}/", {"id": "1"})
    for wrong in ("/tasks/", "/monitor//", "//monitor", "//"):
        with pytest.raises(NotFound):
            routes.match("GET", wrong.encode())


def test_parameters_are_decoded_each_by_itself() -> None:
    """An escaped slash is part of a name, not a separator."""
    routes = Routes(map(route, ["/{a}", "/{a}/{b}"]))
    assert found(routes, "/x%2Fy") == ("/{a}", {"a": "x/y"})
    assert found(routes, "/%C3%A4/%25") == ("/{a}/{b}", {"a": "ä", "b": "%"})
    assert found(routes, "/ä") == ("/{a}", {"a": "ä"})
    assert found(routes, "/a+b%zz") == ("/{a}", {"a": "a+b%zz"})
    for step in ("/.", "/..", "/%2e%2E"):
        with pytest.raises(NotFound):
            routes.match("GET", step.encode())


@pytest.mark.parametrize("path", [b"/%ff", b"/\xff", b"/%00", b"/a\0b", b"/%C3", b"/ok/%ED%A0%80"])
def test_a_path_that_is_no_text_is_refused(path: bytes) -> None:
    with pytest.raises(Invalid, match="the path") as refusal:
        Routes([route("/{a}")]).match("GET", path)
    assert refusal.value.code == "path_malformed"


def test_another_method_is_told_from_another_path() -> None:
    routes = Routes([route("/tasks/{id}"), route("/tasks/{id}", "DELETE"), route("/tasks", "POST")])
    with pytest.raises(MethodNotAllowed) as refusal:
        routes.match("PUT", b"/tasks/1")
    assert refusal.value.allow == ("GET", "DELETE", "HEAD", "OPTIONS")
    with pytest.raises(MethodNotAllowed) as refusal:
        routes.match("BREW", b"/tasks")
    assert refusal.value.allow == ("POST", "OPTIONS")
    with pytest.raises(NotFound):
        routes.match("PUT", b"/task")


# ------------------------------------------------------------------------------------- the naive matcher


def pattern(path: str) -> re.Pattern[str]:
    """One route as a regular expression over a decoded path."""
    text = ""
    for segment in path[1:].split("/"):
        parameter = re.fullmatch(r"\{(\w+)(:path)?\}(:\w+)?", segment)
        if parameter is None:
            text += f"/{re.escape(segment)}"
        elif parameter[2]:
            text += rf"(?P<{parameter[1]}>(/(?!\.{{0,2}}(/|$))[^/]+)+)"
        else:
            verb = parameter[3] or ""
            text += rf"/(?P<{parameter[1]}>(?!\.{{0,2}}{re.escape(verb)}(/|$))[^/]+){re.escape(verb)}"
    return re.compile(text + ("?" if path.endswith("/") and path != "/" else ""))


def rank(path: str) -> list[int]:
    """Literal before verb before parameter before rest, the first difference deciding."""
    kinds = []
    for segment in path[1:].split("/"):
        kinds.append(0 if "{" not in segment else 3 if ":path" in segment else 2 if segment.endswith("}") else 1)
    return kinds


def naively(paths: list[str], path: str) -> tuple[str, dict[str, str]] | None:
    matches = [(rank(known), known, match) for known in paths if (match := pattern(known).fullmatch(path))]
    if not matches:
        return None
    _, known, match = min(matches, key=lambda found: found[0])
    return known, {
        name: value.removeprefix("/") if ":path" in known else value for name, value in match.groupdict().items()
    }


SEGMENTS = st.sampled_from(["a", "b", "{}", "{}:go", "{}:stop"])


@st.composite
def tables(draw: st.DrawFn) -> list[str]:
    paths = []
    for segments in draw(st.lists(st.lists(SEGMENTS, min_size=1, max_size=4), max_size=12)):
        if draw(st.booleans()) and draw(st.booleans()):
            segments = [*segments, draw(st.sampled_from(["", "{:path}"]))]
        numbers = itertools.count()
        paths.append("/" + "/".join(segment.replace("{", f"{{p{next(numbers)}") for segment in segments))
    return paths


PATHS = st.lists(
    st.sampled_from(["a", "b", "c", "", ".", "..", "a:go", ":go", "..:go", "b:stop", "x:a:go", "go"]),
    min_size=1,
    max_size=6,
).map(lambda segments: "/" + "/".join(segments))


@given(tables(), st.lists(PATHS, min_size=1, max_size=20))
def test_the_tree_leads_where_a_linear_scan_would(paths: list[str], requests: list[str]) -> None:
    kept: list[str] = []
    for path in paths:
        try:
            Routes(map(route, [*kept, path]))
        except ValueError:
            continue
        kept.append(path)
    routes = Routes(map(route, kept))
    for request in requests:
        try:
            reached = found(routes, request)
        except NotFound:
            reached = None
        assert reached == naively(kept, request)


# ------------------------------------------------------------------------------------------ over the wire


async def test_requests_reach_their_handler_through_every_alias() -> None:
    """One handler set answers the canonical path, the deployed worker's and the newer one's (wire, section 0)."""
    aliases = [
        Alias("opencode", "/v1/agent", "/v1/opencode"),
        Alias("workspaces", "/v1/agent/codebases", "/v1/agent/workspaces"),
    ]
    routes = expand([route("/v1/agent/codebases/{id}"), route("/v1/agent/tasks"), route("/v1/agents")], aliases)
    assert [found.path for found in routes] == [
        "/v1/agent/codebases/{id}",
        "/v1/opencode/codebases/{id}",
        "/v1/agent/workspaces/{id}",
        "/v1/agent/tasks",
        "/v1/opencode/tasks",
        "/v1/agents",
    ]
    async with client_of(application(*routes), headers=EDITOR) as client:
        for path, alias in [
            ("/v1/agent/codebases/c", "agent"),
            ("/v1/opencode/codebases/c", "opencode"),
            ("/v1/agent/workspaces/c", "workspaces"),
        ]:
            assert (await client.get(path)).json() == {"path": {"id": "c"}, "alias": alias}


async def test_head_is_get_without_a_body_and_options_tells_the_methods() -> None:
    app = application(route("/a", permission=PUBLIC), route("/a", "POST"))
    async with client_of(app) as client:
        assert (await client.head("/a")).status_code == 200
        options = await client.options("/a")
        assert (options.status_code, options.headers["allow"], options.content) == (
            204,
            "GET, POST, HEAD, OPTIONS",
            b"",
        )
        refused = await client.delete("/a")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST, HEAD, OPTIONS")
        assert refused.json()["code"] == "method_not_allowed"
        missing = await client.get("/b")
        assert (missing.status_code, missing.json()["code"], missing.json()["id"]) == (404, "route_not_found", "/b")
        assert (await client.options("/b")).status_code == 404
        assert (await client.get("/%00")).status_code == 400


async def test_a_base_path_is_taken_off_where_the_proxy_leaves_it_on() -> None:
    async with client_of(application(route("/a", permission=PUBLIC), base_path="/hub")) as client:
        for path, status in [
            ("/hub/a", 200),
            ("/a", 200),
            ("/hub/hub/a", 404),
            ("/hubba/a", 404),
            ("/hubXa", 404),
            ("/hub", 404),
        ]:
            assert (await client.get(path)).status_code == status
