"""What the protocol speaks of, in no release's words: frozen values, made from and told in either dialect."""

from codetether_adapters.a2a_wire.values.events import ArtifactUpdate, StatusUpdate, Update
from codetether_adapters.a2a_wire.values.message import Message, Role
from codetether_adapters.a2a_wire.values.part import Content, Data, Part, Raw, Text, Url
from codetether_adapters.a2a_wire.values.push import Authentication, PushConfig
from codetether_adapters.a2a_wire.values.requests import (
    CancelTask,
    Configuration,
    ExtendedCard,
    GetTask,
    ListPushConfigs,
    ListTasks,
    NamedPushConfig,
    SendMessage,
    Subscribe,
)
from codetether_adapters.a2a_wire.values.task import (
    INTERRUPTED,
    TERMINAL,
    Artifact,
    Task,
    TaskList,
    TaskState,
    TaskStatus,
)

__all__ = [
    "INTERRUPTED",
    "TERMINAL",
    "Artifact",
    "ArtifactUpdate",
    "Authentication",
    "CancelTask",
    "Configuration",
    "Content",
    "Data",
    "ExtendedCard",
    "GetTask",
    "ListPushConfigs",
    "ListTasks",
    "Message",
    "NamedPushConfig",
    "Part",
    "PushConfig",
    "Raw",
    "Role",
    "SendMessage",
    "StatusUpdate",
    "Subscribe",
    "Task",
    "TaskList",
    "TaskState",
    "TaskStatus",
    "Text",
    "Update",
    "Url",
]
