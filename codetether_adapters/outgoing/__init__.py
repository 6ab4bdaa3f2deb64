"""Requests to URLs that others gave us: to nowhere that only we may go, whatever a name resolves to meanwhile."""
