"""Servers elsewhere whose tools runs may use."""
