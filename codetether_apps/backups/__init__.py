"""Backups: one file with everything, from any store, into any other."""

from codetether_apps.backups.archive import ArchiveError, Manifest, verified
from codetether_apps.backups.backup import backup, restore

__all__ = ["ArchiveError", "Manifest", "backup", "restore", "verified"]
