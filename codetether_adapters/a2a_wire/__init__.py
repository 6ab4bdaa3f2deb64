"""The Agent2Agent protocol on the wire: its values, and each release's words for them.

Both sides of the protocol speak it: the binding (``a2a``), and what gives tasks to agents elsewhere (``peers``).
"""

from codetether_adapters.a2a_wire.extensions import IDEMPOTENCY

__all__ = ["IDEMPOTENCY"]
