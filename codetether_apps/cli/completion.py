"""``codetether completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from codetether_apps.cli.root import PROGRAM, codetether

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that completes commands in your shell.

    \b
    bash:  codetether completion bash > ~/.local/share/bash-completion/completions/codetether
    zsh:   codetether completion zsh > "${fpath[1]}/_codetether"
    fish:  codetether completion fish > ~/.config/fish/completions/codetether.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} is not supported")
    made = kind(codetether, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE")
    print(made.source_template % made.source_vars())
