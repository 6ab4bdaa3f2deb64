"""What the machine gives: its time, its dice, and locks on checkouts."""

from codetether_adapters.system.checkout_lock import CheckoutBusy, CheckoutLock, CheckoutLocks
from codetether_adapters.system.clock import SystemClock
from codetether_adapters.system.entropy import SystemEntropy

__all__ = ["CheckoutBusy", "CheckoutLock", "CheckoutLocks", "SystemClock", "SystemEntropy"]
