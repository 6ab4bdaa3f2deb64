"""Whatever an agent starts, nothing of it is left when its run is over."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import anyio
import psutil
import pytest

from codetether_adapters.system import CheckoutBusy, hold_checkout
from codetether_core.ids import TaskId
from codetether_core.ports import RunFailed
from tests.agents.agents import Output, gone, nobody, run_in, runner

HEAD = """
import os, signal, subprocess, sys, time
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
def say(): os.write(1, b"pid %d\\n" % os.getpid())
def idle():
    say()
    while True: signal.pause()
"""

GRANDCHILDREN = """
stubborn()
for _ in range(3):
    if os.fork() == 0:
        if os.fork() == 0: idle()
        idle()
idle()
"""

DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        stubborn()
        idle()
    os._exit(0)
os.wait()
idle()
"""

UNMARKED_DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-c", "import os,signal; os.setsid(); os.closerange(3, 99);"
            "os.write(1, b'pid %d\\\\n' % os.getpid()); os.close(1); signal.pause()"], {})
    os._exit(0)
os.wait()
idle()
"""

FORKS_WHEN_KILLED = """
def fork(*_):
    for _ in range(20):
        if os.fork() == 0:
            os.setsid()
            stubborn()
            idle()
signal.signal(signal.SIGTERM, fork)
idle()
"""

FORKS_ALL_THE_TIME = """
stubborn()
say(); say()
while True:
    if os.fork(): os._exit(0)  # the child goes on in the same group, its parent is gone
"""

TREES = {
    "grandchildren that ignore TERM": (GRANDCHILDREN, 7),
    "a double-forked daemon in its own session": (DAEMON, 2),
    "a daemon that dropped its environment": pytest.param(
        UNMARKED_DAEMON, 2, marks=pytest.mark.skipif(sys.platform != "linux", reason="needs subreapers")
    ),
    "forks while it is being killed": (FORKS_WHEN_KILLED, 1),
    "a chain of forks": (FORKS_ALL_THE_TIME, 2),
}


def pids(output: Output) -> list[int]:
    lines = output.text().splitlines()
    return [int(line.removeprefix("pid ")) for line in lines if line.startswith("pid ")]


@pytest.mark.parametrize(
    ("source", "count"),
    TREES.values(),
    ids=TREES,
)
async def test_cancelling_leaves_no_process(source: str, count: int, tmp_path: Path) -> None:
    output = Output()
    children: list[psutil.Process] = []
    async with anyio.create_task_group() as group:
        group.start_soon(runner(HEAD + source).run, run_in(tmp_path), output.emit, nobody)
        await output.until(lambda text: text.count("\n") >= count)
        children = psutil.Process().children(recursive=True)
        group.cancel_scope.cancel()
    assert gone(pids(output))
    assert gone([child.pid for child in children])
    assert psutil.Process().children() == []


async def test_what_a_finished_agent_left_in_the_background_is_ended_too(tmp_path: Path) -> None:
    """A server that an agent started would hold its port, the checkout and the output for ever."""
    output = Output()
    outcome = await runner(
        HEAD
        + """
read, write = os.pipe()
if os.fork() == 0:
    os.setsid(); stubborn(); say(); os.write(write, b"x"); signal.pause()
os.read(read, 1)
print("done")
"""
    ).run(run_in(tmp_path), output.emit, nobody)
    assert outcome.result.endswith("done")
    assert len(pids(output)) == 1
    assert gone(pids(output))


async def test_an_agent_that_kills_its_supervisor_is_ended_all_the_same(tmp_path: Path) -> None:
    output = Output()
    with pytest.raises(RunFailed) as failed:
        await runner(HEAD + "say(); os.kill(os.getppid(), signal.SIGKILL); signal.pause()").run(
            run_in(tmp_path), output.emit, nobody
        )
    assert failed.value.reason == "agent_lost"
    for pid in pids(output):  # a zombie is for the machine's init to reap
        with suppress(psutil.NoSuchProcess):
            assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_a_timeout_ends_the_tree(tmp_path: Path) -> None:
    output = Output()
    with pytest.raises(RunFailed) as failed:
        await runner(HEAD + GRANDCHILDREN, timeout=timedelta(milliseconds=800)).run(
            run_in(tmp_path), output.emit, nobody
        )
    assert failed.value.reason == "run_timeout"
    assert gone(pids(output))


def test_a_killed_worker_leaves_no_agent_and_keeps_the_checkout_until_then(tmp_path: Path) -> None:
    """kill -9 of the worker: its supervisor ends the tree, and holds the lock of the checkout until it has."""
    worker = textwrap.dedent(
        """
        import os, sys, anyio
        from datetime import timedelta
        from codetether_adapters.agents import start_agent
        from codetether_adapters.system import hold_checkout
        async def main():
            lock = hold_checkout(sys.argv[1], "tsk_old")
            async with start_agent([sys.executable, "-uc", sys.argv[2]], directory=sys.argv[1],
                                   environment=dict(os.environ), grace=timedelta(seconds=1),
                                   keep_open=[lock.fileno()]) as agent:
                print((await agent.stdout.receive()).decode(), flush=True)
                await agent.wait()
        anyio.run(main)
        """
    )
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").touch()
    command = [sys.executable, "-c", worker, str(tmp_path), HEAD + "stubborn(); say(); time.sleep(1000)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        agent = psutil.Process(int(process.stdout.readline().removeprefix("pid ")))
        supervisor = agent.parent()
        assert supervisor is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
    with pytest.raises(CheckoutBusy, match="tsk_old"):
        hold_checkout(tmp_path, TaskId("tsk_new"))
    psutil.wait_procs([agent, supervisor], timeout=20)
    assert not agent.is_running()
    hold_checkout(tmp_path, TaskId("tsk_new")).release()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
async def test_an_agent_inherits_no_descriptor_but_its_three(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.set_inheritable(read, True)
    try:
        output = Output()
        outcome = await runner("import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])").run(
            run_in(tmp_path), output.emit, nobody
        )
        assert outcome.result == "[0, 1, 2]"
    finally:
        os.close(read)
        os.close(write)


async def test_runs_leak_no_descriptor_into_the_worker(tmp_path: Path) -> None:
    await runner("").run(run_in(tmp_path), Output().emit, nobody)
    before = psutil.Process().num_fds()
    for _ in range(5):
        await runner("").run(run_in(tmp_path), Output().emit, nobody)
    assert psutil.Process().num_fds() <= before
