"""The Model Context Protocol: the control plane as tools, resources and prompts.

What there is, and what it does, is in ``catalogue`` and below, which know nothing of the protocol's own library;
``binding`` and ``serving`` alone do, and are imported by processes that serve it.
"""
