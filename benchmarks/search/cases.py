"""The networks and images that searches are compared on."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace

from search.preprocessing import Preprocessing
from search.spec import JobSpec
from search.splits import Splits

QUANTIZERS = ("affine", "affine_mse", "codebook_bounded")
#: a program does not say what it was trained on
_IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


@dataclass(frozen=True, slots=True)
class Case:
    """One network, its images and its floor; the options are those of every case."""

    name: str
    #: less the seed
    job: JobSpec

    def seeded(self, seed: int) -> JobSpec:
        """Return the request whose splits and random choices this seed fixes."""
        return replace(self.job, seed=seed)


def _cifar(name: str) -> Case:
    job = JobSpec(
        model=f"program/{name}_cifar10",
        dataset="arrays/test10000_jpeg",
        preprocessing=_IMAGENET,
        splits=Splits(calibration=500, search=2000, certification=4500),
        tolerance=0.01,
        quantizers=QUANTIZERS,
    )
    return Case(name, job)


def _photographs(name: str) -> Case:
    """Return the case of a torchvision network, with the preprocessing of its weights."""
    job = JobSpec(
        model=f"torchvision/{name}",
        weights=f"{name}.safetensors",
        dataset="folder/imagenet-val",
        splits=Splits(calibration=50, search=240, certification=360),
        # of 360 images, a certificate for less allows next to none to be lost
        tolerance=0.04,
        quantizers=QUANTIZERS,
        # a pass takes a quarter of a minute
        budget=24,
    )
    return Case(name, job)


#: the embedded network; none of these 1,000 images trained it, and the seed splits them
DIGITS = Case(
    "digits",
    JobSpec(
        model="digits-vgg",
        dataset="digits",
        splits=Splits(calibration=100, search=450, certification=450),
        tolerance=0.02,
        quantizers=QUANTIZERS,
    ),
)
CASES: Mapping[str, Case] = {
    case.name: case
    for case in (
        DIGITS,
        *map(_cifar, ("vgg16slim", "alexnetslim", "resnet20")),
        *map(_photographs, ("squeezenet1_1", "resnet18")),
    )
}
