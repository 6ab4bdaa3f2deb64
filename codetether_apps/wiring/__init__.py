"""The only composition root: settings to ports to services, and what is made of them."""

from codetether_apps.wiring.application import Opened, open_application
from codetether_apps.wiring.credentials import Access, Generated, client_token, token_file
from codetether_apps.wiring.services import open_services
from codetether_apps.wiring.workplace import Workplace, open_workplace

__all__ = [
    "Access",
    "Generated",
    "Opened",
    "Workplace",
    "client_token",
    "open_application",
    "open_services",
    "open_workplace",
    "token_file",
]
