"""From a process that has just begun to a session of it: who it is, what it can do, and where it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from attrs import field, frozen

from codetether_adapters.agents.acp.shapes import object_in, objects_in, text_in
from codetether_adapters.agents.acp.speaking import AgentRefused, Speaking
from codetether_core.ids import SessionId
from codetether_core.ports import RunFailed, ToolAccess

__all__ = ["AUTH_REQUIRED", "PROTOCOL_VERSION", "Agent", "Place", "Session", "initialized", "resumed", "started"]

PROTOCOL_VERSION: Final = 1
AUTH_REQUIRED: Final = -32000
"""The code of its refusal of somebody who has not signed in."""

_OURS: Final[Mapping[str, Any]] = {
    "fs": {"readTextFile": False, "writeTextFile": False},
    "terminal": False,
    "elicitation": {"form": {}, "url": {}},
}
_PROMPTS: Final = {"image": "image", "audio": "audio", "embedded_context": "embeddedContext"}


@frozen(kw_only=True)
class Agent:
    """What an agent says of itself. ``sign_ins`` are the ways to sign in to it, by which variables hold the secrets.

    It ``takes_tools`` that are served over HTTP. ``abilities`` are the kinds of prompts that it takes beside text,
    ``resume`` and ``load``.
    """

    resumes: bool
    loads: bool
    closes: bool
    takes_tools: bool
    sign_ins: Mapping[str, tuple[str, ...]]
    abilities: frozenset[str]

    @property
    def keeps_sessions(self) -> bool:
        """Whether it can go on with a session of an earlier run."""
        return self.resumes or self.loads


@frozen(kw_only=True)
class Session:
    """A session of the agent; ``resumed`` if it had begun in an earlier run. ``models`` are what it may be set to.

    They are the ids by the option that sets them.
    """

    id: SessionId
    resumed: bool
    models: Mapping[str, frozenset[str]]


@frozen(kw_only=True)
class Place:
    """Where a session works: the variables of its agent are its ``environment``, the ``tools`` what others offer it."""

    directory: str
    environment: Mapping[str, str] = field(repr=False)
    tools: ToolAccess | None = None

    def told(self, agent: Agent) -> Mapping[str, Any]:
        """As the agent is told of it."""
        served = [] if self.tools is None or not agent.takes_tools else [_server(self.tools)]
        return {"cwd": self.directory, "mcpServers": served}


async def initialized(agent: Speaking) -> Agent:
    """Agree on the protocol; ``RunFailed`` (``protocol_version_unknown``) where that is impossible.

    The agent is offered people who answer, and neither our files nor terminals: it has tools of its own.
    """
    told = await agent.request(
        "initialize",
        {
            "protocolVersion": PROTOCOL_VERSION,
            "clientCapabilities": _OURS,
            "clientInfo": {"name": "codetether", "title": "CodeTether", "version": version("codetether-hub")},
        },
    )
    if told.get("protocolVersion") != PROTOCOL_VERSION:
        raise RunFailed(
            f"The agent speaks version {told.get('protocolVersion')!r} of the Agent Client Protocol, and this worker "
            f"speaks {PROTOCOL_VERSION}",
            "protocol_version_unknown",
        )
    able = object_in(told.get("agentCapabilities"))
    sessions = object_in(able.get("sessionCapabilities"))
    resumes, loads = sessions.get("resume") is not None, able.get("loadSession") is True
    prompts = object_in(able.get("promptCapabilities"))
    abilities = {ours: prompts.get(theirs) is True for ours, theirs in _PROMPTS.items()}
    abilities |= {"resume": resumes, "load": loads}
    return Agent(
        resumes=resumes,
        loads=loads,
        closes=sessions.get("close") is not None,
        takes_tools=object_in(able.get("mcpCapabilities")).get("http") is True,
        sign_ins={id: _variables(each) for each in objects_in(told.get("authMethods")) if (id := text_in(each, "id"))},
        abilities=frozenset(name for name, has in abilities.items() if has),
    )


async def started(speaking: Speaking, agent: Agent, place: Place) -> Session:
    """A new session; ``RunFailed`` where the agent gives none. It is signed in to with what the environment has."""
    told = await _signed_in(speaking, agent, place, "session/new", place.told(agent))
    id = text_in(told, "sessionId")
    if id is None:
        raise RunFailed("The agent began a session without an id", "agent_error")
    return Session(id=SessionId(id), resumed=False, models=_models(told))


async def resumed(speaking: Speaking, agent: Agent, id: SessionId, place: Place) -> Session | None:
    """The session of an earlier run: gone on with, or loaded with all that was said; ``None`` if the agent has lost it.

    Some agents answer the latter without an id, and some say yes to sessions that they do not have.
    """
    if not agent.keeps_sessions:
        return None
    method = "session/resume" if agent.resumes else "session/load"
    try:
        told = await _signed_in(speaking, agent, place, method, {"sessionId": id, **place.told(agent)})
    except AgentRefused:
        return None
    return Session(id=id, resumed=True, models=_models(told))


async def _signed_in(
    speaking: Speaking, agent: Agent, place: Place, method: str, params: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The answer to a request before which the agent may want to be signed in to."""
    try:
        return await speaking.request(method, params)
    except AgentRefused as refusal:
        if refusal.code != AUTH_REQUIRED:
            raise
        way = next(
            (id for id, names in agent.sign_ins.items() if names and set(names) <= place.environment.keys()), None
        )
        if way is None:
            raise _sign_in_needed(refusal, agent) from None
    try:
        await speaking.request("authenticate", {"methodId": way})
        return await speaking.request(method, params)
    except AgentRefused as refusal:
        raise _sign_in_needed(refusal, agent) from None


def _sign_in_needed(refusal: AgentRefused, agent: Agent) -> RunFailed:
    wanted = sorted({name for names in agent.sign_ins.values() for name in names})
    hint = f"; give it one of {', '.join(wanted)}, by env or as a secret" if wanted else "; sign in to it on the worker"
    return RunFailed(f"The agent wants to be signed in to: {refusal.words}{hint}", "agent_auth_required")


def _server(tools: ToolAccess) -> Mapping[str, Any]:
    proof = {"name": "Authorization", "value": f"Bearer {tools.token}"}
    return {"type": "http", "name": "codetether", "url": tools.url, "headers": [proof]}


def _models(told: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    return {
        id: frozenset(_values(option.get("options")))
        for option in objects_in(told.get("configOptions"))
        if option.get("category") == "model" and option.get("type") == "select" and (id := text_in(option, "id"))
    }


def _values(options: object) -> Iterator[str]:
    """Of a list of choices, or of groups of them."""
    for each in objects_in(options):
        for choice in (each, *objects_in(each.get("options"))):
            if (value := text_in(choice, "value")) is not None:
                yield value


def _variables(way: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for each in objects_in(way.get("vars")) if (name := text_in(each, "name")))
