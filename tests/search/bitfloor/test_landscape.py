"""Arrays say what the spec says: of every allocation the cost, the energy and the way back."""

from itertools import product

import numpy as np
import pytest

from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.bitfloor.landscape import FLOAT
from search.bitfloor.landscape import Landscape
from search.cost import ActivationMemory
from search.cost import Objective
from search.cost import PeakActivationMemory
from search.sensitivity import Sensitivity
from search.spec import SearchSpec

POINTS = tuple(QuantizationPoint(f"p{i}", n) for i, n in enumerate((700, 300, 110, 64)))
MENU = tuple(QuantizerConfig(q, b) for q in ("affine", "codebook") for b in (1, 3, 4))
SHORT = MENU[1:4]
MENUS = (MENU, SHORT, (), MENU)
ENERGIES = {
    point.name: {o: (i + 1) * 4.0**-o.bit_width * len(o.quantizer) / 7 for o in MENU}
    for i, point in enumerate(POINTS)
}
RANDOM = np.random.default_rng(0)


def landscape(
    *, ties: tuple[frozenset[str], ...] = (), objective: Objective | None = None
) -> Landscape:
    spec = SearchSpec(
        points=POINTS,
        menus=MENUS,
        baseline=Baseline(images=100, correct=90, tolerance=0.05),
        sampler="bitfloor",
        budget=10,
        seed=0,
        objective=objective,
        ties=ties,
    )
    found = Sensitivity(energies=ENERGIES, margins=np.ones(3), images=3)
    return Landscape.of(spec, found)


FREE = landscape()
TIED = landscape(ties=(frozenset({"p0", "p1"}),))
WITH_TABLES = landscape(
    objective=ActivationMemory(POINTS, tables=frozenset({"codebook"})),
    ties=(frozenset({"p1", "p3"}),),
)


def every(of: Landscape) -> list[tuple[int, ...]]:
    return [*product(*(range(len(v.menu)) for v in of.spec.variables))]


class TestAllocation:
    @pytest.mark.parametrize("of", [FREE, TIED])
    def test_there_and_back(self, of: Landscape) -> None:
        found = [of.allocation(options) for options in every(of)]
        assert len(set(found)) == of.spec.size
        assert [of.options(allocation) for allocation in found] == every(of)


class TestEnergies:
    @pytest.mark.parametrize("of", [FREE, TIED])
    def test_those_of_an_allocation_add_up_to_what_was_measured(self, of: Landscape) -> None:
        measured = Sensitivity(energies=ENERGIES, margins=np.ones(3), images=3)
        for options in every(of):
            expected = measured.energy(of.allocation(options))
            assert of.of_options(options).sum() == pytest.approx(expected)

    def test_many_allocations_have_the_energies_of_each(self) -> None:
        many = np.array(every(TIED), dtype=np.int32)
        expected = [TIED.of_options(options) for options in every(TIED)]
        np.testing.assert_array_equal(TIED.of_many(many), expected)

    def test_one_of_nothing_still_has_a_logarithm(self) -> None:
        nothing = {point: dict.fromkeys(by_option, 0.0) for point, by_option in ENERGIES.items()}
        found = Sensitivity(energies=nothing, margins=np.ones(3), images=3)
        energies = Landscape.of(FREE.spec, found).of_options((0, 0, 0))
        assert np.isfinite(np.log(energies)).all()

    def test_what_stays_in_float32_makes_no_error(self) -> None:
        others = FREE.spec.variables[1:]
        kept = BitAllocation.of({v.name: v.menu[0] for v in others})
        options = FREE.options(kept)
        assert options == (FLOAT, *[0] * len(others))
        energies = FREE.of_options(options)
        assert energies[0] < 1e-20
        assert energies[1:].tolist() == [e[0] for e in FREE.energies[1:]]


class TestCosts:
    @pytest.mark.parametrize("of", [FREE, TIED, WITH_TABLES])
    def test_where_the_objective_is_a_sum_they_are_those_of_the_spec(self, of: Landscape) -> None:
        allocations = every(of)
        for around in (allocations[0], allocations[-1], allocations[len(allocations) // 2]):
            costs = of.costs(of.allocation(around))
            for options in allocations:
                total = sum(int(c[i]) for c, i in zip(costs, options, strict=True))
                assert total == of.spec.cost(of.allocation(options))

    def test_of_another_objective_those_of_one_change_are_exact(self) -> None:
        schedule = (frozenset({"p0", "p1"}), frozenset({"p1", "p2", "p3"}))
        of = landscape(objective=PeakActivationMemory(POINTS, schedule))
        around = (2, 1, 0)
        costs = of.costs(of.allocation(around))
        for v, variable in enumerate(of.spec.variables):
            for i in range(len(variable.menu)):
                options = (*around[:v], i, *around[v + 1 :])
                total = sum(int(c[j]) for c, j in zip(costs, options, strict=True))
                assert total == of.spec.cost(of.allocation(options))


class TestFrontier:
    THETA = np.array([0.5, -1.0, 2.0])

    def all_totals(self) -> list[tuple[int, float]]:
        return [
            (
                FREE.spec.cost(FREE.allocation(options)),
                float((np.exp(self.THETA) * FREE.of_options(options)).sum()),
            )
            for options in every(FREE)
        ]

    def test_it_is_what_trying_every_allocation_finds(self) -> None:
        found = FREE.frontier(self.THETA, around=FREE.allocation((0, 0, 0)))
        totals = self.all_totals()
        costs = sorted({cost for cost, _ in totals})
        best = {cost: min(score for c, score in totals if c <= cost) for cost in costs}
        for cost, score in best.items():
            i = found.below(cost)
            assert i is not None
            assert found.scores[i] == pytest.approx(score)
        assert found.gap == 0

    def test_between_two_costs_none_costs_more(self) -> None:
        cheap, dear = 5200, 6200
        around = FREE.allocation((0, 0, 0))
        found = FREE.frontier(self.THETA, around=around, between=(cheap, dear))
        everything = FREE.frontier(self.THETA, around=around)
        assert 0 < len(found) < len(everything)
        assert found.costs[-1] <= dear
        assert found.scores[-1] == everything.scores[everything.below(dear) or 0]

    def test_a_variable_that_is_worse_than_measured_gets_more_bits(self) -> None:
        widths = []
        for theta in (np.zeros(3), np.array([5.0, 0.0, 0.0])):
            found = FREE.frontier(theta, around=FREE.allocation((0, 0, 0)))
            best = found.below(6200)
            assert best is not None
            chosen = FREE.allocation(found.pick(best)).get("p0")
            assert chosen is not None
            widths.append(chosen.bit_width)
        assert widths == [1, 3]
