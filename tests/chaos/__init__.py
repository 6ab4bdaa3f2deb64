"""Faults of real processes under load: what was accepted is kept, one word counts, watchers miss nothing.

Each story has a short form for every day and a long one, on every engine and under several seeds, for ``make chaos``.
"""
