"""The binding of the Agent2Agent protocol: releases 1.0 and 0.3 side by side, as JSON-RPC and as HTTP+JSON.

What both releases speak of, and their words for it, is in ``a2a_wire``. A request comes in as plain JSON with a
``Request``, and is answered with an ``Answer`` or a ``Stream``: nothing here knows an HTTP server. ``operations`` are
the protocol's, over the services; ``telling`` makes of a task and its log what clients see.
"""
