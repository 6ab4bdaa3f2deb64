"""Release 1.0: ProtoJSON of ``lf.a2a.v1``."""

from codetether_adapters.a2a_wire.v1.dialect import V1

__all__ = ["V1"]
