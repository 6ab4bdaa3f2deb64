"""A backend whose every change comes with its record in the audit trail: nobody who changes something can forget it."""

from codetether_adapters.audited.acting import Acting
from codetether_adapters.audited.backend import AuditedBackend, Note

__all__ = ["Acting", "AuditedBackend", "Note"]
