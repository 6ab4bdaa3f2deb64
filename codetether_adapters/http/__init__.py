"""The HTTP API: one table of routes over the services, as an ASGI application.

A resource is a module with a tuple of ``Route``; its handlers are coroutines from ``Call`` to an answer (``Json``, any
Starlette response, ``call.stream(...)``) that raise the domain's errors. Matching, authentication, authorization,
limits, problems and documentation are the framework's, and follow from what the route declares.
"""

from codetether_adapters.http.application import Application, create_app
from codetether_adapters.http.authentication import IdentityProvider
from codetether_adapters.http.bodies import Limits
from codetether_adapters.http.call import Call
from codetether_adapters.http.drain import Drain
from codetether_adapters.http.mounted import Mounted
from codetether_adapters.http.openapi import document
from codetether_adapters.http.protected import METADATA, Protected, metadata_url
from codetether_adapters.http.responses import Encoded, Json, encode_json
from codetether_adapters.http.routing import Alias, Header, Route, Routes, expand
from codetether_adapters.http.streams import EventStream

__all__ = [
    "METADATA",
    "Alias",
    "Application",
    "Call",
    "Drain",
    "Encoded",
    "EventStream",
    "Header",
    "IdentityProvider",
    "Json",
    "Limits",
    "Mounted",
    "Protected",
    "Route",
    "Routes",
    "create_app",
    "document",
    "encode_json",
    "expand",
    "metadata_url",
]
