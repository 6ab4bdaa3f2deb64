"""All services over one backend."""

from __future__ import annotations

from datetime import timedelta

from attrs import frozen

from codetether_core.ports import (
    AgentCards,
    AgentPolicy,
    Authorizer,
    Backend,
    BlobStore,
    Cipher,
    Clock,
    Entropy,
    Joining,
    Passwords,
    Signer,
    Together,
    ToolCaller,
)
from codetether_core.services.accounts import Accounts
from codetether_core.services.agent_rules import AgentRules
from codetether_core.services.archiving import Archiving
from codetether_core.services.as_kept import AsKept
from codetether_core.services.asking import Asking
from codetether_core.services.attaching import Attaching
from codetether_core.services.audit_notes import Notes
from codetether_core.services.auditing import Auditing
from codetether_core.services.blob_marks import BlobMarks
from codetether_core.services.claiming import Claiming
from codetether_core.services.clearing import Clearing
from codetether_core.services.collecting import Collecting
from codetether_core.services.conversation import Conversation
from codetether_core.services.data_keys import DataKeys
from codetether_core.services.dispatch import Dispatch
from codetether_core.services.encryption import Encryption
from codetether_core.services.enlisting import Enlisting
from codetether_core.services.erasing import Erasing
from codetether_core.services.issuing import Issuing
from codetether_core.services.judging import Judging
from codetether_core.services.leaving import Leaving
from codetether_core.services.maintenance import Maintenance
from codetether_core.services.messaging import Messaging
from codetether_core.services.monitoring import Monitoring
from codetether_core.services.no_blobs import NoBlobs
from codetether_core.services.no_cipher import NoCipher
from codetether_core.services.no_signer import NoSigner
from codetether_core.services.ownership import Ownership
from codetether_core.services.questions import Questions
from codetether_core.services.recording import Recording
from codetether_core.services.redaction import Redaction
from codetether_core.services.references import References
from codetether_core.services.registration import Registration
from codetether_core.services.reporting import Reporting
from codetether_core.services.restoring import Restoring
from codetether_core.services.role_policy import RolePolicy
from codetether_core.services.rotating import Rotating
from codetether_core.services.sealing import Sealing
from codetether_core.services.secret_keeping import SecretKeeping
from codetether_core.services.signing_in import SigningIn
from codetether_core.services.submission import Submission
from codetether_core.services.task_logs import TaskLogs
from codetether_core.services.task_writer import TaskWriter
from codetether_core.services.telling import Telling
from codetether_core.services.tool_listing import ToolListing, each_by_itself, one_after_another
from codetether_core.services.tool_permission import ToolPermission
from codetether_core.services.tool_server_keeping import ToolServerKeeping
from codetether_core.services.tool_using import ToolUsing
from codetether_core.services.trail_copying import TrailCopying
from codetether_core.services.trail_filing import TrailFiling
from codetether_core.services.trail_filings import TrailFilings
from codetether_core.services.trail_upkeep import TrailUpkeep
from codetether_core.services.transcripts import Transcripts
from codetether_core.services.watching import Watching
from codetether_core.services.webhook_keeping import WebhookKeeping
from codetether_core.tasks import LeaseTerms

__all__ = ["Services", "assemble"]


@frozen(kw_only=True)
class Services:
    """The use cases, and the ports that reading needs no use case for.

    ``dispatch.run()``, ``maintenance.run()`` and ``trail_upkeep.run()`` have to be running somewhere in the process,
    and ``collecting.run()`` and ``clearing.run()`` where there are blobs.
    """

    backend: Backend
    blobs: BlobStore
    clock: Clock
    entropy: Entropy
    terms: LeaseTerms
    submission: Submission
    dispatch: Dispatch
    claiming: Claiming
    reporting: Reporting
    asking: Asking
    questions: Questions
    watching: Watching
    conversation: Conversation
    registration: Registration
    ownership: Ownership
    enlisting: Enlisting
    messaging: Messaging
    monitoring: Monitoring
    maintenance: Maintenance
    archiving: Archiving
    restoring: Restoring
    issuing: Issuing
    signing_in: SigningIn
    accounts: Accounts
    attaching: Attaching
    task_logs: TaskLogs
    transcripts: Transcripts
    collecting: Collecting
    clearing: Clearing
    erasing: Erasing
    recording: Recording
    sealing: Sealing
    auditing: Auditing
    trail_upkeep: TrailUpkeep
    data_keys: DataKeys
    encryption: Encryption
    redaction: Redaction
    secret_keeping: SecretKeeping
    rotating: Rotating
    webhook_keeping: WebhookKeeping
    tool_using: ToolUsing
    tool_server_keeping: ToolServerKeeping


def assemble(
    backend: Backend,
    clock: Clock,
    entropy: Entropy,
    *,
    blobs: BlobStore | None = None,
    key: bytes | None = None,
    passwords: Passwords | None = None,
    signer: Signer | None = None,
    webhook_signer: Signer | None = None,
    cipher: Cipher | None = None,
    redaction: Redaction | None = None,
    kept: AsKept | None = None,
    at_rest: bool = False,
    authorizer: Authorizer | None = None,
    agent_policy: AgentPolicy | None = None,
    agent_cards: AgentCards | None = None,
    tool_caller: ToolCaller | None = None,
    together: Together = one_after_another,
    joining: Joining = each_by_itself,
    terms: LeaseTerms | None = None,
    reaper_interval: timedelta = timedelta(seconds=10),
    retention: timedelta = timedelta(days=30),
    audit_retention: timedelta | None = None,
    key_max_age: timedelta = timedelta(days=90),
) -> Services:
    """Put the services together; nothing runs yet.

    Without ``blobs`` files are refused, and old logs are forgotten. Without the installation's ``key`` no credentials
    are issued, without ``passwords`` there are no accounts, without a ``signer`` nobody vouches for the audit trail and
    without a ``webhook_signer`` for what webhooks are sent, without a ``cipher`` nothing is encrypted.
    A ``backend`` whose writes go through ``redaction`` is given with it. One that encrypts ``at_rest`` has something
    below it, of which ``kept`` tells.
    ``authorizer`` tells who may act for the owners of things, ``agent_policy`` what agents may do; without them, roles
    and the rules that are shipped do. ``agent_cards`` finds out about agents elsewhere; without it there are none.
    ``tool_caller`` speaks to servers elsewhere that offer tools, which are asked for them ``together``, each once for
    all that ask meanwhile (``joining``); without it none is registered, and no run uses any.
    """
    terms, files, blobs = terms or LeaseTerms(), blobs is not None, blobs or NoBlobs()
    tasks, log, directory = backend.tasks, backend.log, backend.directory
    writer = TaskWriter(tasks, backend.approvals, clock, entropy)
    ownership = Ownership(authorizer or RolePolicy())
    dispatch = Dispatch(writer, tasks, backend.notifier, clock)
    claiming = Claiming(writer, dispatch, tasks, directory, clock, entropy, terms, ownership)
    watching = Watching(log, backend.notifier, clock)
    leaving = Leaving(backend.leftovers, clock, entropy)
    logs = TaskLogs(writer, tasks, log, blobs, watching, leaving, clock)
    transcripts = Transcripts(backend.sessions, blobs, leaving)
    erasing = Erasing(backend.tasks, backend.sessions, leaving, ownership, clock)
    if redaction is None:
        keys = DataKeys(backend.data_keys, cipher or NoCipher(), clock, entropy)
        redaction = Redaction(backend.secrets, Encryption(keys, keys.cipher, entropy), clock)
    encryption, data_keys = redaction.encryption, redaction.encryption.keys
    kept = kept or AsKept(backend, blobs)
    filings = TrailFilings(backend.audit, blobs)
    marks, references = BlobMarks(kept), References(kept.backend.tasks, kept.backend.sessions, filings)
    trail = TrailCopying(backend.audit, kept.blobs, filings)
    recording = Recording(backend.audit, clock, Notes(clock, entropy), redaction)
    sealing = Sealing(backend.audit, recording, signer or NoSigner())
    telling = Telling(log, clock, redaction, encryption)
    reporting = Reporting(writer, claiming, tasks, telling, redaction, clock, entropy, terms)
    judging = Judging(agent_policy or AgentRules(), backend.codebases)
    questions = Questions(writer, tasks, backend.approvals, clock, entropy, redaction)
    submission = Submission(writer, tasks, backend.codebases, clock, entropy, redaction)
    registration = Registration(backend.codebases, directory, tasks, clock, entropy, ownership)
    secret_keeping = SecretKeeping(redaction.secrets, redaction, ownership, clock)
    issuing = Issuing(backend.credentials, clock, entropy, ownership, key, key_max_age)
    asking = Asking(writer, tasks, reporting, judging, redaction, clock, entropy, terms)
    listing = ToolListing(backend.tool_servers, tool_caller, secret_keeping, redaction, clock, together, joining)
    return Services(
        backend=backend,
        blobs=blobs,
        clock=clock,
        entropy=entropy,
        terms=terms,
        submission=submission,
        dispatch=dispatch,
        claiming=claiming,
        reporting=reporting,
        asking=asking,
        questions=questions,
        watching=watching,
        conversation=Conversation(backend.sessions, backend.codebases, submission, transcripts, clock),
        registration=registration,
        ownership=ownership,
        enlisting=Enlisting(registration, secret_keeping, ownership, agent_cards, clock),
        messaging=Messaging(backend.inbox, directory, clock, entropy),
        monitoring=Monitoring(log),
        maintenance=Maintenance(
            writer,
            tasks,
            log,
            questions,
            logs if files else None,
            transcripts if files else None,
            clock,
            reaper_interval,
            retention,
        ),
        issuing=issuing,
        signing_in=SigningIn(backend.accounts, issuing, passwords, clock, entropy),
        accounts=Accounts(backend.accounts, issuing, passwords, clock),
        archiving=Archiving(kept, Watching(kept.backend.log, backend.notifier, clock), logs, trail),
        restoring=Restoring(kept, writer, recording, trail, leaving, clock),
        attaching=Attaching(writer, tasks, blobs, leaving, clock, terms, redaction),
        task_logs=logs,
        transcripts=transcripts,
        collecting=Collecting(marks, references, recording, clock),
        clearing=Clearing(marks, references, clock),
        erasing=erasing,
        recording=recording,
        sealing=sealing,
        auditing=Auditing(backend.audit, sealing),
        trail_upkeep=TrailUpkeep(
            recording,
            sealing,
            TrailFiling(backend.audit, blobs, recording, sealing, clock, audit_retention if files else None),
            clock,
        ),
        data_keys=data_keys,
        encryption=encryption,
        redaction=redaction,
        secret_keeping=secret_keeping,
        webhook_keeping=WebhookKeeping(backend.webhooks, encryption, ownership, webhook_signer or NoSigner(), clock),
        tool_using=ToolUsing(
            listing,
            ToolPermission(asking, questions, tasks, backend.approvals, backend.notifier, clock, terms),
            judging,
            redaction,
            recording,
            tasks,
            clock,
            terms,
        ),
        tool_server_keeping=ToolServerKeeping(
            backend.tool_servers, secret_keeping, redaction, ownership, tool_caller, clock
        ),
        rotating=Rotating(data_keys, backend.data_keys, data_keys.cipher, clock, backend.audit, at_rest),
    )
