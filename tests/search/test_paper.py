"""The paper's rows are written down whole, and save what arithmetic says they save."""

import pytest

from search import cost
from search import paper
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from tests.search.test_cost import VGG16

ROWS = (*paper.UNIFORM, *paper.NONUNIFORM, *paper.DISCRETE)


def saved(row: paper.PublishedRow) -> float:
    allocation = BitAllocation(
        tuple(
            (point.name, QuantizerConfig(row.quantizer, bits))
            for point, bits in zip(VGG16, row.bits, strict=True)
        )
    )
    return 100 * cost.saved(VGG16, cost.memory_bits(VGG16, allocation))


class TestRows:
    def test_each_has_a_bit_width_for_every_point(self) -> None:
        assert {len(row.bits) for row in ROWS} == {paper.POINTS}
        assert len({row.label for row in ROWS}) == len(ROWS) == 21

    @pytest.mark.parametrize(
        "label, exact", [("I, 11 bits", 65.62), ("II/III, 9", 70.68), ("IV/V, 6", 81.76)]
    )
    def test_the_rows_of_table_vii_save_exactly_this(self, label: str, exact: float) -> None:
        row = next(row for row in ROWS if row.label == label)
        # 65.625 is written down both ways
        assert saved(row) == pytest.approx(exact, abs=0.0051)

    def test_the_sizes_are_those_of_vgg16(self) -> None:
        assert tuple(point.elements for point in VGG16) == paper.ELEMENTS

    def test_the_methods_are_compared_with_lin_at_ten_bits(self) -> None:
        # saved s per cent leaves 32·(1 - s/100) bits; of ten bits that is the paper's last column
        for row in paper.BEST:
            assert row.of_lin == pytest.approx(32 * (100 - row.saved) / 10, abs=0.25)

    def test_two_of_the_papers_own_figures_do_not_follow_from_its_tables(self) -> None:
        exact = {row.label: saved(row) for row in ROWS}
        differing = [
            method
            for method, label, published in ((b.method, b.label, b.saved) for b in paper.BEST)
            if label in exact and abs(exact[label] - published) > 0.05
        ]
        assert differing == ["nonuniform", "discrete"]
