"""One run per checkout on a machine, and no lock outlives its holders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codetether_adapters.system import CheckoutBusy, CheckoutNotLocked, hold_checkout
from codetether_core.ids import TaskId

ONE, TWO = TaskId("tsk_one"), TaskId("tsk_two")


def git(*arguments: str, at: Path) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *identity, *arguments], cwd=at, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "checkout"
    (place / "part").mkdir(parents=True)
    git("init", "--quiet", at=place)
    git("commit", "--quiet", "--allow-empty", "--message", "begin", at=place)
    return place


def free(place: Path) -> bool:
    try:
        hold_checkout(place, TWO).release()
    except CheckoutBusy:
        return False
    return True


def test_a_second_run_is_refused_and_told_who_is_there(checkout: Path) -> None:
    with hold_checkout(checkout, ONE), pytest.raises(CheckoutBusy, match=f"{ONE}.*{os.getpid()}") as busy:
        hold_checkout(checkout, TWO)
    assert busy.value.holder == ONE
    assert busy.value.hint


def test_git_does_not_see_the_lock(checkout: Path) -> None:
    with hold_checkout(checkout, ONE):
        assert (checkout / ".git" / "codetether.lock").exists()
        assert git("status", "--porcelain", at=checkout) == ""


def test_the_parts_of_a_checkout_share_its_lock(checkout: Path) -> None:
    with hold_checkout(checkout / "part", ONE):
        assert not free(checkout)
    with hold_checkout(checkout, ONE):
        assert not free(checkout / "part")


def test_worktrees_submodules_and_clones_within_have_locks_of_their_own(checkout: Path, tmp_path: Path) -> None:
    git("worktree", "add", "--quiet", str(tmp_path / "worktree"), at=checkout)
    git("submodule", "--quiet", "add", str(checkout), "submodule", at=checkout)
    git("clone", "--quiet", str(checkout), str(checkout / "clone"), at=checkout)
    places = [checkout, tmp_path / "worktree", checkout / "submodule", checkout / "clone"]
    for place in places:
        with hold_checkout(place, ONE):
            assert [free(each) for each in places] == [each != place for each in places]
    assert {path.parent for path in tmp_path.rglob("codetether.lock")} == {
        checkout / ".git",
        checkout / ".git" / "worktrees" / "worktree",
        checkout / ".git" / "modules" / "submodule",
        checkout / "clone" / ".git",
    }


def test_without_git_the_directory_itself_is_locked_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    (tmp_path / "within").mkdir()
    with hold_checkout(tmp_path, ONE):
        assert not free(tmp_path)
        assert free(tmp_path / "within")
        assert [path.name for path in tmp_path.iterdir()] == ["within"]


@pytest.mark.parametrize("git", ["gitdir: nowhere", "", "no such thing"])
def test_a_git_directory_that_is_none_is_not_asked(git: str, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text(git)
    with hold_checkout(tmp_path, ONE):
        assert not free(tmp_path)


def test_a_lock_file_that_leads_elsewhere_is_not_followed(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("text")
    (checkout / ".git" / "codetether.lock").symlink_to(tmp_path / "precious")
    with hold_checkout(checkout, ONE):
        assert not free(checkout)
    assert (tmp_path / "precious").read_text() == "text"


def test_a_directory_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckoutNotLocked, match="No such file"):
        hold_checkout(tmp_path / "gone", ONE)


def test_links_lead_to_the_same_checkout_and_others_are_free(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with hold_checkout(tmp_path / "link", ONE):
        assert not free(tmp_path / "real")
        assert free(tmp_path)


def test_after_release_anybody_may_enter_and_releasing_again_harms_nobody(checkout: Path) -> None:
    first = hold_checkout(checkout, ONE)
    first.release()
    with hold_checkout(checkout, TWO):
        first.release()
        with pytest.raises(CheckoutBusy, match=TWO):
            hold_checkout(checkout, ONE)
    with pytest.raises(ValueError, match="released"):
        first.fileno()


def test_a_killed_holder_leaves_no_lock_but_an_heir_of_the_descriptor_keeps_it(tmp_path: Path) -> None:
    lock = hold_checkout(tmp_path, ONE)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[lock.fileno()]) as heir:
        lock.release()
        assert not free(tmp_path)
        heir.kill()
    assert free(tmp_path)


def test_a_note_that_cannot_be_read_still_gives_a_clear_refusal(checkout: Path) -> None:
    with hold_checkout(checkout, ONE):
        (checkout / ".git" / "codetether.lock").write_text("{torn")
        with pytest.raises(CheckoutBusy, match="Another run"):
            hold_checkout(checkout, TWO)
