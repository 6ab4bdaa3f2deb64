"""The whole system in one thread and no time at all: services, workers, watchers and the reaper under a seed.

Time is virtual, every fault and every pause comes from one seed, and so a run that breaks a promise can be had again.
"""
