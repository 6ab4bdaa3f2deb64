"""The official clients of the protocol, each release in an environment of its own."""

from tests.a2a.clients.installing import NotInstalled, kit_python, node_program, python_program

__all__ = ["NotInstalled", "kit_python", "node_program", "python_program"]
