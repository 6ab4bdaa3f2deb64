"""Codebases that workers serve."""

from codetether_core.codebases.codebase import Codebase, served_by

__all__ = ["Codebase", "served_by"]
