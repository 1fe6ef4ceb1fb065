"""What a client may say about the images of a search: how many, and how they become input."""

from typing import Annotated
from typing import Literal
from typing import Self

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import model_validator

from search import preprocessing
from search import splits

MAX_IMAGES = 10_000_000
MAX_CHANNELS = 16

Images = Annotated[int, Field(ge=1, le=MAX_IMAGES)]
Pixels = Annotated[int, Field(ge=1, le=preprocessing.LARGEST_SIDE)]
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Splits(BaseModel):
    """Numbers of images. They are disjoint, stratified by class and fixed by the seed."""

    model_config = _STRICT

    calibration: int | None = Field(
        default=None,
        ge=splits.FEWEST["calibration"],
        le=MAX_IMAGES,
        description="To fit ranges and codebooks; a tenth, at most 512.",
    )
    search: Images | None = Field(default=None, description="To judge trials; half of the rest.")
    certification: Images | None = Field(
        default=None, description="To check the result on; half of the rest."
    )

    def to_value(self) -> splits.Splits:
        """Return what the store keeps."""
        return splits.Splits(**self.model_dump())


class Preprocessing(BaseModel):
    """How photographs become the network's input.

    Geometry (resize, crop, interpolation) and normalization (mean, std): each of the two comes from
    the weights if it is left out.
    """

    model_config = _STRICT

    resize: Pixels | None = Field(default=None, description="Pixels of the shorter side.")
    crop: Pixels | None = Field(default=None, description="Pixels a side of the centre.")
    mean: list[float] = Field(
        default=[], max_length=MAX_CHANNELS, description="Of each channel, of images in [0, 1]."
    )
    std: list[Annotated[float, Field(gt=0)]] = Field(
        default=[], max_length=MAX_CHANNELS, description="Of each channel, as many as in mean."
    )
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if len(self.mean) != len(self.std):
            msg = "mean and std take one number per channel each; give both"
            raise ValueError(msg)
        return self

    def to_value(self) -> preprocessing.Preprocessing:
        """Return what the store keeps."""
        own = self.model_dump()
        own |= {"mean": tuple(self.mean), "std": tuple(self.std)}
        return preprocessing.Preprocessing(**own)
