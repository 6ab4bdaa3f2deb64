"""Workers and their models, as answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from codetether_core.workers import Presence

__all__ = [
    "Connection",
    "Connections",
    "Models",
    "ProviderKeys",
    "Providers",
    "Served",
    "SessionWorker",
    "SignedOff",
    "Worker",
    "WorkerAnswer",
    "WorkerBeat",
    "WorkerHolding",
]


@frozen(kw_only=True)
class Worker:
    """A worker. ``agents`` are the agent types that it runs; ``workspaces`` is another name of ``codebases``."""

    worker_id: str
    name: str
    hostname: str
    capabilities: tuple[str, ...]
    agents: tuple[str, ...]
    models: tuple[Mapping[str, Any], ...]
    codebases: tuple[str, ...]
    workspaces: tuple[str, ...]
    global_codebase_id: str | None
    global_workspace_id: str | None
    slots: int
    registered_at: datetime
    last_seen: datetime
    left_at: datetime | None
    status: Presence
    online: bool


@frozen(kw_only=True)
class WorkerHolding(Worker):
    """A worker, and the ids of the tasks that it holds."""

    current_tasks: tuple[str, ...]


@frozen(kw_only=True)
class WorkerAnswer:
    """It is done, and this is the worker now."""

    success: bool
    worker: Worker


@frozen(kw_only=True)
class WorkerBeat:
    """The worker was heard."""

    success: bool
    worker_id: str
    last_seen: datetime


@frozen(kw_only=True)
class SignedOff:
    """The worker has left."""

    success: bool
    message: str
    worker_id: str


@frozen(kw_only=True)
class SessionWorker:
    """The worker that told a session, if one did, and whether it is there."""

    session_id: str
    codebase_id: str
    workspace_id: str
    worker_id: str | None
    status: Presence | None
    online: bool
    last_seen: datetime | None
    current_tasks: tuple[str, ...]


@frozen(kw_only=True)
class Connection:
    """A worker's open stream. ``current_task_id`` is the first of ``task_ids``."""

    worker_id: str
    agent_name: str
    connected_at: datetime
    last_heartbeat: datetime
    is_busy: bool
    current_task_id: str | None
    task_ids: tuple[str, ...]
    slots: int
    capabilities: tuple[str, ...]
    codebases: tuple[str, ...]
    workspaces: tuple[str, ...]


@frozen(kw_only=True)
class Connections:
    """The open streams of workers at this server."""

    workers: tuple[Connection, ...]
    count: int
    timestamp: datetime


@frozen(kw_only=True)
class Served:
    """The codebases that the worker serves from now on."""

    success: bool
    worker_id: str
    codebases: tuple[str, ...]
    message: str


@frozen(kw_only=True)
class Model:
    """A model, and the ids of the present workers that have it. ``capabilities`` are as the first of them told."""

    id: str
    name: str
    provider: str
    provider_id: str
    capabilities: Any
    workers: tuple[str, ...]


@frozen(kw_only=True)
class Models:
    """The models that can be asked for now; ``default`` is the id of the first."""

    models: tuple[Model, ...]
    default: str | None


@frozen(kw_only=True)
class Provider:
    """A provider of models; ``models`` is how many."""

    id: str
    name: str
    description: str
    npm: str | None
    has_base_url: bool
    requires_base_url: bool
    has_models: bool
    models: int
    auth_type: str


@frozen(kw_only=True)
class Providers:
    """The providers of the models that can be asked for now."""

    providers: tuple[Provider, ...]


@frozen(kw_only=True)
class ProviderKeys:
    """No keys: they stay where the agents run."""

    user_id: str
    auth: Mapping[str, Any]
    providers: Mapping[str, Any]
    updated_at: datetime
