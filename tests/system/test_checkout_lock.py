"""One run per checkout on a machine, and no lock outlives its holders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codetether_adapters.system import CheckoutBusy, CheckoutLocks
from codetether_core.ids import TaskId

ONE, TWO = TaskId("tsk_one"), TaskId("tsk_two")


def test_a_second_run_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    locks = CheckoutLocks(tmp_path / "locks")
    with locks.hold(tmp_path, ONE), pytest.raises(CheckoutBusy, match=f"{ONE}.*{os.getpid()}") as busy:
        CheckoutLocks(tmp_path / "locks").hold(tmp_path, TWO)
    assert busy.value.holder == ONE
    assert busy.value.hint


def test_links_lead_to_the_same_checkout_and_others_are_free(tmp_path: Path) -> None:
    locks = CheckoutLocks(tmp_path / "locks")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with locks.hold(tmp_path / "link", ONE):
        with pytest.raises(CheckoutBusy):
            locks.hold(str(tmp_path / "real") + "/", TWO)
        locks.hold(tmp_path, TWO).release()


def test_after_release_anybody_may_enter_and_releasing_again_harms_nobody(tmp_path: Path) -> None:
    locks = CheckoutLocks(tmp_path)
    first = locks.hold(tmp_path, ONE)
    first.release()
    with locks.hold(tmp_path, TWO):
        first.release()
        with pytest.raises(CheckoutBusy, match=TWO):
            locks.hold(tmp_path, ONE)
    with pytest.raises(ValueError, match="released"):
        first.fileno()


def test_a_killed_holder_leaves_no_lock_but_an_heir_of_the_descriptor_keeps_it(tmp_path: Path) -> None:
    locks = CheckoutLocks(tmp_path)
    lock = locks.hold(tmp_path, ONE)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[lock.fileno()]) as heir:
        lock.release()
        with pytest.raises(CheckoutBusy, match=ONE):
            locks.hold(tmp_path, TWO)
        heir.kill()
    locks.hold(tmp_path, TWO).release()


def test_lock_files_are_for_this_user_only(tmp_path: Path) -> None:
    with CheckoutLocks(tmp_path / "locks").hold(tmp_path, ONE):
        assert (tmp_path / "locks").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "locks").iterdir()} == {0o600}


def test_a_note_that_cannot_be_read_still_gives_a_clear_refusal(tmp_path: Path) -> None:
    locks = CheckoutLocks(tmp_path / "locks")
    with locks.hold(tmp_path, ONE):
        for path in (tmp_path / "locks").iterdir():
            path.write_text("{torn")
        with pytest.raises(CheckoutBusy, match="Another run"):
            locks.hold(tmp_path, TWO)
