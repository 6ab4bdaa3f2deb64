"""The agent card, by which others find out who we are, where we are spoken to, and how to sign in."""

from codetether_adapters.a2a.card.cards import Cards
from codetether_adapters.a2a.card.profile import Extension, Interface, Profile, Scheme, Skill
from codetether_adapters.a2a.card.publishing import Page
from codetether_adapters.a2a.card.security import Provider, schemes
from codetether_adapters.a2a.card.signing import CardSigner

__all__ = [
    "CardSigner",
    "Cards",
    "Extension",
    "Interface",
    "Page",
    "Profile",
    "Provider",
    "Scheme",
    "Skill",
    "schemes",
]
