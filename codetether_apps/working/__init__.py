"""A worker: offers in, runs beside their leases, output and one outcome out.

``loop`` holds the stream and the slots, ``run`` is one task's run, and beside each run go a ``lease`` that is renewed
and an ``output`` that is sent. ``reports`` keeps outcomes on the disk until the server has them. Whatever the server
refuses is read by ``verdicts``: it says whether, and why, a run has to end.
"""

from codetether_apps.working.loop import Worker
from codetether_apps.working.opening import open_worker

__all__ = ["Worker", "open_worker"]
