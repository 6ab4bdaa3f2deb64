"""Running the ASGI application: the sockets, TLS, the HTTP server around it, and its end."""

from codetether_apps.serving.announcing import announce
from codetether_apps.serving.front import Front, open_front
from codetether_apps.serving.reloading import reloading
from codetether_apps.serving.tls import Tls, open_tls

__all__ = ["Front", "Tls", "announce", "open_front", "open_tls", "reloading"]
