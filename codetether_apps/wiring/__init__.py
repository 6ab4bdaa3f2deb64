"""The only composition root: settings to ports to services, and what is made of them.

``services`` and ``application`` are the server's side, ``workplace`` a worker's; neither loads the other.
"""
