"""Sessions and their messages."""

from codetether_core.sessions.session import Session, SessionMessage

__all__ = ["Session", "SessionMessage"]
