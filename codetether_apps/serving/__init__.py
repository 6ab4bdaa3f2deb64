"""Running the ASGI application: the sockets, TLS, the HTTP server around it, and its end."""

from codetether_apps.serving.announcing import announce
from codetether_apps.serving.listening import Bind, bound, listen
from codetether_apps.serving.reloading import reloading
from codetether_apps.serving.serve import serve
from codetether_apps.serving.tls import Tls, open_tls

__all__ = ["Bind", "Tls", "announce", "bound", "listen", "open_tls", "reloading", "serve"]
