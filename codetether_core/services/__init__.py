"""Use cases. They take ports and a clock, decide by the pure verbs, and know no framework."""

from codetether_core.services.accounts import Accounts
from codetether_core.services.agent_rules import AgentRules
from codetether_core.services.archiving import Archiving
from codetether_core.services.as_kept import AsKept
from codetether_core.services.asking import Asking
from codetether_core.services.assembly import Services, assemble
from codetether_core.services.attaching import Attaching
from codetether_core.services.audit_notes import Notes
from codetether_core.services.auditing import Auditing, FoundRecords, KnownHead
from codetether_core.services.claiming import Claiming, Explanation, profile_of
from codetether_core.services.clearing import Clearing
from codetether_core.services.collecting import COLLECTED, Collected, Collecting
from codetether_core.services.conversation import Conversation
from codetether_core.services.copies import Entry, check_entry
from codetether_core.services.data_keys import DataKeys, OpenKey
from codetether_core.services.delivery import Means
from codetether_core.services.dispatch import Connection, Dispatch
from codetether_core.services.encryption import Encryption
from codetether_core.services.enlisting import Enlisting
from codetether_core.services.envelope import Envelope
from codetether_core.services.erasing import Erasing
from codetether_core.services.issuing import RENEWED, REVOKED, Issuing
from codetether_core.services.maintenance import Maintenance, Sweep
from codetether_core.services.messaging import Messaging
from codetether_core.services.monitoring import ANSWER_BYTES, MESSAGE_KINDS, Found, Monitoring, MonitorMessage, told
from codetether_core.services.no_blobs import NoBlobs
from codetether_core.services.no_cipher import NoCipher
from codetether_core.services.ownership import OTHERS, Ownership, Reach
from codetether_core.services.pushing import Pushing
from codetether_core.services.questions import Question, Questions
from codetether_core.services.recording import Recording
from codetether_core.services.redaction import Redaction
from codetether_core.services.registration import Registration
from codetether_core.services.reporting import TRAILING_GRACE, Reporting
from codetether_core.services.restoring import Restoring
from codetether_core.services.role_policy import RolePolicy
from codetether_core.services.rotating import KeysInUse, KeyUse, Rotated, Rotating
from codetether_core.services.sealing import Sealing
from codetether_core.services.secret_keeping import SecretKeeping
from codetether_core.services.signing_in import SignedIn, SigningIn
from codetether_core.services.submission import Submission
from codetether_core.services.task_writer import TASK_KINDS
from codetether_core.services.tenants import tenants_of
from codetether_core.services.tool_server_keeping import ToolServerKeeping
from codetether_core.services.tool_using import Offering, ToolUsing
from codetether_core.services.trail_upkeep import TrailUpkeep
from codetether_core.services.watching import Resync, Watching
from codetether_core.services.webhook_keeping import WebhookKeeping

__all__ = [
    "ANSWER_BYTES",
    "COLLECTED",
    "MESSAGE_KINDS",
    "OTHERS",
    "RENEWED",
    "REVOKED",
    "TASK_KINDS",
    "TRAILING_GRACE",
    "Accounts",
    "AgentRules",
    "Archiving",
    "AsKept",
    "Asking",
    "Attaching",
    "Auditing",
    "Claiming",
    "Clearing",
    "Collected",
    "Collecting",
    "Connection",
    "Conversation",
    "DataKeys",
    "Dispatch",
    "Encryption",
    "Enlisting",
    "Entry",
    "Envelope",
    "Erasing",
    "Explanation",
    "Found",
    "FoundRecords",
    "Issuing",
    "KeyUse",
    "KeysInUse",
    "KnownHead",
    "Maintenance",
    "Means",
    "Messaging",
    "MonitorMessage",
    "Monitoring",
    "NoBlobs",
    "NoCipher",
    "Notes",
    "Offering",
    "OpenKey",
    "Ownership",
    "Pushing",
    "Question",
    "Questions",
    "Reach",
    "Recording",
    "Redaction",
    "Registration",
    "Reporting",
    "Restoring",
    "Resync",
    "RolePolicy",
    "Rotated",
    "Rotating",
    "Sealing",
    "SecretKeeping",
    "Services",
    "SignedIn",
    "SigningIn",
    "Submission",
    "Sweep",
    "ToolServerKeeping",
    "ToolUsing",
    "TrailUpkeep",
    "Watching",
    "WebhookKeeping",
    "assemble",
    "check_entry",
    "profile_of",
    "tenants_of",
    "told",
]
