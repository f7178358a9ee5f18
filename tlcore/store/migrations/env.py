"""What Alembic runs: the revisions, on the connection and in the transaction that ``tlcore.store.schema`` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
