"""Operations, what they take, and the names that each release has for them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from attrs import frozen

from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1

__all__ = ["METHODS", "Method", "Operation"]


class Operation(Enum):
    """What can be asked, and the permission that it takes."""

    SEND = "SendMessage", "tasks:write"
    STREAM = "SendStreamingMessage", "tasks:write"
    GET = "GetTask", "tasks:read"
    LIST = "ListTasks", "tasks:read"
    CANCEL = "CancelTask", "tasks:write"
    SUBSCRIBE = "SubscribeToTask", "tasks:read"
    PUSH_CREATE = "CreateTaskPushNotificationConfig", "tasks:write"
    PUSH_GET = "GetTaskPushNotificationConfig", "tasks:read"
    PUSH_LIST = "ListTaskPushNotificationConfigs", "tasks:read"
    PUSH_DELETE = "DeleteTaskPushNotificationConfig", "tasks:write"
    CARD = "GetExtendedAgentCard", "identity:read"

    def __init__(self, title: str, permission: str) -> None:
        self.title = title
        self.permission = permission

    @property
    def streams(self) -> bool:
        """Whether it is answered by a stream."""
        return self in (Operation.STREAM, Operation.SUBSCRIBE)


@frozen
class Method:
    """A name in JSON-RPC: an operation, in the words of a release."""

    operation: Operation
    dialect: Dialect


_OLD: Final[Mapping[str, Operation]] = {
    "message/send": Operation.SEND,
    "message/stream": Operation.STREAM,
    "tasks/get": Operation.GET,
    "tasks/cancel": Operation.CANCEL,
    "tasks/resubscribe": Operation.SUBSCRIBE,
    "tasks/pushNotificationConfig/set": Operation.PUSH_CREATE,
    "tasks/pushNotificationConfig/get": Operation.PUSH_GET,
    "tasks/pushNotificationConfig/list": Operation.PUSH_LIST,
    "tasks/pushNotificationConfig/delete": Operation.PUSH_DELETE,
    "agent/getAuthenticatedExtendedCard": Operation.CARD,
}

METHODS: Final[Mapping[str, Method]] = {
    **{operation.title: Method(operation, V1) for operation in Operation},
    **{name: Method(operation, V03) for name, operation in _OLD.items()},
}
