"""Alembic's entry: runs the revisions on the connection that `tracejury.ledger.upgrading` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
# One transaction over all revisions, on SQLite too: an upgrade that breaks leaves the ledger as it was.
context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
