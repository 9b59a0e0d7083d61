"""Business events and what is kept of people: the only callers of the ledger's writing verbs."""
