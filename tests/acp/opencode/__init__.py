"""OpenCode itself, from npm, whose model is a program of the tests: it never leaves the machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.a2a.clients import node_packages
from tests.acp.opencode.model import Model

__all__ = ["Model", "opencode", "settings"]

_HERE = Path(__file__).parent


def opencode() -> tuple[str, ...]:
    """The command by which it speaks ACP."""
    return str(node_packages("opencode", _HERE) / "opencode-linux-x64-baseline" / "bin" / "opencode"), "acp"


def settings(model: Model, home: Path) -> Mapping[str, str]:
    """Its environment: two models of one provider, leave for every command of a shell, and nothing that it fetches."""
    models = {name: {"name": name, "tool_call": True, "limit": {"context": 32_000, "output": 4_000}} for name in "mn"}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{model.url}/v1", "apiKey": "none"},
        "models": models,
    }
    config = {
        "autoupdate": False,
        "share": "disabled",
        "model": "stub/m",
        "small_model": "stub/m",
        "enabled_providers": ["stub"],
        "provider": {"stub": provider},
        "permission": {"bash": "ask", "edit": "allow"},
        "lsp": False,
        "formatter": False,
    }
    return {
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_PURE": "1",
        "HOME": str(home),
        "npm_config_registry": "http://127.0.0.1:9/",
    }
