"""Numbers of images: what is asked for, what is left out, and what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import InvalidSpec
from search.preprocessing import Preprocessing
from search.splits import Splits
from search.splits import sizes
from tests.contracts.samples import asked_splits


class TestSizes:
    @pytest.mark.parametrize(
        "asked, images, found",
        [
            (Splits(), 50_000, (512, 24_744, 24_744)),
            (Splits(), 1_000, (100, 450, 450)),
            (Splits(), 4, (2, 1, 1)),
            (Splits(search=100), 1_000, (100, 100, 800)),
            (Splits(certification=300), 1_000, (100, 600, 300)),
            (Splits(calibration=10, search=20, certification=30), 100, (10, 20, 30)),
        ],
    )
    def test_what_is_left_out_shares_what_is_left(
        self, asked: Splits, images: int, found: tuple[int, int, int]
    ) -> None:
        assert sizes(asked, images) == found

    @given(asked=asked_splits, images=st.integers(0, 30_000))
    def test_they_never_take_more_than_there_is(self, asked: Splits, images: int) -> None:
        calibration = asked.calibration or max(2, min(512, images // 10))
        if calibration + (asked.search or 1) + (asked.certification or 1) > images:
            with pytest.raises(InvalidSpec, match=f"dataset's {images} images"):
                sizes(asked, images)
            return
        found = sizes(asked, images)
        assert sum(found) <= images
        assert found[0] >= 2
        assert min(found) >= 1

    def test_too_few_images_are_told_with_their_number(self) -> None:
        with pytest.raises(InvalidSpec, match=r"3 images are too few for calibration 2, search"):
            sizes(Splits(), 3)


class TestSplits:
    @pytest.mark.parametrize("name, images", [("calibration", 1), ("search", 0)])
    def test_a_split_too_small_to_use_is_refused(self, name: str, images: int) -> None:
        with pytest.raises(InvalidSpec, match=f"splits.{name}"):
            Splits(**{name: images})


class TestPreprocessing:
    @pytest.mark.parametrize(
        "field, value",
        [
            ({"resize": 0}, "resize"),
            ({"crop": 5000}, "crop"),
            ({"mean": (0.5,)}, "std"),
            ({"mean": (float("nan"),), "std": (1.0,)}, "mean"),
            ({"mean": (0.5,), "std": (0.0,)}, "std"),
            ({"interpolation": "nearest"}, "interpolation"),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(self, field: dict[str, object], value: str) -> None:
        with pytest.raises(InvalidSpec, match=f"preprocessing.{value}"):
            Preprocessing(**field)  # type: ignore[arg-type]  # wrong values are the point
