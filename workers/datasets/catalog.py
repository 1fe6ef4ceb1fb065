"""Every dataset source by prefix, those of installed packages among them."""

from collections.abc import Callable
from collections.abc import Iterator
from importlib import metadata

import structlog

from search.preprocessing import Preprocessing
from service.store.values import Offer
from workers.datasets.arrays import ArraySource
from workers.datasets.digits import DigitsSource
from workers.datasets.folder import FolderSource
from workers.datasets.source import DatasetSource
from workers.datasets.source import Labelled
from workers.datasets.source import Offered
from workers.datasets.source import Surroundings
from workers.datasets.torchvision_files import TorchvisionSource
from workers.errors import UnknownDataset
from workers.roots import Root
from workers.settings import WorkerSettings

log = structlog.get_logger()

#: entry points of this group name a `DatasetSource`; the entry point's name is the prefix
GROUP = "bitfloor.datasets"

#: prefixes that name nothing by themselves
NAMING = ("folder", "arrays", "torchvision")

_SOURCES: dict[str, DatasetSource] = {
    "digits": DigitsSource(),
    "folder": FolderSource(),
    "arrays": ArraySource(),
    "torchvision": TorchvisionSource(),
}


def surroundings(
    settings: WorkerSettings, check: Callable[[], None] = lambda: None
) -> Surroundings:
    """Return where this worker's datasets are; `check` may raise to interrupt what takes long."""
    root = Root(settings.data_root, "data root", "BITFLOOR_DATA_ROOT")
    return Surroundings(root=root, cache=settings.cache_dir, check=check)


def register(prefix: str, source: DatasetSource) -> None:
    """Let `prefix` and `prefix/NAME` in requests reach the source."""
    _SOURCES[prefix] = source


def read(dataset: str, around: Surroundings, *, preprocessing: Preprocessing) -> Labelled:
    """Return the dataset of the name; raises UnknownDataset and what its source raises."""
    prefix, _, name = dataset.partition("/")
    source = _sources().get(prefix)
    if source is None or (prefix in NAMING and not name):
        known = [offer.name for offer in offers(around)]
        raise UnknownDataset(dataset, [*known, *(f"{prefix}/NAME" for prefix in NAMING)])
    return source.read(name, around, preprocessing=preprocessing)


def offers(around: Surroundings) -> list[Offer]:
    """Return every dataset that there is; a source that fails offers nothing."""
    return [
        Offer(
            kind="dataset",
            name=f"{prefix}/{found.name}" if found.name else prefix,
            details=found.details,
        )
        for prefix, source in _sources().items()
        for found in _offered(prefix, source, around=around)
    ]


def _offered(prefix: str, source: DatasetSource, *, around: Surroundings) -> Iterator[Offered]:
    try:
        yield from source.offers(around)
    except Exception as error:  # noqa: BLE001  # a company's source may raise anything
        log.warning("a dataset source cannot say what there is", source=prefix, why=str(error))


def _sources() -> dict[str, DatasetSource]:
    """Return the sources; bitfloor's own come before those of packages."""
    return {**dict(_installed()), **_SOURCES}


def _installed() -> Iterator[tuple[str, DatasetSource]]:
    for point in metadata.entry_points(group=GROUP):
        try:
            yield point.name, point.load()
        except Exception as error:  # noqa: BLE001  # importing a package may raise anything
            log.warning("a dataset source cannot be loaded", source=point.name, why=str(error))
