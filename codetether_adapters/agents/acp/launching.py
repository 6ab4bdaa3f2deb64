"""How the agents that are known to speak the Agent Client Protocol are started.

Those that come by npm are pinned: a bare name would be whatever is newest at the start of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["LAUNCHES"]

LAUNCHES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "auggie": ("auggie", "--acp"),
        "claude": ("npx", "-y", "@agentclientprotocol/claude-agent-acp@0.101.0"),
        "codex": ("npx", "-y", "@agentclientprotocol/codex-acp@2.6.0"),
        "copilot": ("copilot", "--acp", "--stdio"),
        "cursor": ("cursor-agent", "acp"),
        "devin": ("devin", "acp"),
        "droid": ("droid", "exec", "--output-format", "acp"),
        "gemini": ("gemini", "--acp"),
        "goose": ("goose", "acp"),
        "grok": ("grok", "agent", "stdio"),
        "junie": ("junie", "--acp=true"),
        "kimi": ("kimi", "acp"),
        "kiro": ("kiro-cli-chat", "acp"),
        "opencode": ("opencode", "acp"),
        "openclaw": ("openclaw", "acp"),
        "qoder": ("qodercli", "--acp"),
        "qwen": ("qwen", "--acp"),
        "trae": ("traecli", "acp", "serve"),
    }
)
"""The command line of each, by the name that settings use."""
