"""Stores that fail on purpose, so that operators and tests can rehearse it.

Wrap any backend: some calls of its task store and its log then fail before anything was done, some after it was done
(the reply is lost), and some take their time. The dice are seeded, so a rehearsal can be repeated.
"""

from codetether_adapters.faults.backend import FaultyBackend, faulty
from codetether_adapters.faults.dice import Faults

__all__ = ["Faults", "FaultyBackend", "faulty"]
