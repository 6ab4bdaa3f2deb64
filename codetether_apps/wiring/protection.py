"""The store and its blobs, behind what protects their content."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from codetether_adapters.audited import Acting, AuditedBackend
from codetether_adapters.protected import EncryptedBlobs, Encrypting, ProtectedBackend, Redacting, inwards
from codetether_apps.settings import Settings, SettingsError
from codetether_apps.wiring.ciphers import cipher_of
from codetether_apps.wiring.credentials import installation_key
from codetether_core.audit import Actor
from codetether_core.events import Event
from codetether_core.ports import Backend, BlobStore, Clock, Entropy
from codetether_core.services import AsKept, DataKeys, Encryption, NoBlobs, NoCipher, Notes, Redaction

__all__ = ["Protection", "protection_of"]


@frozen
class Protection:
    """``backend`` and ``blobs`` are to be used; ``kept`` is what they keep."""

    backend: Backend
    blobs: BlobStore | None
    kept: AsKept
    redaction: Redaction


def protection_of(
    settings: Settings,
    backend: Backend,
    blobs: BlobStore | None,
    clock: Clock,
    entropy: Entropy,
    acting: Acting | None = None,
) -> Protection:
    """Without registered secrets, encrypted as the settings say, and with a record of every change.

    What was encrypted can be read in any case.

    ``SettingsError`` if there is no key to encrypt under.
    """
    on, cipher = settings.encryption.at_rest, cipher_of(settings, installation_key(settings))
    if on and cipher is None:
        raise SettingsError(
            f"encryption.at_rest ({settings.origin('encryption.at_rest')}) is on, and there is no key to encrypt under",
            hint="set CODETETHER_ENCRYPTION_KEYS to what `codetether encryption new-key` prints, on every server",
        )
    notes, acting = Notes(clock, entropy), acting or Acting()
    noted = AuditedBackend.over(backend, notes.of, acting)
    keys = DataKeys(noted.data_keys, cipher or NoCipher(), clock, entropy)
    encryption = Encryption(keys, keys.cipher, entropy)
    redaction, passages = Redaction(noted.secrets, encryption, clock), [Encrypting(encryption, on=on)]

    async def hide(events: Sequence[Event]) -> Sequence[Event]:
        return await inwards(passages, events)

    def note(events: Sequence[Event], actor: Actor) -> Sequence[Event]:
        return [*map(redaction.cleaned, notes.of(events, actor))]

    encrypted = ProtectedBackend.over(backend, passages)
    return Protection(
        backend=ProtectedBackend.over(AuditedBackend.over(encrypted, note, acting), [Redacting(redaction)]),
        blobs=None if blobs is None else EncryptedBlobs(blobs, keys, keys.cipher, on),
        kept=AsKept(backend, blobs or NoBlobs(), hide),
        redaction=redaction,
    )
