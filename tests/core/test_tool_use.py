"""What an agent wishes to do, and where that is seen from the checkout."""

import pytest

from codetether_core.access import DEFAULT_TENANT, ToolRequest, ToolUse
from codetether_core.ids import CodebaseId, WorkerId


def seen(path: str, checkout: str | None = "/srv/demo") -> str:
    request = ToolRequest(
        tenant=DEFAULT_TENANT,
        codebase=CodebaseId("cb"),
        checkout=checkout,
        agent="build",
        worker=WorkerId("w1"),
        principal="bot",
        created_by="carol",
        tool=ToolUse(name="Read", paths=(path,)),
    )
    return request.paths[0]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//./a.py/", "src/a.py"),
        ("", "."),
        (".", "."),
        ("/srv/demo", "."),
        ("/srv/demo/", "."),
        ("//srv/./demo/src/a.py", "src/a.py"),
        ("/srv/demo/../other", "../other"),
        ("/srv/demolition/a", "/srv/demolition/a"),
        ("/srv", "/srv"),
        ("/", "/"),
        ("//etc///passwd", "/etc/passwd"),
        ("src/../../etc", "src/../../etc"),
        ("~/x", "~/x"),
    ],
)
def test_a_path_is_seen_from_the_checkout(path: str, found: str) -> None:
    """By its text alone: ``..`` stays, for behind a link it leads somewhere else."""
    assert seen(path) == found


@pytest.mark.parametrize("checkout", [None, "", "srv/demo", "~/demo"])
def test_where_there_is_no_checkout_every_absolute_path_is_elsewhere(checkout: str | None) -> None:
    assert seen("/srv/demo/a.py", checkout) == "/srv/demo/a.py"
    assert seen("a.py", checkout) == "a.py"


def test_everything_is_below_the_root() -> None:
    assert (seen("/etc/passwd", "/"), seen("/srv/demo/a.py", "/srv//demo/")) == ("etc/passwd", "a.py")
