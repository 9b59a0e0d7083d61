"""Webhooks: a client's events, sent to its addresses, at least once and in order for each user."""
