"""Rate limits, by the library ``limits``."""

from codetether_adapters.limits.windows import Windows, open_windows

__all__ = ["Windows", "open_windows"]
