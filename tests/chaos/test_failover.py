"""A Redis that goes back: to what a replica had heard when it takes its master's place, or to nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether_core.errors import NotFound
from tests.chaos.printing import numbers
from tests.chaos.stage import staged
from tests.chaos.submitter import Submitter
from tests.e2e.programs import until
from tests.servers.valkey import Valkey, ValkeyCluster

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
LOSS = "lost what it had acknowledged"


@pytest.fixture
def cluster() -> Iterator[ValkeyCluster]:
    """Its servers bring everything to the disk at once; what replicas have is another matter."""
    cluster = ValkeyCluster(*DURABLE, replicas=1)
    try:
        yield cluster.start()
    finally:
        cluster.close()


def test_a_strict_store_loses_nothing_that_was_answered(cluster: ValkeyCluster, tmp_path: Path) -> None:
    """What the replica does not have was not answered, nor told to anybody; whoever waits for that is served later."""
    for server in (*cluster.masters, *cluster.replicas):
        server.ask("CONFIG", "SET", "min-replicas-to-write", 1)  # rather nothing than a write on one disk only
    settings = {"CODETETHER_STORE": cluster.url, "CODETETHER_STRICT_DURABILITY": "true"}
    with staged(tmp_path, settings, 0) as stage:
        stage.open()
        hit = cluster.holder(stage.printing[0].id)
        cluster.sever(hit)
        stage.hold_back()
        stage.strike(cluster.masters[hit].kill)
        until(lambda: cluster.replaced(hit), "the failover")
        cluster.masters[hit].start()  # until it is a replica there is one copy, and a strict store answers nobody
        stage.line.heal()
        accepted = len(stage.accepted())
        until(lambda: len(stage.accepted()) > accepted, "answers")
        stage.end()
        assert not any(LOSS in server.said for server in stage.servers)


def test_a_store_that_is_not_strict_loses_answers_and_says_so(cluster: ValkeyCluster, tmp_path: Path) -> None:
    """A lease that is lost counts no more, though the next one has its number; everybody is sent to what is there."""
    with staged(tmp_path, {"CODETETHER_STORE": cluster.url}, 0) as stage:
        stage.open(ttl="6s")  # an outcome that is lost leaves a lease, which has to lapse
        kept = set(stage.accepted())
        again = stage.print("again", by="latecomer")
        hit = cluster.holder(stage.printing[0].id)
        cluster.sever(hit)
        latecomer = stage.two.worker("latecomer")
        until(lambda: numbers(stage.output(again)) > 0, "output under a lease that will be lost")
        before = [len(submitter.accepted) for submitter in stage.submitters]
        until(
            lambda: all(len(each.accepted) > count + 1 for each, count in zip(stage.submitters, before, strict=True)),
            "answers that will be lost",
        )
        stage.hold_back()
        stage.strike(cluster.masters[hit].kill)
        stage.line.heal()
        until(lambda: any(LOSS in server.said for server in stage.servers), "a word of the loss")
        until(lambda: again.runs == 2 and again.printed(1) > 0, "output under another lease")
        lost = stage.end(loss=True)
        assert lost and not lost & kept
        assert "run_superseded" in latecomer.said
        view = stage.two.client.tasks.get(again.id)
        assert (view.attempt, view.attempts_charged) == (1, 0)
        assert numbers(stage.output(again)) == again.printed(1)


def test_a_store_that_lost_everything_begins_anew(tmp_path: Path) -> None:
    """Without persistence that is what a restart does. Runs end, watchers are told, and new tasks are new."""
    server = Valkey("--appendonly", "no").start()
    try:
        with staged(tmp_path, {"CODETETHER_STORE": server.url}, 0) as stage:
            stage.open()
            for submitter in stage.submitters:
                submitter.end()
            gone = set(stage.accepted())
            stage.hold_back()
            stage.strike(lambda: restart(server))
            stage.line.heal()
            until(lambda: any(LOSS in each.said for each in stage.servers), "a word of the loss")
            until(lambda: stage.worker.said.count("run_superseded") == len(stage.held), "the end of the runs")
            for watcher, replica in zip(stage.watchers, stage.replicas, strict=True):
                watcher.resume(replica.port)
                with pytest.raises(NotFound):
                    watcher.end()
                assert watcher.events[-1].name == "resync"
            stage.submitters = [Submitter(replica.url) for replica in stage.replicas]
            until(lambda: all(submitter.accepted for submitter in stage.submitters), "new tasks")
            for submitter in stage.submitters:
                submitter.end()
            new = {id for submitter in stage.submitters for id in submitter.accepted}
            until(lambda: all(stage.two.client.tasks.get(id).ended for id in new), "their end")
            assert not gone & new and not any(stage.exists(id) for id in gone)
            stage.kept(new)
    finally:
        server.close()


def restart(server: Valkey) -> None:
    """As a supervisor would."""
    server.kill()
    server.start()
