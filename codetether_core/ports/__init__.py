"""Ports: what the domain asks of the world, one protocol a file. Each has a contract suite in ``contracts/ports``."""

from codetether_core.ports.agent_cards import AgentCard, AgentCards
from codetether_core.ports.agent_policy import AgentPolicy
from codetether_core.ports.approval_store import ApprovalStore
from codetether_core.ports.audit_log import AuditLog
from codetether_core.ports.authenticator import Authenticator, CertificateAuthenticator
from codetether_core.ports.authorizer import Authorizer
from codetether_core.ports.backend import Backend
from codetether_core.ports.blob_store import BlobStore
from codetether_core.ports.channel import Channel, OpenChannel
from codetether_core.ports.cipher import DATA_KEY_BYTES, NONCE_BYTES, Cipher
from codetether_core.ports.clock import Clock
from codetether_core.ports.codebase_store import CodebaseStore
from codetether_core.ports.courier import Courier
from codetether_core.ports.delegate import Delegate, Holder, Order
from codetether_core.ports.directory import Directory
from codetether_core.ports.entropy import Entropy
from codetether_core.ports.event_log import PAGE_BYTES, EventLog
from codetether_core.ports.inbox import Inbox
from codetether_core.ports.joining import Joining
from codetether_core.ports.migrations import Migrate, Migrations
from codetether_core.ports.notifier import Listener, Notifier
from codetether_core.ports.passwords import Passwords
from codetether_core.ports.provider_sign_in import BegunSignIn, FinishedSignIn, ProviderAnswer, ProviderSignIn
from codetether_core.ports.rate_limiter import FAILURES, REQUESTS, SIGN_INS, Excess, RateLimiter
from codetether_core.ports.record_store import RecordStore, Versioned
from codetether_core.ports.renderer import Payload, Renderer
from codetether_core.ports.runner import Answer, Ask, Emit, Inquiry, Run, RunFailed, Runner, RunOutcome, ToolAccess
from codetether_core.ports.secret_source import SecretSource
from codetether_core.ports.session_store import SessionQuery, SessionStore
from codetether_core.ports.signer import Signer
from codetether_core.ports.task_store import ApprovalChange, TaskOrder, TaskQuery, TaskStore
from codetether_core.ports.together import Together
from codetether_core.ports.tool_caller import ToolCaller
from codetether_core.ports.webhook_store import WebhookStore

__all__ = [
    "DATA_KEY_BYTES",
    "FAILURES",
    "NONCE_BYTES",
    "PAGE_BYTES",
    "REQUESTS",
    "SIGN_INS",
    "AgentCard",
    "AgentCards",
    "AgentPolicy",
    "Answer",
    "ApprovalChange",
    "ApprovalStore",
    "Ask",
    "AuditLog",
    "Authenticator",
    "Authorizer",
    "Backend",
    "BegunSignIn",
    "BlobStore",
    "CertificateAuthenticator",
    "Channel",
    "Cipher",
    "Clock",
    "CodebaseStore",
    "Courier",
    "Delegate",
    "Directory",
    "Emit",
    "Entropy",
    "EventLog",
    "Excess",
    "FinishedSignIn",
    "Holder",
    "Inbox",
    "Inquiry",
    "Joining",
    "Listener",
    "Migrate",
    "Migrations",
    "Notifier",
    "OpenChannel",
    "Order",
    "Passwords",
    "Payload",
    "ProviderAnswer",
    "ProviderSignIn",
    "RateLimiter",
    "RecordStore",
    "Renderer",
    "Run",
    "RunFailed",
    "RunOutcome",
    "Runner",
    "SecretSource",
    "SessionQuery",
    "SessionStore",
    "Signer",
    "TaskOrder",
    "TaskQuery",
    "TaskStore",
    "Together",
    "ToolAccess",
    "ToolCaller",
    "Versioned",
    "WebhookStore",
]
