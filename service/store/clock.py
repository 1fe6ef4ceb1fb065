"""The one clock of the store: the database's, as a construct that both dialects compile."""

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class db_now(FunctionElement[float]):  # noqa: N801 - reads like the SQL function it is
    """Seconds since the epoch when the statement began, by the database's clock."""

    type = Double()
    inherit_cache = True


@compiles(db_now, "postgresql")
def _postgresql(_element: db_now, _compiler: SQLCompiler, **_: Any) -> str:
    # not now(), which stands still for a whole transaction, nor clock_timestamp(), which is
    # evaluated for every row
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) AS DOUBLE PRECISION)"


@compiles(db_now, "sqlite")
def _sqlite(_element: db_now, _compiler: SQLCompiler, **_: Any) -> str:
    # unixepoch('subsec') would need SQLite 3.42; 2440587.5 is the epoch's Julian day
    return "((julianday('now') - 2440587.5) * 86400.0)"
