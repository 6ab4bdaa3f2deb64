"""Stores that fail on purpose, so that operators and tests can rehearse it.

Wrap any backend: some calls of its task store and its log then fail before anything was done, some after it was done
(the reply is lost), and some take their time. The dice are seeded, so a rehearsal can be repeated.

A server rehearses with ``faulty+`` before the address of its store, and options after it::

    CODETETHER_STORE='faulty+sqlite:////tmp/rehearsal.db?seed=7&before=0.05&after=0.05&late=0.1&delay=0.5'
"""

from codetether_adapters.faults.address import PREFIX, rehearsal
from codetether_adapters.faults.backend import FaultyBackend, faulty
from codetether_adapters.faults.dice import Faults

__all__ = ["PREFIX", "Faults", "FaultyBackend", "faulty", "rehearsal"]
