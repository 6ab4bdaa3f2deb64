"""Secrets of the settings that are kept elsewhere."""
