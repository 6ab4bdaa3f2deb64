"""Holding a task, for whoever does: its ``lease`` renewed, its ``output`` sent, and what a refusal means to it."""
