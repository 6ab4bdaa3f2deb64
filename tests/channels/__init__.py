"""Channels between processes."""
