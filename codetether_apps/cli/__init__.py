"""``codetether``: the command line, a client of the API like any other.

What is printed on stdout is data, what goes to stderr is for people. Each group of commands is a module, imported
when one of its commands is called, so that ``--help`` and completion stay quick.
"""

from codetether_apps.cli.running import main

__all__ = ["main"]
