"""What routes share: the engine they work on and the parameters they all take."""

from typing import Annotated

from fastapi import Depends
from fastapi import Path
from fastapi import Query
from fastapi import Request
from sqlalchemy import Engine


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


Database = Annotated[Engine, Depends(_engine)]
JobId = Annotated[str, Path(description="As the answer to the submission says.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Items in the page, at most.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next` of the page before; none: the first.")
]
