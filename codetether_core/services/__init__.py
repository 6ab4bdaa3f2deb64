"""Use cases. They take ports and a clock, decide by the pure verbs, and know no framework."""

from codetether_core.services.accounts import Accounts
from codetether_core.services.archiving import Archiving, Entry
from codetether_core.services.assembly import Services, assemble
from codetether_core.services.attaching import Attaching
from codetether_core.services.claiming import Claiming, Explanation, profile_of
from codetether_core.services.conversation import Conversation
from codetether_core.services.dispatch import Connection, Dispatch
from codetether_core.services.issuing import RENEWED, REVOKED, Issuing
from codetether_core.services.maintenance import Maintenance, Sweep
from codetether_core.services.messaging import Messaging
from codetether_core.services.monitoring import ANSWER_BYTES, MESSAGE_KINDS, Found, Monitoring, MonitorMessage, told
from codetether_core.services.no_blobs import NoBlobs
from codetether_core.services.questions import Question, Questions
from codetether_core.services.registration import Registration
from codetether_core.services.reporting import TRAILING_GRACE, Reporting
from codetether_core.services.signing_in import SignedIn, SigningIn
from codetether_core.services.submission import Submission
from codetether_core.services.watching import Resync, Watching

__all__ = [
    "ANSWER_BYTES",
    "MESSAGE_KINDS",
    "RENEWED",
    "REVOKED",
    "TRAILING_GRACE",
    "Accounts",
    "Archiving",
    "Attaching",
    "Claiming",
    "Connection",
    "Conversation",
    "Dispatch",
    "Entry",
    "Explanation",
    "Found",
    "Issuing",
    "Maintenance",
    "Messaging",
    "MonitorMessage",
    "Monitoring",
    "NoBlobs",
    "Question",
    "Questions",
    "Registration",
    "Reporting",
    "Resync",
    "Services",
    "SignedIn",
    "SigningIn",
    "Submission",
    "Sweep",
    "Watching",
    "assemble",
    "profile_of",
    "told",
]
