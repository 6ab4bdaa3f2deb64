"""Runners: the kinds of agents that a worker can run, behind the port ``Runner``."""

from codetether_adapters.agents.acp import LAUNCHES, AcpRunner, AcpTemplate
from codetether_adapters.agents.command import CommandRunner
from codetether_adapters.agents.echo import EchoRunner
from codetether_adapters.agents.noop import NoopRunner
from codetether_adapters.agents.process import AgentLost, AgentNotStarted, AgentProcess, ProcessesLeft, start_agent
from codetether_adapters.agents.register_codebase import Register, RegisterCodebaseRunner
from codetether_adapters.agents.templates import AgentTemplate, CommandTemplate

__all__ = [
    "LAUNCHES",
    "AcpRunner",
    "AcpTemplate",
    "AgentLost",
    "AgentNotStarted",
    "AgentProcess",
    "AgentTemplate",
    "CommandRunner",
    "CommandTemplate",
    "EchoRunner",
    "NoopRunner",
    "ProcessesLeft",
    "Register",
    "RegisterCodebaseRunner",
    "start_agent",
]
