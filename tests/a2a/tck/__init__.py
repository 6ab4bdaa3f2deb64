"""The protocol's own compatibility kit, run against a real server of ours.

It is on no registry: ``A2A_TCK=/path/to/checkout python -m tests.a2a.tck`` runs a checkout of it.
"""
