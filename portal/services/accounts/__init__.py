"""Accounts: who may look at the portal, how they prove it, and what they do with their account."""
