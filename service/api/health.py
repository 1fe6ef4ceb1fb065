"""/livez and /readyz: for whoever restarts the service, or sends it requests."""

from fastapi import APIRouter

from service.api import schemas
from service.api.openapi import responses
from service.api.parameters import Database
from service.store import session

router = APIRouter()


@router.get("/livez", responses=responses(database=False, public=True))
def livez() -> schemas.Health:
    """Answer while the process can."""
    return schemas.Health(status="alive")


@router.get("/readyz", responses=responses(public=True))
def readyz(engine: Database) -> schemas.Health:
    """Answer 200 while the database answers and has the tables of this version."""
    session.require_current_schema(engine)
    return schemas.Health(status="ready")
