"""Agents elsewhere, as those who give them tasks see them."""
