"""The embedded digits: their splits are fixed, since a network was trained on the rest."""

from collections.abc import Iterable

import numpy as np

from search.preprocessing import Preprocessing
from workers.datasets.source import Labelled
from workers.datasets.source import Offered
from workers.datasets.source import Surroundings
from workers.errors import UnusableData


class DigitsSource:
    """`digits`, the parts that the embedded network was not trained on."""

    def offers(self, around: Surroundings) -> Iterable[Offered]:  # noqa: ARG002  # it brings its own
        """Return the one dataset there is."""
        details = {
            "summary": "1,797 handwritten digits of 8×8 pixels, bundled with scikit-learn",
            "input_shape": [1, 8, 8],
            "classes": 10,
            "images": {"calibration": 100, "search": 450, "certification": 450},
        }
        return [Offered("", details)]

    def read(
        self,
        name: str,
        around: Surroundings,  # noqa: ARG002  # it brings its own
        *,
        preprocessing: Preprocessing,
    ) -> Labelled:
        """Return the digits, 8×8 pixels as float32 in [0, 1]."""
        from workers.zoo import digits  # noqa: PLC0415  # scikit-learn is loaded when asked for

        if name:
            raise UnusableData(f"digits/{name}", "the embedded digits are called digits")
        if preprocessing.resize is not None or preprocessing.crop is not None:
            raise UnusableData("digits", "its 8×8 pixels are neither resized nor cropped")
        _, *parts = digits.parts()
        calibration, search, certification = np.split(
            np.arange(sum(len(part.labels) for part in parts)),
            np.cumsum([len(part.labels) for part in parts])[:-1],
        )
        return Labelled(
            np.concatenate([part.images.numpy() for part in parts]),
            np.concatenate([part.labels.numpy() for part in parts]),
            (calibration, search, certification),
        )
