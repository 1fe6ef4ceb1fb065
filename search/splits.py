"""How many images calibrate, guide the search and judge its result: three disjoint splits."""

from dataclasses import dataclass

from search.errors import InvalidSpec

DEFAULT_CALIBRATION = 512  # images, unless that is more than a tenth
#: fewer cannot be worked with: one calibration image would be taken for a constant
FEWEST = {"calibration": 2, "search": 1, "certification": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Numbers of images as asked for; None is worked out from the dataset."""

    calibration: int | None = None
    search: int | None = None
    certification: int | None = None

    def __post_init__(self) -> None:
        for name, fewest in FEWEST.items():
            images = getattr(self, name)
            if images is not None and images < fewest:
                raise InvalidSpec(f"splits.{name}", f"{images} is less than {fewest}")


def sizes(asked: Splits, images: int) -> tuple[int, int, int]:
    """Return how many of so many images calibrate, guide and certify.

    Calibration takes a tenth and at most `DEFAULT_CALIBRATION`; whatever is left is shared equally
    by those of the other two that ask for no number. Raises InvalidSpec when there are too few.
    """
    calibration = asked.calibration
    if calibration is None:
        calibration = max(FEWEST["calibration"], min(DEFAULT_CALIBRATION, images // 10))
    left = images - calibration
    search, certification = asked.search, asked.certification
    if search is None:
        search = left // 2 if certification is None else left - certification
    if certification is None:
        certification = left - search
    found = (calibration, search, certification)
    if sum(found) > images or min(search, certification) < 1:
        wanted = ", ".join(
            f"{name} {'the rest' if number is None else number}"
            for name, number in zip(
                FEWEST, (calibration, asked.search, asked.certification), strict=True
            )
        )
        raise InvalidSpec("splits", f"the dataset's {images} images are too few for {wanted}")
    return found
