"""/v1/models, /datasets, /quantizers, /samplers: what this deployment's workers can load."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel
from pydantic import ConfigDict
from sqlalchemy import Engine

from search.spec import JobSpec
from service.api.errors import NoWorkerYet
from service.api.errors import UnknownName
from service.api.openapi import responses
from service.api.parameters import Database
from service.store import catalog

router = APIRouter(prefix="/v1")


class Offer(BaseModel):
    """Something that a worker can load, with what there is to know about it."""

    model_config = ConfigDict(extra="allow")

    name: str


class Offers(BaseModel):
    """Everything of one kind that workers announced."""

    items: list[Offer]


@router.get("/models", responses=responses())
def models(engine: Database) -> Offers:
    """List the networks that can be searched."""
    return _offers(engine, "model")


@router.get("/datasets", responses=responses())
def datasets(engine: Database) -> Offers:
    """List the images that accuracy can be measured on."""
    return _offers(engine, "dataset")


@router.get("/quantizers", responses=responses())
def quantizers(engine: Database) -> Offers:
    """List the schemes that a point can be quantized with."""
    return _offers(engine, "quantizer")


@router.get("/samplers", responses=responses())
def samplers(engine: Database) -> Offers:
    """List what can propose allocations."""
    return _offers(engine, "sampler")


class Offered:
    """The names that workers have announced: those are never taken back, so what is known stays."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._names: Mapping[str, Sequence[str]] = {}

    def require(self, spec: JobSpec) -> None:
        """Raise NoWorkerYet or UnknownName unless every name is one that a worker announced."""
        try:
            _require(self._names, spec)
        except (NoWorkerYet, UnknownName):
            # what was not there when we looked may be there now
            self._names = catalog.names(self._engine)
            _require(self._names, spec)


def _require(offered: Mapping[str, Sequence[str]], spec: JobSpec) -> None:
    wanted: Iterable[tuple[str, str, tuple[str, ...]]] = (
        ("model", "model", (spec.model,)),
        ("dataset", "dataset", (spec.dataset,)),
        ("quantizers", "quantizer", spec.quantizers),
        *(
            (f"points.{pattern}.quantizers", "quantizer", rule.quantizers or ())
            for pattern, rule in spec.points
        ),
        ("sampler", "sampler", (spec.sampler,)),
    )
    for field, kind, names in wanted:
        known = offered.get(kind, ())
        if not known:
            raise NoWorkerYet
        for name in names:
            if name not in known:
                raise UnknownName(field, name[:80], known=known)


def _offers(engine: Engine, kind: str) -> Offers:
    return Offers(
        items=[
            Offer(**{**offer.details, "name": offer.name}) for offer in catalog.offers(engine, kind)
        ]
    )
