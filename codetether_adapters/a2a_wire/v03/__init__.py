"""Release 0.3: JSON of its ``types.ts``, in which a ``kind`` tells what an object is."""

from codetether_adapters.a2a_wire.v03.dialect import V03

__all__ = ["V03"]
