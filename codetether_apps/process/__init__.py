"""What every long-lived process of ours does alike: log, hear signals, fail with a sentence."""

from codetether_apps.process.environment import warn_of_misspelt_variables
from codetether_apps.process.failures import AskedToLeave, StartError, run_or_explain
from codetether_apps.process.garbage import collect_seldom
from codetether_apps.process.logs import configure_logs
from codetether_apps.process.signals import Stopping, stop_signals

__all__ = [
    "AskedToLeave",
    "StartError",
    "Stopping",
    "collect_seldom",
    "configure_logs",
    "run_or_explain",
    "stop_signals",
    "warn_of_misspelt_variables",
]
