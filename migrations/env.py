"""Tells Alembic which tables there are, and runs inside the transaction it is given.

To write a new version: `alembic -x url=sqlite:///empty.db revision --autogenerate -m "…"`.
"""

from alembic import context
from sqlalchemy import Connection

from service.store.schema import VERSION_TABLE
from service.store.session import open_engine
from service.store.tables import METADATA


def run(connection: Connection) -> None:
    """Run what Alembic was asked for; whoever owns the connection's transaction commits it."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
        # SQLite alters a table by copying it
        render_as_batch=connection.dialect.name == "sqlite",
        # SQLite's DDL is transactional too, once Python's driver leaves the transaction to us
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = open_engine(context.get_x_argument(as_dictionary=True)["url"])
    with engine.begin() as opened:
        run(opened)
    engine.dispose()
