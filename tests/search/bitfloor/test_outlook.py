"""How likely allocations are to hold is what simulated searches show, and misses warn of others."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from search.baseline import Certificate
from search.bitfloor import belief
from search.bitfloor.landscape import Landscape
from search.bitfloor.outlook import Bets
from search.bitfloor.outlook import Outlook
from search.bitfloor.outset import Outset
from search.bitfloor.response import GRID
from search.bitfloor.view import weighed
from search.racing import Race
from search.trial import Hits
from tests.search.bitfloor.simulated import IMAGES
from tests.search.bitfloor.simulated import Simulated

SEARCH = Simulated()
OUTSET = Outset.of(SEARCH.spec())
LANDSCAPE = OUTSET.landscape
#: as after many trials: the energies are known
SURE = replace(belief.prior(len(SEARCH.points)), covariance=np.eye(len(SEARCH.points)) * 1e-4)
#: near the floor: option indices by variable
CENTRE = (2, 2, 2, 3, 3, 4)
NEIGHBOUR = (2, 2, 2, 3, 3, 3)


def bets(*options: Sequence[int], of: Landscape = LANDSCAPE) -> Bets:
    return weighed(of, SURE, options=np.array(options, dtype=np.int32).reshape(len(options), 6))


def outlook(
    tried: dict[tuple[int, ...], Hits] | None = None, *, outset: Outset = OUTSET
) -> Outlook:
    tried = tried or {}
    return Outlook(outset.expectation, bets(*tried), [*tried.values()])


def likely(view: Outlook, *options: tuple[int, ...]) -> list[float]:
    return [float(chance) for chance in view.probability(bets(*options))]


def hits(flipped: float, drop: float, images: int = IMAGES) -> Hits:
    lost = round(images * (flipped + drop) / 2)
    gained = round(images * (flipped - drop) / 2)
    right = SEARCH.spec().baseline.correct * images // IMAGES
    return Hits(images=images, correct=right - lost + gained, lost=lost, gained=gained)


def stranger() -> tuple[int, ...]:
    """Return an allocation as noisy as NEIGHBOUR that has no option in common with CENTRE."""
    wanted = float(bets(NEIGHBOUR).log_energy[0])
    random = np.random.default_rng(0)
    found = random.integers(0, len(SEARCH.menu), (20_000, 6)).astype(np.int32)
    found = found[(found != np.array(CENTRE)).all(axis=1)]
    off = np.abs(weighed(LANDSCAPE, SURE, options=found).log_energy - wanted)
    return tuple(found[off.argmin()].tolist())


class TestExpectation:
    def test_it_is_the_shorter_the_more_energy(self) -> None:
        short = OUTSET.expectation.short
        assert short[0] < 0 < short[-1]
        assert np.diff(short).min() > -1 / IMAGES  # allowed counts are whole

    def test_the_floor_is_where_an_allocation_comes_to_be_short(self) -> None:
        short, floor = OUTSET.expectation.short, OUTSET.expectation.floor
        assert np.interp(floor, GRID, short) <= 0
        assert np.interp(floor + 0.2, GRID, short) > 0

    def test_a_certificate_lowers_the_floor(self) -> None:
        spec = SEARCH.spec(certificate=Certificate(images=2000, confidence=0.95))
        assert Outset.of(spec).expectation.floor < OUTSET.expectation.floor


class TestOverlap:
    def test_an_allocation_shares_all_with_itself_and_nothing_with_a_stranger(self) -> None:
        some = bets(CENTRE, stranger(), NEIGHBOUR)
        found = some.overlap(some)
        assert np.diag(found) == pytest.approx([1, 1, 1])
        assert found[0, 1] == 0
        np.testing.assert_allclose(found, found.T)

    def test_what_two_share_counts_by_its_energy(self) -> None:
        found = bets(CENTRE).overlap(bets(NEIGHBOUR))[0, 0]
        shares = np.minimum(bets(CENTRE).shares[0], bets(NEIGHBOUR).shares[0])
        assert found == pytest.approx(shares[:5].sum())
        assert 0.3 < found < 1


class TestProbability:
    def test_before_any_trial_less_energy_is_likelier_to_hold(self) -> None:
        rows = [tuple(min(6, i + up) for i in (0, 0, 0, 1, 1, 2)) for up in range(6)]
        found = likely(outlook(), *rows)
        assert found == sorted(found)
        assert found[0] < 0.1
        assert found[-1] > 0.9

    def test_a_miss_warns_of_its_neighbour_more_than_of_a_stranger(self) -> None:
        before = likely(outlook(), NEIGHBOUR, stranger())
        assert before[0] == pytest.approx(before[1], abs=0.02)
        near, far = likely(outlook({CENTRE: hits(0.06, 0.035)}), NEIGHBOUR, stranger())
        assert near < far - 0.02
        assert near < before[0]

    def test_a_hold_speaks_for_its_neighbour_more_than_for_a_stranger(self) -> None:
        near, far = likely(outlook({CENTRE: hits(0.06, 0.0)}), NEIGHBOUR, stranger())
        assert near > far + 0.02

    @pytest.mark.parametrize("drop, holds", [(0.04, False), (0.0, True)])
    def test_what_was_seen_on_all_images_is_known(self, drop: float, holds: bool) -> None:
        (found,) = likely(outlook({CENTRE: hits(0.06, drop)}), CENTRE)
        assert found == pytest.approx(float(holds), abs=0.02)

    def test_a_trial_on_fewer_images_says_less(self) -> None:
        few = likely(outlook({CENTRE: hits(0.06, 0.04, images=200)}), CENTRE)[0]
        all_ = likely(outlook({CENTRE: hits(0.06, 0.04)}), CENTRE)[0]
        assert all_ < few < likely(outlook(), CENTRE)[0]

    def test_a_certificate_asks_for_more(self) -> None:
        spec = SEARCH.spec(certificate=Certificate(images=2000, confidence=0.95))
        with_one = likely(outlook(outset=Outset.of(spec)), CENTRE)[0]
        assert with_one < likely(outlook(), CENTRE)[0]

    def test_what_held_is_not_yet_certified(self) -> None:
        spec = SEARCH.spec(certificate=Certificate(images=2000, confidence=0.95))
        seen = hits(0.04, 0.004)
        assert Race.of(spec.baseline, spec.certificate).constraint(seen) <= 0
        view = outlook({CENTRE: seen}, outset=Outset.of(spec))
        certified = float(view.certified(bets(CENTRE))[0])
        assert 0.5 < certified < 0.95
        # that it held is known, whether it would again is not
        assert likely(view, CENTRE)[0] == pytest.approx(certified, abs=0.03)

    def test_more_images_to_certify_on_leave_less_to_luck(self) -> None:
        found = []
        for images in (500, 2000, 50_000):
            outset = Outset.of(SEARCH.spec())
            expectation = replace(outset.expectation, certificate=images)
            view = outlook(
                {CENTRE: hits(0.04, 0.004)}, outset=replace(outset, expectation=expectation)
            )
            found.append(float(view.certified(bets(CENTRE))[0]))
        assert found == sorted(found)
        assert found[0] < found[-1]

    def test_of_what_is_so_likely_so_many_hold(self) -> None:
        chances: list[float] = []
        held: list[bool] = []
        for seed in range(8):
            search = Simulated(seed=seed)
            spec = search.spec()
            outset, race = Outset.of(spec), Race.of(spec.baseline, None)
            landscape = outset.landscape
            found = landscape.frontier(np.zeros(6), around=landscape.allocation((3,) * 6))
            rows = found.options[:: len(found) // 40]
            chances += outlook(outset=outset).probability(bets(*rows, of=landscape)).tolist()
            allocations = [landscape.allocation(row) for row in rows.tolist()]
            held += [race.constraint(search.hits(allocation)) <= 0 for allocation in allocations]
        chance, hold = np.array(chances), np.array(held)
        steps = [(0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)]
        groups = [(chance >= low) & (chance < high) for low, high in steps]
        assert min(group.sum() for group in groups) >= 10
        rates = [hold[group].mean() for group in groups]
        assert rates == sorted(rates)
        assert rates == pytest.approx([chance[group].mean() for group in groups], abs=0.15)
        assert rates[0] < 0.15
