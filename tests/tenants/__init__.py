"""Tenants, who share nothing but the store."""
