"""Every error the search can raise, as a tree: facts go in, a sentence comes out.

SearchError
├── InvalidSpec            the request cannot be searched as it stands
│   ├── BitWidthOutOfRange
│   ├── CertificateOutOfReach
│   ├── EmptySearchSpace
│   ├── ObjectiveOutOfReach
│   ├── ToleranceOutOfRange
│   └── UnknownPoint       a rule is about a point that the network does not have
├── UnusableDocument       a document of results does not say what it should
├── UnknownQuantizer
├── UnknownSampler
├── UnsupportedNetwork     capture met something it would have to guess about
├── NonFiniteActivations   the network produces NaN or infinity
├── RoundsEndedEarly       an evaluator looked at fewer images than the split has
└── CalibrationMissing     a quantizer was asked for before its range was observed
"""

from collections.abc import Sequence

from search.nearest import told


class SearchError(Exception):
    """The base of everything `search` raises on purpose."""


class InvalidSpec(SearchError):
    """A field of the request cannot be used; `field` names it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field


class BitWidthOutOfRange(InvalidSpec):
    """A bit-width lies outside what can be stored."""

    def __init__(self, bit_width: int, *, low: int, high: int, field: str = "bit_widths") -> None:
        super().__init__(
            field, f"{bit_width} is not a bit-width; use whole numbers from {low} to {high}"
        )


class EmptySearchSpace(InvalidSpec):
    """No option is left for some quantization point."""

    def __init__(self, field: str, *, remedy: str = "name at least one") -> None:
        super().__init__(field, f"leaves nothing to choose from; {remedy}")


class ToleranceOutOfRange(InvalidSpec):
    """The tolerance is negative, or would allow the network to be always wrong."""

    def __init__(self, tolerance: float, float_accuracy: float) -> None:
        super().__init__(
            "tolerance",
            f"{tolerance:g} is not in [0, X) with X = {float_accuracy:.4f}, the accuracy of the "
            "float model; a floor of X - tolerance must lie above 0",
        )


class ObjectiveOutOfReach(InvalidSpec):
    """Nothing of what is quantized changes what is to be minimized."""

    def __init__(self, objective: str, target: str) -> None:
        super().__init__(
            "objective", f"{objective} does not depend on the {target}; choose another target"
        )


class CertificateOutOfReach(InvalidSpec):
    """Even an allocation that loses no image could not be certified."""

    def __init__(self, tolerance: float, confidence: float, *, images: int, fewest: int) -> None:
        needed = f"that takes {fewest} images" if fewest else "no number of images shows that"
        super().__init__(
            "confidence",
            f"{images} images cannot show at confidence {confidence:g} that the drop is at most "
            f"{tolerance:g}, even if none is lost: {needed}; raise the tolerance or "
            "splits.certification, or set confidence to 0.5 to believe what is measured",
        )


class UnknownPoint(InvalidSpec):
    """A rule's pattern matches no quantization point."""

    def __init__(self, pattern: str, points: Sequence[str]) -> None:
        super().__init__(
            f"points.{pattern}",
            f"no quantization point of the network matches {pattern!r}; it has "
            f"{told(pattern, points)}",
        )


class UnusableDocument(SearchError):
    """A document of results does not say what it should; `field` names where."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class UnknownQuantizer(SearchError):
    """No quantizer is registered under this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown quantizer {name!r}; registered are {', '.join(known)}")


class UnknownSampler(SearchError):
    """No sampler is registered under this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown sampler {name!r}; registered are {', '.join(known)}")


class UnsupportedNetwork(SearchError):
    """The network cannot be captured without guessing; `operator` is what stands in the way."""

    def __init__(self, operator: str, why: str) -> None:
        super().__init__(f"cannot capture this network: {operator}: {why}")
        self.operator = operator


class NonFiniteActivations(SearchError):
    """A quantization point saw NaN or infinity, so no range can be fitted."""

    def __init__(self, point: str) -> None:
        super().__init__(
            f"what is stored at {point} holds NaN or infinity; check the weights and the "
            "preprocessing"
        )


class RoundsEndedEarly(SearchError):
    """An evaluator stopped before the verdict was clear."""

    def __init__(self, images: int) -> None:
        super().__init__(f"the evaluator ended after {images} images, before all were evaluated")


class CalibrationMissing(SearchError):
    """A point has no histogram yet."""

    def __init__(self, point: str) -> None:
        super().__init__(f"{point} has not been calibrated; run the calibration split first")
