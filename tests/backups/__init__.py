"""Backups: written whole, refused when damaged, restored elsewhere."""
