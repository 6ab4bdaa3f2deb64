"""The SDK: talk to a CodeTether server from Python, with or without an event loop.

>>> with Client("http://127.0.0.1:8000") as client:
...     task = client.tasks.run("Explain this repository", codebase="my-app")
...     for text in task.output():
...         print(text, end="")
...     print(task.result())

`AsyncClient` offers the same, to be awaited. Streams come back by themselves after a cut and show every event once;
calls that may be repeated are; refusals are raised as the errors of ``codetether_core.errors``.
"""

from codetether_adapters.client.audit import AuditEventsView, AuditEventView, AuditHeadsView, AuditHeadView
from codetether_adapters.client.client import AsyncClient, Client
from codetether_adapters.client.encryption import EncryptionView, KeyUseView, RotatedView
from codetether_adapters.client.errors import (
    BadAnswer,
    ConnectionFailed,
    ServerFailed,
    TaskCancelled,
    TaskFailed,
)
from codetether_adapters.client.following import TaskEvent
from codetether_adapters.client.handle import TaskHandle
from codetether_adapters.client.identity_views import AccountView, SignedInView, SignInView, TokenView
from codetether_adapters.client.lease_words import Claimed, Lease
from codetether_adapters.client.new_task import NewTask
from codetether_adapters.client.operations import Async, Sync
from codetether_adapters.client.patience import Patience
from codetether_adapters.client.requests import fresh_key
from codetether_adapters.client.secrets import SecretView
from codetether_adapters.client.tls import tls_with
from codetether_adapters.client.tool_servers import OfferedToolView, ToolServerHealthView, ToolServerView
from codetether_adapters.client.views import (
    AgentView,
    ApprovalView,
    ArtifactView,
    AttemptView,
    CodebaseView,
    ExplanationView,
    MessageView,
    PeerView,
    SessionMessageView,
    SessionView,
    TaskView,
    WorkerFit,
    WorkerView,
)
from codetether_adapters.client.webhooks import WebhookView
from codetether_adapters.client.worker import AgentFunction, AgentRun, Worker
from codetether_adapters.client.worker_notices import Beat, CancelNotice, Drain, Notice, Offer
from codetether_adapters.client.worker_protocol import WorkerProtocol
from codetether_core.errors import RateLimited

__all__ = [
    "AccountView",
    "AgentFunction",
    "AgentRun",
    "AgentView",
    "ApprovalView",
    "ArtifactView",
    "Async",
    "AsyncClient",
    "AttemptView",
    "AuditEventView",
    "AuditEventsView",
    "AuditHeadView",
    "AuditHeadsView",
    "BadAnswer",
    "Beat",
    "CancelNotice",
    "Claimed",
    "Client",
    "CodebaseView",
    "ConnectionFailed",
    "Drain",
    "EncryptionView",
    "ExplanationView",
    "KeyUseView",
    "Lease",
    "MessageView",
    "NewTask",
    "Notice",
    "Offer",
    "OfferedToolView",
    "Patience",
    "PeerView",
    "RateLimited",
    "RotatedView",
    "SecretView",
    "ServerFailed",
    "SessionMessageView",
    "SessionView",
    "SignInView",
    "SignedInView",
    "Sync",
    "TaskCancelled",
    "TaskEvent",
    "TaskFailed",
    "TaskHandle",
    "TaskView",
    "TokenView",
    "ToolServerHealthView",
    "ToolServerView",
    "WebhookView",
    "Worker",
    "WorkerFit",
    "WorkerProtocol",
    "WorkerView",
    "fresh_key",
    "tls_with",
]
