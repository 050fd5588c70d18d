"""How a ledger of an earlier version becomes one of today's: alembic's revisions, run by `tracejury ledger upgrade`.

A revision is frozen: it says in words of its own what the tables were and become, and imports nothing of this package.
"""
