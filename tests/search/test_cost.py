"""Costs follow from facts and bits alone; the paper's own allocations come out exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import cost
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.cost import ActivationMemory
from search.cost import BitOperations
from search.cost import Objective
from search.cost import Operator
from search.cost import PeakActivationMemory
from search.cost import Total
from search.cost import WeightMemory
from search.errors import InvalidSpec
from tests.contracts.networks import made_up_spec

#: outputs of VGG-16's 13 convolutions and 3 linear layers at 224×224, before pooling
VGG16 = tuple(
    QuantizationPoint(f"layer{i}", n)
    for i, n in enumerate(
        (
            *(3_211_264,) * 2,
            *(1_605_632,) * 2,
            *(802_816,) * 3,
            *(401_408,) * 3,
            *(100_352,) * 3,
            4096,
            4096,
            1000,
        )
    )
)


def allocated(*bits: int) -> BitAllocation:
    return BitAllocation(
        tuple(
            (point.name, QuantizerConfig("affine", b)) for point, b in zip(VGG16, bits, strict=True)
        )
    )


class TestMemoryBits:
    def test_vgg16_takes_54_megabytes_in_float32(self) -> None:
        assert sum(point.elements for point in VGG16) == 13_556_712
        assert cost.float_memory_bits(VGG16) / 8 == 54_226_848

    @pytest.mark.parametrize(
        "bits, saved, average",
        [
            ((11,) * 16, 65.62, 11.0),
            ((8, 8, 10, 11, 11, 11, 11, 11, 11, 10, 10, 9, 8, 7, 3, 2), 70.68, 9.38),
            ((8, 5, 6, 5, 5, 5, 5, 5, 5, 5, 6, 5, 5, 6, 3, 2), 81.76, 5.84),
            ((5,) * 16, 84.38, 5.0),
        ],
        ids=["uniform", "nonuniform", "discrete", "k-means"],
    )
    def test_the_papers_allocations_save_exactly_this(
        self, bits: tuple[int, ...], saved: float, average: float
    ) -> None:
        total = cost.memory_bits(VGG16, allocated(*bits))
        # 65.625 is written down both ways
        assert 100 * cost.saved(VGG16, total) == pytest.approx(saved, abs=0.0051)
        assert cost.average_bits(VGG16, total) == pytest.approx(average, abs=0.005)

    def test_a_point_left_out_stays_at_32_bits(self) -> None:
        points = (QuantizationPoint("a", 10), QuantizationPoint("b", 1))
        only_a = BitAllocation.of({"a": QuantizerConfig("affine", 4)})
        assert cost.memory_bits(points, only_a) == 10 * 4 + 32


#: a residual block: the input of b is still needed by the sum after b
POINTS = (QuantizationPoint("a", 10), QuantizationPoint("b", 20), QuantizationPoint("sum", 10))
SCHEDULE = (frozenset({"a"}), frozenset({"a", "b"}), frozenset({"a", "b", "sum"}))
WEIGHTS = (QuantizationPoint("a.weight", 100), QuantizationPoint("b.weight", 50))
OPERATORS = (
    Operator(macs=1000, reads=frozenset(), weight="a.weight"),
    Operator(macs=200, reads=frozenset({"a"}), weight="b.weight"),
)
OBJECTIVES: tuple[Objective, ...] = (
    ActivationMemory(POINTS),
    ActivationMemory(POINTS, frozenset({"codebook"})),
    PeakActivationMemory(POINTS, SCHEDULE),
    WeightMemory(WEIGHTS),
    BitOperations(operators=OPERATORS),
    Total((ActivationMemory(POINTS), WeightMemory(WEIGHTS))),
)


def given_bits(**bits: int) -> BitAllocation:
    names = {name.replace("__", "."): QuantizerConfig("affine", b) for name, b in bits.items()}
    return BitAllocation.of(names)


class TestActivationMemory:
    def test_it_is_the_memory_of_the_paper(self) -> None:
        allocation = allocated(*(8, 5, 6, 5, 5, 5, 5, 5, 5, 5, 6, 5, 5, 6, 3, 2))
        objective = ActivationMemory(VGG16)
        assert objective.cost(allocation) == cost.memory_bits(VGG16, allocation)
        assert cost.float_cost(objective) == cost.float_memory_bits(VGG16)

    def test_a_codebook_adds_its_levels_in_float32_where_it_is_charged(self) -> None:
        mixed = BitAllocation.of(
            {"a": QuantizerConfig("codebook", 3), "b": QuantizerConfig("affine", 4)}
        )
        plain = 10 * 3 + 20 * 4 + 10 * 32
        assert ActivationMemory(POINTS).cost(mixed) == plain
        assert ActivationMemory(POINTS, frozenset({"codebook"})).cost(mixed) == plain + 8 * 32

    def test_codebooks_of_weights_are_not_its_concern(self) -> None:
        weights = BitAllocation.of({"a.weight": QuantizerConfig("codebook", 3)})
        charged = ActivationMemory(POINTS, frozenset({"codebook"}))
        assert charged.cost(weights) == cost.float_cost(charged)

    def test_vgg16s_codebooks_weigh_next_to_nothing(self) -> None:
        points = ActivationMemory(VGG16, frozenset({"affine"}))
        charged = points.cost(allocated(*(5,) * 16)) - cost.memory_bits(
            VGG16, allocated(*(5,) * 16)
        )
        assert charged / 8 == 16 * 32 * 4


class TestPeakActivationMemory:
    PEAK = PeakActivationMemory(POINTS, SCHEDULE)

    def test_it_is_the_step_that_holds_most(self) -> None:
        assert cost.float_cost(self.PEAK) == 40 * 32
        assert self.PEAK.cost(given_bits(a=8, b=4, sum=2)) == 10 * 8 + 20 * 4 + 10 * 2

    def test_a_point_that_is_freed_before_is_not_held(self) -> None:
        steps = (frozenset({"a", "b"}), frozenset({"b", "sum"}))
        chain = PeakActivationMemory(POINTS, steps)
        assert chain.cost(given_bits(a=8, b=4, sum=2)) == 10 * 8 + 20 * 4
        assert chain.cost(given_bits(a=2, b=4, sum=8)) == 20 * 4 + 10 * 8

    @pytest.mark.parametrize("step", [{"a", "b"}, {"a", "b", "sum", "c"}])
    def test_a_schedule_of_another_network_is_refused(self, step: set[str]) -> None:
        with pytest.raises(InvalidSpec, match=r"schedule: (c|sum): "):
            PeakActivationMemory(POINTS, (frozenset(step),))


class TestWeightMemory:
    def test_what_is_not_allocated_has_the_given_width(self) -> None:
        assert cost.float_cost(WeightMemory(WEIGHTS)) == 150 * 32
        assert WeightMemory(WEIGHTS, 8).cost(given_bits(a__weight=4)) == 100 * 4 + 50 * 8

    def test_what_is_stored_beside_the_codes_is_charged(self) -> None:
        charged = WeightMemory(
            WEIGHTS,
            tables=frozenset({"codebook"}),
            per_channel=frozenset({"channels"}),
            channels=(("a.weight", 10), ("b.weight", 5)),
        )
        chosen = {"a.weight": QuantizerConfig("channels", 3), "b.weight": QuantizerConfig("x", 2)}
        assert charged.cost(BitAllocation.of(chosen)) == 100 * 3 + 10 * 32 + 50 * 2
        chosen["a.weight"] = QuantizerConfig("codebook", 3)
        assert charged.cost(BitAllocation.of(chosen)) == 100 * 3 + 8 * 32 + 50 * 2
        # in float32 there is nothing beside
        assert cost.float_cost(charged) == 150 * 32


class TestBitOperations:
    def test_of_several_that_are_read_the_widest_counts(self) -> None:
        joined = Operator(macs=10, reads=frozenset({"a", "b"}), weight="b.weight")
        counted = BitOperations(operators=(joined,))
        assert counted.cost(given_bits(a=4, b=6, b__weight=2)) == 10 * 2 * 6
        assert counted.cost(given_bits(a=4, b__weight=2)) == 10 * 2 * 32

    def test_a_weight_that_is_computed_stays_in_float(self) -> None:
        computed = Operator(macs=10, reads=frozenset({"a"}), weight=None)
        assert BitOperations(operators=(computed,)).cost(given_bits(a=4)) == 10 * 32 * 4

    def test_the_width_that_counts_is_the_inputs(self) -> None:
        counted = BitOperations(operators=OPERATORS, weight_bits=8, input_bits=8)
        assert counted.cost(given_bits(a=4, b=1)) == 1000 * 8 * 8 + 200 * 8 * 4
        assert counted.cost(given_bits(b__weight=2)) == 1000 * 8 * 8 + 200 * 2 * 32


class TestTotal:
    def test_it_adds_its_parts(self) -> None:
        total = Total((ActivationMemory(POINTS), WeightMemory(WEIGHTS, 8)))
        assert total.cost(given_bits(a=1, b=1, sum=1)) == 40 + 150 * 8


class TestObjective:
    @pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
    @given(
        bits=st.fixed_dictionaries({point.name: st.integers(2, 16) for point in POINTS}),
        fewer=st.sampled_from([point.name for point in POINTS]),
    )
    def test_fewer_bits_never_cost_more(
        self, objective: Objective, bits: dict[str, int], fewer: str
    ) -> None:
        allocation = given_bits(**bits)
        lighter = given_bits(**bits | {fewer: bits[fewer] - 1})
        assert objective.cost(lighter) <= objective.cost(allocation)
        assert objective.cost(allocation) <= cost.float_cost(objective)

    def test_no_two_have_the_same_name(self) -> None:
        assert len({objective.name for objective in OBJECTIVES}) == len(OBJECTIVES)

    def test_a_search_minimizes_the_paper_s_unless_told_otherwise(self) -> None:
        spec = made_up_spec()
        assert spec.minimized == ActivationMemory(spec.points)
