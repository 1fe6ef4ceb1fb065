"""Rules for some points only, as requests may state them and as answers tell them."""

from typing import Annotated
from typing import Any
from typing import Self

from pydantic import AfterValidator
from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import StringConstraints
from pydantic import model_validator
from typing_extensions import TypedDict

from search import rules
from search.allocation import MAX_BIT_WIDTH
from search.allocation import MIN_BIT_WIDTH


def _each_once(values: list[Any]) -> list[Any]:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{str(value)[:80]!r} is named more than once; name each once")
    return values


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
BitWidth = Annotated[int, Field(ge=MIN_BIT_WIDTH, le=MAX_BIT_WIDTH)]
EachOnce = AfterValidator(_each_once)


class PointRule(BaseModel):
    """What holds for the points that a pattern matches; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bit_widths: Annotated[list[BitWidth], EachOnce] | None = Field(
        default=None, min_length=1, max_length=MAX_BIT_WIDTH, description="To choose from instead."
    )
    quantizers: Annotated[list[Name], EachOnce] | None = Field(
        default=None, min_length=1, max_length=64, description="To choose from instead."
    )
    exclude: bool | None = Field(
        default=None, description="These points stay in float32; their memory still counts."
    )

    upper_bound: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="What codebook_bounded clips at here, in the tensor's own units, instead of "
        "fitting a bound.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.to_value().said():
            raise ValueError(f"says nothing; give it {rules.FIELDS}")
        return self

    def to_value(self) -> rules.PointRule:
        """Return the rule as the search knows it."""
        return rules.PointRule(
            bit_widths=None if self.bit_widths is None else tuple(self.bit_widths),
            quantizers=None if self.quantizers is None else tuple(self.quantizers),
            exclude=self.exclude,
            upper_bound=self.upper_bound,
        )


class ToldRule(TypedDict, total=False):
    """What holds for the points that a pattern matches; what it leaves out it does not change."""

    bit_widths: list[int]
    quantizers: list[str]
    exclude: bool
    upper_bound: float
