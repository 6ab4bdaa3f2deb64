"""The card in the words of release 1.0, and nothing besides.

Nothing in it is empty or says what goes without saying, so that all who check a signature write the same again, though
some of them leave out what is empty and others what has its default.
"""

from __future__ import annotations

from typing import Any, Final

from codetether_adapters.a2a.card.profile import Profile, Skill

__all__ = ["card_of"]

_MODES: Final = ["text/plain", "application/json"]
_NAME: Final = "CodeTether"
_DESCRIPTION: Final = "A control plane for AI coding agents: it has work done by whichever worker can do it."


def card_of(profile: Profile, base_url: str) -> dict[str, Any]:
    """The card of the server whose address, without a slash at its end, is ``base_url``."""
    card: dict[str, Any] = {
        "name": _NAME,
        "description": _DESCRIPTION,
        "version": profile.version,
        "supportedInterfaces": [
            {"url": f"{base_url}{each.path}", "protocolBinding": each.binding, "protocolVersion": each.version}
            for each in profile.interfaces
        ],
        "capabilities": _capabilities(profile),
    }
    if profile.schemes:
        card["securitySchemes"] = {each.name: {each.kind.member: dict(each.told)} for each in profile.schemes}
        card["securityRequirements"] = [{"schemes": {each.name: {"list": []}}} for each in profile.schemes]
    return card | {
        "defaultInputModes": _MODES,
        "defaultOutputModes": _MODES,
        "skills": [_skill(each) for each in profile.skills],
    }


def _capabilities(profile: Profile) -> dict[str, Any]:
    told: dict[str, Any] = {
        "streaming": True,
        "pushNotifications": profile.push,
        "extendedAgentCard": profile.extended,
    }
    if profile.extensions:
        told["extensions"] = [{"uri": each.uri, "description": each.description} for each in profile.extensions]
    return told


def _skill(skill: Skill) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": skill.id,
        "name": skill.name,
        "description": skill.description,
        "tags": [*skill.tags],
    }
    return told | ({"examples": [*skill.examples]} if skill.examples else {})
