"""A worker: offers in, runs beside their leases, output and one outcome out.

``loop`` holds the stream and the slots, ``run`` is one task's run, which holds it as everybody does (``holding``).
``reports`` keeps outcomes on the disk until the server has them.
"""

from codetether_apps.working.loop import Worker
from codetether_apps.working.opening import open_worker

__all__ = ["Worker", "open_worker"]
