"""timm/NAME: the networks of timm where it is installed, with published weights or a file's."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from torch import nn

from search.preprocessing import INTERPOLATIONS
from search.preprocessing import Preprocessing
from workers.errors import MissingPackage
from workers.errors import UnknownModel
from workers.errors import UnknownWeights
from workers.errors import WeightsNeeded
from workers.errors import WeightsUnreachable
from workers.loaded import LoadedModel
from workers.models import weights as files
from workers.models.source import Details
from workers.roots import Root

PREFIX = "timm/"


def download(architecture: str, tag: str) -> nn.Module:
    """Return the network with published weights, from the cache of timm's hub or the web."""
    import timm  # noqa: PLC0415  # an optional package

    network: nn.Module = timm.create_model(f"{architecture}.{tag}", pretrained=True)
    return network


@dataclass(frozen=True, slots=True)
class TimmModels:
    """A `ModelSource` over timm; it offers nothing where timm is not installed."""

    root: Root
    #: gets a network with published weights
    fetch: Callable[[str, str], nn.Module] = download

    def owns(self, name: str) -> bool:
        """Tell whether the name begins with timm/."""
        return name.startswith(PREFIX)

    def offers(self) -> Mapping[str, Details]:
        """Return every network, with the tags of its published weights and files of its name."""
        if find_spec("timm") is None:
            return {}
        tags = _tags()
        found = files.files_by_model(self.root, tuple(tags))
        return {PREFIX + name: _details(name, [*tags[name], *found.get(name, ())]) for name in tags}

    def load(self, name: str, weights: str | None) -> LoadedModel:
        """Return the network with the weights.

        Raises MissingPackage, UnknownModel, WeightsNeeded, UnknownWeights, WeightsUnreachable,
        FileNotAllowed, FileNotThere, CorruptWeights.
        """
        if find_spec("timm") is None:
            raise MissingPackage(name, "timm")
        architecture, tags = name.removeprefix(PREFIX), _tags()
        if architecture not in tags:
            raise UnknownModel(name, [PREFIX + known for known in tags])
        published = tags[architecture]
        if weights is None:
            raise WeightsNeeded(name, published)
        if weights in published:
            try:
                network = self.fetch(architecture, weights)
            except Exception as error:  # a web that is away, a full disk
                why = files.first_line(error)
                raise WeightsUnreachable(name, weights, why=why) from error
            return _loaded(network, _config(architecture, weights))
        if not weights.endswith(files.SUFFIXES):
            raise UnknownWeights(name, weights, known=published)
        state = files.read(self.root.file(weights), model=name)
        return _loaded(_built(name, state), _config(architecture, None))


def _tags() -> Mapping[str, tuple[str, ...]]:
    """Return architecture -> tags of its published weights; none for some."""
    import timm  # noqa: PLC0415  # an optional package

    tags: dict[str, tuple[str, ...]] = dict.fromkeys(timm.list_models(), ())
    for published in timm.list_models(pretrained=True):
        architecture, _, tag = published.partition(".")
        if tag:
            tags[architecture] = (*tags[architecture], tag)
    return tags


def _config(architecture: str, tag: str | None) -> Any:
    import timm  # noqa: PLC0415  # an optional package

    name = f"{architecture}.{tag}" if tag else architecture
    return timm.get_pretrained_cfg(name, allow_unregistered=True)


def _details(architecture: str, weights: list[str]) -> Details:
    config = _config(architecture, None)
    details: dict[str, object] = {"source": "timm", "summary": f"{architecture} of timm"}
    if config is not None:
        details |= {"input_shape": list(config.input_size), "classes": config.num_classes}
    return details | {"weights": weights}


def _built(name: str, state: files.State) -> nn.Module:
    import timm  # noqa: PLC0415  # an optional package

    architecture = name.removeprefix(PREFIX)
    network: Any = timm.create_model(architecture, pretrained=False)
    classes = files.classes_in(state, network, usual=network.num_classes)
    if classes != network.num_classes:
        network = timm.create_model(architecture, pretrained=False, num_classes=classes)
    return files.fit(network, state, model=name)


def _loaded(network: Any, config: Any) -> LoadedModel:
    if config is None:
        return LoadedModel(network=network, classes=network.num_classes)
    crop = config.input_size[-1]
    known = config.interpolation in INTERPOLATIONS
    preprocessing = Preprocessing(
        resize=int(crop / (config.crop_pct or 1)),
        crop=crop,
        mean=tuple(config.mean),
        std=tuple(config.std),
        interpolation=config.interpolation if known else "bicubic",
    )
    return LoadedModel(
        network=network,
        preprocessing=preprocessing,
        input_shape=config.input_size,
        classes=network.num_classes,
    )
