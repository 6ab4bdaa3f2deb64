"""The contracts of the ports: each is a function that takes a way to open a new store and returns a test case.

A third party's store proves itself in a few lines, with any runner that knows ``unittest``::

    from contracts.ports import STORE_CONTRACTS
    from mystore import open_new_store

    globals().update((f"Test_{contract.__name__}", contract(open_new_store)) for contract in STORE_CONTRACTS)

The machine of ``task_store_contract`` repeats every call while the store is ``Unavailable``, so the same one runs over
stores that fail on purpose. Stores that several processes may open have ``processes_contract`` besides.
"""

from collections.abc import Callable
from typing import Final
from unittest import TestCase

from contracts.ports.approval_store import approval_store_contract
from contracts.ports.audit_log import audit_log_contract
from contracts.ports.blob_store import blob_store_contract
from contracts.ports.channel import channel_contract
from contracts.ports.codebase_store import codebase_store_contract
from contracts.ports.erasing import erasing_contract
from contracts.ports.event_log import event_log_contract
from contracts.ports.harness import OpenBackend
from contracts.ports.inbox import inbox_contract
from contracts.ports.notifier import notifier_contract
from contracts.ports.races import processes_contract, races_contract
from contracts.ports.record_store import record_store_contract
from contracts.ports.session_store import session_store_contract
from contracts.ports.task_lists import task_lists_contract
from contracts.ports.task_store import boundary_examples, task_store_contract
from contracts.ports.webhook_store import webhook_store_contract
from contracts.ports.wholeness import wholeness_contract

__all__ = [
    "STORE_CONTRACTS",
    "OpenBackend",
    "approval_store_contract",
    "audit_log_contract",
    "blob_store_contract",
    "boundary_examples",
    "channel_contract",
    "codebase_store_contract",
    "erasing_contract",
    "event_log_contract",
    "inbox_contract",
    "notifier_contract",
    "processes_contract",
    "races_contract",
    "record_store_contract",
    "session_store_contract",
    "task_lists_contract",
    "task_store_contract",
    "webhook_store_contract",
    "wholeness_contract",
]

STORE_CONTRACTS: Final[tuple[Callable[[OpenBackend], type[TestCase]], ...]] = (
    task_store_contract,
    task_lists_contract,
    boundary_examples,
    races_contract,
    event_log_contract,
    notifier_contract,
    record_store_contract,
    codebase_store_contract,
    session_store_contract,
    inbox_contract,
    approval_store_contract,
    audit_log_contract,
    webhook_store_contract,
    erasing_contract,
    wholeness_contract,
)
