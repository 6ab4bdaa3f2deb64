"""The runner of every agent that speaks the Agent Client Protocol (ACP), release 1, on its standard streams."""

from codetether_adapters.agents.acp.launching import LAUNCHES
from codetether_adapters.agents.acp.runner import AcpRunner
from codetether_adapters.agents.acp.template import AcpTemplate

__all__ = ["LAUNCHES", "AcpRunner", "AcpTemplate"]
