"""`torchvision/NAME`: test images of torchvision datasets on disk that need no unpickling."""

import hashlib
from collections.abc import Iterable

import numpy as np

from search.preprocessing import Preprocessing
from workers.datasets import prepared
from workers.datasets.source import Labelled
from workers.datasets.source import Offered
from workers.datasets.source import Surroundings
from workers.errors import UnusableData

#: kept as plain numbers in NAME/raw under the data root
PLAIN = ("MNIST", "FashionMNIST", "KMNIST")
PICKLED = ("CIFAR10", "CIFAR100")

_IMAGES, _LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


class TorchvisionSource:
    """The test images of datasets whose files are plain numbers; nothing is downloaded."""

    def offers(self, around: Surroundings) -> Iterable[Offered]:
        """Return those that are there."""
        for name in PLAIN:
            if (around.root.folder / name / "raw" / _IMAGES).is_file():
                yield Offered(name, {"part": "test", "classes": 10, "input_shape": [1, 28, 28]})

    def read(self, name: str, around: Surroundings, *, preprocessing: Preprocessing) -> Labelled:
        """Return the test images, unpacked as torchvision leaves them after a download."""
        # its own classes would unpickle what old versions left beside the files
        from torchvision.datasets import mnist  # noqa: PLC0415  # loaded when asked for

        dataset = f"torchvision/{name}"
        if name in PICKLED:
            why = (
                "its files are pickles, which could run code; save images and labels with "
                "numpy.savez and name it arrays/..."
            )
            raise UnusableData(dataset, why)
        if name not in PLAIN:
            why = f"known are {', '.join(PLAIN)}; use folder/NAME or arrays/NAME for others"
            raise UnusableData(dataset, why)
        images, labels = (around.root.file(f"{name}/raw/{file}") for file in (_IMAGES, _LABELS))
        try:
            pixels = mnist.read_image_file(str(images)).numpy()
            classes = mnist.read_label_file(str(labels)).numpy()
        # the reader checks little, so damage shows in many ways
        except (OSError, ValueError, LookupError, TypeError, AssertionError, RuntimeError) as error:
            raise UnusableData(dataset, "its files are damaged; download them again") from error

        def keep(pixels: prepared.Picture) -> prepared.Picture:
            digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
            return prepared.fitted(
                pixels, digest, around=around, dataset=dataset, wanted=preprocessing
            )

        return prepared.of_arrays(pixels, classes, dataset=dataset, keep=keep, wanted=preprocessing)
