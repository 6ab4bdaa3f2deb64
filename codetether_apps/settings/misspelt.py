"""Variables of the environment, or files mounted in their place, that are probably ours, misspelt."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from codetether_apps.settings.mounted import DIRECTORY_VARIABLE, mounted_files
from codetether_apps.settings.reading import CONFIG_VARIABLE, table
from codetether_apps.settings.setting import PREFIX

__all__ = ["misspelt_variables"]

_ALIKE: Final = 0.75
"""How much alike two names must be. Kubernetes sets such as ``CODETETHER_SERVICE_HOST``, which nobody misspelt."""


def misspelt_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables with our prefix that mean nothing, each with the one that was probably meant."""
    known = {CONFIG_VARIABLE, DIRECTORY_VARIABLE}
    for row in table():
        known |= {row.variable, f"{row.variable}_FILE"} if row.secret else {row.variable}
    endings = [name.removeprefix(PREFIX) for name in known]
    found = {}
    for name in sorted({*environment, *mounted_files(environment)}):
        if name.startswith(PREFIX) and name not in known:
            for near in get_close_matches(name.removeprefix(PREFIX), endings, 1, _ALIKE):
                found[name] = PREFIX + near
    return found
