"""The datasets this worker offers."""

from workers.data import Dataset
from workers.data import Split
from workers.errors import UnknownDataset
from workers.registry import Registry

datasets: Registry[Dataset] = Registry(UnknownDataset)


@datasets.register(
    "digits",
    {
        "summary": "1,797 handwritten digits of 8×8 pixels, bundled with scikit-learn",
        "input_shape": [1, 8, 8],
        "classes": 10,
        "images": {"calibration": 100, "search": 450, "certification": 450},
    },
)
def digits() -> Dataset:
    """Return the parts of the digits that the embedded network was not trained on."""
    from workers.zoo import digits as zoo  # noqa: PLC0415  # scikit-learn is loaded when asked for

    _, *rest = zoo.parts()
    calibration, search, certification = (Split(part.images, part.labels) for part in rest)
    return Dataset(calibration, search, certification)
