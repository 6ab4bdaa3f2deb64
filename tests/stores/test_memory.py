"""The memory stores keep every contract, also behind faults."""

from codetether_adapters.faults import Faults, faulty
from codetether_adapters.memory import open_backend
from contracts.ports import STORE_CONTRACTS, task_store_contract

globals().update((f"Test_{contract.__name__}", contract(open_backend)) for contract in STORE_CONTRACTS)

TestBehindFaults = task_store_contract(lambda: faulty(open_backend(), Faults(7, before=0.15, after=0.15)))
