"""What routes share: the engine they work on and the parameters they all take."""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import Depends
from fastapi import Path
from fastapi import Query
from fastapi import Request
from sqlalchemy import Engine

from service.api import shared
from service.api.door import PRINCIPAL
from service.api.options import Options
from service.store import jobs
from service.store.access import Principal


async def _engine(  # rule: async, because FastAPI would send for it through a thread
    request: Request,
) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


async def _principal(  # rule: async, because FastAPI would send for it through a thread
    request: Request,
) -> Principal:
    # set at the door, which lets nobody through without; reads as a KeyError if it ever did
    principal: Principal = request.scope["state"][PRINCIPAL]
    return principal


async def _options(  # rule: async, because FastAPI would send for it through a thread
    request: Request,
) -> Options:
    options: Options = request.app.state.options
    return options


Database = Annotated[Engine, Depends(_engine)]
Caller = Annotated[Principal, Depends(_principal)]
Chosen = Annotated[Options, Depends(_options)]


async def _visible(  # rule: async, because what is known already takes no thread
    request: Request,
    engine: Database,
    *,
    caller: Caller,
    job_id: Annotated[str, Path(description="As the answer to the submission says.")],
) -> str:
    if caller.sees is not None:
        owned = shared.of(request).owned
        # a job stays its tenant's; that it is not, or not yet there, is looked up every time
        if not owned.get((caller.sees, job_id)):
            await to_thread.run_sync(partial(jobs.require, engine, job_id, tenant=caller.sees))
            owned.put((caller.sees, job_id), value=True)
    return job_id


#: The id of a job that exists for the caller: other tenants' raise JobNotFound before a route is
#: entered.
JobId = Annotated[str, Depends(_visible)]
Limit = Annotated[int, Query(ge=1, le=500, description="Items in the page, at most.")]
Cursor = Annotated[
    str | None, Query(max_length=500, description="`next` of the page before; none: the first.")
]
