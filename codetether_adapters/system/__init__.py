"""What the machine gives: its time, its dice, and locks on checkouts."""

from codetether_adapters.system.checkout_lock import CheckoutBusy, CheckoutLock, CheckoutNotLocked, hold_checkout
from codetether_adapters.system.clock import SystemClock
from codetether_adapters.system.entropy import SystemEntropy
from codetether_adapters.system.joined import Joined
from codetether_adapters.system.together import together

__all__ = [
    "CheckoutBusy",
    "CheckoutLock",
    "CheckoutNotLocked",
    "Joined",
    "SystemClock",
    "SystemEntropy",
    "hold_checkout",
    "together",
]
