"""What a process does about the garbage collector once all its code is there: seen in a process of its own."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import gc
from codetether_apps.process import collect_seldom

loaded = len(gc.get_objects())
collect_seldom()
garbage = []
garbage.append(garbage)
del garbage
print(gc.isenabled(), gc.get_freeze_count() >= loaded // 2, gc.get_threshold()[0], gc.collect())
"""


def test_what_is_loaded_is_left_alone_and_garbage_is_still_found() -> None:
    said = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "True", "5000", "1"]
