"""What Alembic runs: the steps, on the connection that it was handed."""

from alembic import context

from planner.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite's tables can be changed within a transaction too, so that a step is made whole
    # or not at all.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
