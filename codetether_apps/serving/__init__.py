"""Running the ASGI application: the socket, the HTTP server around it, and its end."""

from codetether_apps.serving.announcing import announce
from codetether_apps.serving.listening import bound, listen, url_of
from codetether_apps.serving.serve import serve

__all__ = ["announce", "bound", "listen", "serve", "url_of"]
