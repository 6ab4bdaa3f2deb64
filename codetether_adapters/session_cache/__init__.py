"""The worker's local cache of sessions, from which the server is told what is new."""

from codetether_adapters.session_cache.cache import ChangedSession, SessionCache

__all__ = ["ChangedSession", "SessionCache"]
