"""The official clients of the protocol, each release in an environment of its own."""

from tests.a2a.clients.installing import (
    NODE,
    NotInstalled,
    kit_python,
    node_packages,
    node_program,
    python_program,
)

__all__ = ["NODE", "NotInstalled", "kit_python", "node_packages", "node_program", "python_program"]
