"""What the SDK exports, where it finds its server, and that both clients offer the same."""

import inspect
from pathlib import Path

import pytest

import codetether_adapters.client as sdk
from codetether_adapters.client.operations import Resource, operation, run_blocking, stream
from codetether_adapters.client.server import DEFAULT_SERVER, find_server
from codetether_core.errors import Invalid


def test_exports_are_sorted_and_complete() -> None:
    assert sdk.__all__ == sorted(sdk.__all__, key=str.lower) or sdk.__all__ == sorted(sdk.__all__)
    public = {name for name, each in vars(sdk).items() if not name.startswith("_") and not inspect.ismodule(each)}
    assert public == set(sdk.__all__)


@pytest.mark.parametrize(
    ("arguments", "environment", "url", "authorization"),
    [
        ((), {}, DEFAULT_SERVER, None),
        ((), {"A2A_SERVER_URL": "http://old/"}, "http://old", None),
        ((), {"A2A_SERVER_URL": "http://old", "CODETETHER_SERVER": "http://new"}, "http://new", None),
        (("http://said", "said"), {"CODETETHER_SERVER": "http://x", "CODETETHER_TOKEN": "x"}, "http://said", "said"),
        ((), {"CODETETHER_TOKEN": "kept"}, DEFAULT_SERVER, "kept"),
        (("http://host/base/path/",), {}, "http://host/base/path", None),
    ],
)
def test_server_and_token_are_found(
    arguments: tuple[str, ...], environment: dict[str, str], url: str, authorization: str | None
) -> None:
    server = find_server(*arguments, environment=environment)
    assert server.url == url
    assert server.headers.get("authorization") == (f"Bearer {authorization}" if authorization else None)
    assert server.headers["user-agent"].startswith("codetether-hub/")


def test_a_token_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("filed\n")
    server = find_server(environment={"CODETETHER_TOKEN_FILE": str(tmp_path / "token")})
    assert server.headers["authorization"] == "Bearer filed"
    with pytest.raises(Invalid, match="cannot be read"):
        find_server(environment={"CODETETHER_TOKEN_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", "http://[::1", "http://host:port"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="is no address"):
        find_server(url)


def test_secrets_are_in_no_repr_and_no_message() -> None:
    server = find_server("http://user:secret@host:1", "secret")
    assert "secret" not in server.shown
    assert "secret" not in repr(server).replace(server.url, "")


def test_every_public_method_of_a_resource_is_for_both_clients() -> None:
    """A plain ``async def`` would be a coroutine for the blocking client too."""
    with sdk.Client() as client:
        resources = [client, *(each for each in vars(client).values() if isinstance(each, Resource))]
    for resource in resources:
        for name, member in inspect.getmembers_static(type(resource)):
            if not name.startswith("_") and name not in ("address", "close", "id"):
                assert isinstance(member, operation | stream), f"{type(resource).__name__}.{name}"


def test_operations_keep_their_names_and_documentation() -> None:
    with sdk.Client() as client:
        assert client.tasks.get.__name__ == "get"
        assert client.tasks.get.__doc__ == "One task."
        assert list(inspect.signature(client.tasks.get).parameters) == ["id"]


def test_a_blocking_client_cannot_wait_on_a_loop() -> None:
    import asyncio

    with pytest.raises(RuntimeError, match="cannot wait"):
        run_blocking(asyncio.sleep(0))
