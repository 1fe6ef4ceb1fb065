"""torchvision/NAME: its classification networks, with published weights or a file's."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlparse

from torchvision import models as torchvision

from search.preprocessing import Preprocessing
from workers.errors import FileNotThere
from workers.errors import UnknownModel
from workers.errors import UnknownWeights
from workers.errors import WeightsNeeded
from workers.errors import WeightsUnreachable
from workers.loaded import LoadedModel
from workers.models import architectures
from workers.models import weights as files
from workers.models.source import Details
from workers.models.weights import State
from workers.roots import Root

PREFIX = "torchvision/"
CLASSES = 1000  # ImageNet's, unless a file says otherwise


def download(member: Any) -> object:
    """Return the state_dict of a published weights enum member, from torch's cache or the web."""
    # check_hash: what was published, and nothing else; weights_only: nothing is unpickled
    return member.get_state_dict(progress=False, check_hash=True, weights_only=True)


@dataclass(frozen=True, slots=True)
class TorchvisionModels:
    """A `ModelSource` over `torchvision.models`, without detection, segmentation, video or int8."""

    root: Root
    #: gets published weights
    fetch: Callable[[Any], object] = download

    def owns(self, name: str) -> bool:
        """Tell whether the name begins with torchvision/."""
        return name.startswith(PREFIX)

    def offers(self) -> Mapping[str, Details]:
        """Return every classification network, with its published weights and files of its name."""
        names = torchvision.list_models(module=torchvision)
        found = files.files_by_model(self.root, names)
        return {PREFIX + name: _details(name, found.get(name, ())) for name in names}

    def load(self, name: str, weights: str | None) -> LoadedModel:
        """Return the network with the weights.

        Raises UnknownModel, WeightsNeeded, UnknownWeights, WeightsUnreachable, FileNotAllowed,
        FileNotThere, CorruptWeights.
        """
        architecture, names = name.removeprefix(PREFIX), torchvision.list_models(module=torchvision)
        if architecture not in names:
            raise UnknownModel(name, [PREFIX + known for known in names])
        published = torchvision.get_model_weights(architecture)
        known = tuple(published.__members__)
        if weights is None:
            raise WeightsNeeded(name, known)
        if weights in known:
            member = published[weights]
            state = self._published(name, member)
        elif weights.endswith(files.SUFFIXES):
            member = _namesake(weights, published)
            state = files.read(self.root.file(weights), model=name)
        else:
            raise UnknownWeights(name, weights, known=known)
        return _built(name, state, preprocessing=preprocessing_of(member))

    def _published(self, name: str, member: Any) -> State:
        try:
            # where there is no web, an operator puts the published file here
            return files.read(self.root.file(_file_of(member)), model=name)
        except FileNotThere:
            pass
        try:
            found = self.fetch(member)
        except Exception as error:  # a web that is away, a full disk, a hash that is not the file's
            raise WeightsUnreachable(name, member.name, why=files.first_line(error)) from error
        return files.state_of(found, model=name)


def preprocessing_of(member: Any) -> Preprocessing:
    """Return what the weights enum member was evaluated with."""
    wanted = member.transforms()
    return Preprocessing(
        resize=wanted.resize_size[0],
        crop=wanted.crop_size[0],
        mean=tuple(wanted.mean),
        std=tuple(wanted.std),
        interpolation=wanted.interpolation.value,
    )


def _details(architecture: str, found: tuple[str, ...]) -> Details:
    published = torchvision.get_model_weights(architecture)
    default = published.DEFAULT
    crop = preprocessing_of(default).crop
    millions = default.meta["num_params"] / 1e6
    return {
        "source": "torchvision",
        "summary": f"{architecture}, {millions:.1f} million parameters, made for ImageNet",
        "input_shape": [3, crop, crop],
        "classes": CLASSES,
        "weights": [*published.__members__, *found],
    }


def _file_of(member: Any) -> str:
    return PurePosixPath(urlparse(member.url).path).name


def _namesake(file: str, published: Any) -> Any:
    """Return the member that was published under this file name, else the default."""
    name = PurePosixPath(file).name
    return next((member for member in published if _file_of(member) == name), published.DEFAULT)


def _built(name: str, state: State, *, preprocessing: Preprocessing) -> LoadedModel:
    architecture = name.removeprefix(PREFIX)
    state = architectures.as_today(architecture, state)
    options = architectures.options(architecture, state)
    network = architectures.build(architecture, classes=CLASSES, options=options)
    classes = files.classes_in(state, network, usual=CLASSES)
    if classes != CLASSES:
        network = architectures.build(architecture, classes=classes, options=options)
    network = files.fit(network, state, model=name)
    side = int(options.get("image_size", preprocessing.crop or 0))  # published ones all crop
    if side != preprocessing.crop:
        # a file of another resolution than the default's
        preprocessing = replace(preprocessing, resize=side, crop=side)
    shape = (3, side, side)
    return LoadedModel(
        network=network, preprocessing=preprocessing, input_shape=shape, classes=classes
    )
