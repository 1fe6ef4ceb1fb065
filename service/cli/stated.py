"""A best document read from a file: every field that is relied on is there and of its kind."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal
from typing import Self

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import ValidationError
from pydantic import model_validator

from search.allocation import FLOAT_BIT_WIDTH
from search.allocation import MAX_BIT_WIDTH
from search.allocation import MIN_BIT_WIDTH
from search.errors import InvalidSpec
from service.api.submission import JobSubmission
from service.api.validation import field_errors
from service.cli.errors import DocumentUnusable
from service.store import codec

LARGEST = 256 * 2**20  # bytes; the codebooks of a large network take a few MiB
STDIN = "-"
#: said twice, at the top and in the request
_REPEATED = ("model", "weights", "dataset", "tolerance", "metric")

Share = Annotated[float, Field(ge=-1, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _OnSplit(_Part):
    images: Annotated[int, Field(ge=1)]
    float_accuracy: Share
    floor: Share
    accuracy: Share
    drop: Share
    correct: Count
    lost: Count
    gained: Count


class _Certification(_OnSplit):
    p_value: Annotated[float, Field(ge=0, le=1)]
    drop_upper_bound: Share
    judgement: str


class _Point(_Part):
    name: str
    kind: Literal["activation", "weight"]
    elements: Annotated[int, Field(ge=1)]
    quantizer: str | None
    bit_width: int
    parameters: dict[str, Any]

    @model_validator(mode="after")
    def _storable(self) -> Self:
        if self.quantizer is None:
            if self.bit_width != FLOAT_BIT_WIDTH:
                msg = f"a point without a quantizer has {FLOAT_BIT_WIDTH} bits"
                raise ValueError(msg)
        elif not MIN_BIT_WIDTH <= self.bit_width <= MAX_BIT_WIDTH:
            msg = f"bit_width {self.bit_width} is not in {MIN_BIT_WIDTH}..{MAX_BIT_WIDTH}"
            raise ValueError(msg)
        return self


class _Best(_Part):
    format: Literal[1]
    spec: JobSubmission
    memory_bytes: Annotated[float, Field(gt=0)]
    float_memory_bytes: Annotated[float, Field(gt=0)]
    saved: Annotated[float, Field(le=1)]
    average_bits: Annotated[float, Field(gt=0)]
    search: _OnSplit
    certification: _Certification
    points: Annotated[list[_Point], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_request(self) -> Self:
        for name in _REPEATED:
            if (self.model_extra or {}).get(name) != getattr(self.spec, name):
                msg = f"{name} is not what spec.{name} says"
                raise ValueError(msg)
        if all(point.quantizer is None for point in self.points):
            msg = "points: none of them is quantized"
            raise ValueError(msg)
        return self


def read(path: str) -> dict[str, Any]:
    """Return the document of the file, "-" being stdin, its request as it is stored.

    Raises DocumentUnusable, naming the field, for a file that is missing, cut off or no document of
    a best allocation.
    """
    document = _parsed(path)
    try:
        spec = _Best.model_validate(document).spec.to_value(None).spec
    except ValidationError as error:
        raise DocumentUnusable(path, _first(error)) from None
    except InvalidSpec as error:
        raise DocumentUnusable(path, f"spec.{error}") from None
    return {**document, "spec": codec.spec_document(spec)}


def _first(error: ValidationError) -> str:
    """Return the first thing that is wrong, and in which field."""
    # the first part of a place is left out there: it says where in a request
    wrong = field_errors({**one, "loc": (STDIN, *one["loc"])} for one in error.errors())[0]
    field, message = wrong["field"], wrong["message"]
    # what is wrong between several fields names them itself
    return message if field == STDIN else f"{field}: {message}"


def _parsed(path: str) -> Mapping[str, Any]:
    try:
        document = json.loads(_bytes(path), parse_constant=_refuse)
    except RecursionError:
        raise DocumentUnusable(path, "is nested too deeply") from None
    except ValueError as error:  # of JSON, of UTF-8, or of a number that is no number
        raise DocumentUnusable(path, f"is no JSON document ({error})") from None
    if not isinstance(document, dict):
        raise DocumentUnusable(path, f"holds a {type(document).__name__}, no best document")
    return document


def _bytes(path: str) -> bytes:
    try:
        if path == STDIN:
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST + 1)
    except OSError as error:
        raise DocumentUnusable(path, error.strerror or str(error)) from None
    if len(content) > LARGEST:
        raise DocumentUnusable(path, f"is larger than {LARGEST >> 20} MiB")
    return content


def _refuse(constant: str) -> float:
    msg = f"{constant} is no finite number"
    raise ValueError(msg)
