"""What is certified is seldom wrong, however many candidates the same images have tested."""

import math
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pytest
from scipy.special import ndtri

from search import certify
from search import ladder
from search import paired
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.baseline import Certificate
from search.bitfloor.response import Response
from search.certify import Check
from search.certify import Judgement
from search.racing import Race
from search.sensitivity import Sensitivity
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict

VALUES = 1000  # 32,000 bits in float32
BASELINE = Baseline(images=100, correct=90, tolerance=0.05)  # 85 needed
#: tolerance 0.02 on 1,000 images, as many to search on as to certify on
SPLIT = Baseline(images=1000, correct=900, tolerance=0.02)
SURE = Certificate(images=1000, confidence=0.95)
RACE = Race.of(SPLIT, SURE)


def option(number: int) -> QuantizerConfig:
    return QuantizerConfig(f"made_up_{number}", 1)


def spec(
    baseline: Baseline, certificate: Certificate | None, *, flipped: Sequence[float] = (0.02,) * 16
) -> SearchSpec:
    """Return a search of one point, whose options are measured to flip these shares of images."""
    margins = np.random.default_rng(1).normal(2.0 * ndtri(0.9), 2.0, 2000)
    response = Response.of(margins, accuracy=0.9)
    energies = {option(n): math.exp(response.log_energy(share)) for n, share in enumerate(flipped)}
    return SearchSpec(
        points=(QuantizationPoint("p", VALUES),),
        menus=((*energies,),),
        baseline=baseline,
        sampler="random",
        budget=1,
        seed=0,
        certificate=certificate,
        sensitivity=Sensitivity(energies={"p": energies}, margins=margins, images=6000),
    )


def trial(number: int, memory: int, hits: Hits | None = None, *, held: bool = True) -> TrialResult:
    return TrialResult(
        number=number,
        allocation=BitAllocation.of({"p": option(number)}),
        origin="test",
        memory_bits=memory,
        hits=hits or Hits(images=100, correct=90),
        complete=True,
        constraint=0.0 if held else 0.1,
        verdict=Verdict.HELD if held else Verdict.MISSED,
    )


def counted(images: int, *, lost: int, gained: int = 0) -> Hits:
    return Hits(images=images, correct=images * 9 // 10 - lost + gained, lost=lost, gained=gained)


@dataclass
class Unseen:
    """Images that no search saw, in ten rounds; counts how many are looked at."""

    hits: Mapping[BitAllocation, Hits]
    images: int = 0

    def __call__(self, allocation: BitAllocation) -> Iterator[Hits]:
        all_hits = self.hits[allocation]
        for part in range(10):
            share = [
                count * (part + 1) // 10 - count * part // 10
                for count in (all_hits.images, all_hits.correct, all_hits.lost, all_hits.gained)
            ]
            self.images += share[0]
            yield Hits(images=share[0], correct=share[1], lost=share[2], gained=share[3])


def checked(
    pairs: Sequence[tuple[TrialResult, Hits]],
    *,
    baseline: Baseline = SPLIT,
    confidence: float | None = 0.95,
) -> list[Check]:
    evaluate = Unseen({trial.allocation: hits for trial, hits in pairs})
    ordered = [trial for trial, _ in pairs]
    asked = Certificate(images=baseline.images, confidence=confidence) if confidence else None
    return list(certify.certify(ordered, evaluate, baseline=baseline, certificate=asked))


class TestCandidates:
    def test_without_a_test_all_that_hold_come_smallest_first(self) -> None:
        trials = [trial(0, 8), trial(1, 3), trial(2, 2, held=False), *map(trial, (5, 6), (9, 9))]
        ordered = certify.candidates(trials, spec=spec(BASELINE, None))
        assert [t.number for t in ordered] == [1, 0, 5, 6]

    def test_of_equally_small_ones_the_more_accurate_comes_first(self) -> None:
        trials = [trial(0, 3, counted(100, lost=2)), trial(1, 3, counted(100, lost=1))]
        ordered = certify.candidates(trials, spec=spec(BASELINE, None))
        assert [t.number for t in ordered] == [1, 0]

    def test_they_lead_from_the_safest_down_to_the_smallest(self) -> None:
        # from a drop that no images would certify to one that these are sure to
        flipped = np.linspace(0.08, 0.005, 50)
        trials = [
            trial(n, 3000 + n, counted(9000, lost=round(9000 * share)))
            for n, share in enumerate(flipped)
        ]
        baseline = Baseline(images=9000, correct=8100, tolerance=0.06)
        asked = spec(baseline, SURE, flipped=flipped.tolist())
        ordered = certify.candidates(trials, spec=asked)
        assert len(ordered) == ladder.RUNGS
        memory = [t.memory_bits for t in ordered]
        assert memory == sorted(memory, reverse=True)
        chances = certify.likelihoods(ordered, among=trials, spec=asked)
        assert chances == sorted(chances, reverse=True)
        assert chances[0] > 0.97
        assert chances[-1] < 0.7

    def test_one_that_was_lucky_is_drawn_towards_what_others_let_expect(self) -> None:
        flipped = [0.04] * 16
        lost = [30] * 15 + [5]
        trials = [trial(n, n, counted(1000, lost=k, gained=10)) for n, k in enumerate(lost)]
        asked = spec(SPLIT, SURE, flipped=flipped)
        alone = certify.likelihoods(trials[-1:], among=trials[-1:], spec=asked)
        among_all = certify.likelihoods(trials[-1:], among=trials, spec=asked)
        assert among_all[0] < alone[0] - 0.1

    def test_of_alike_ones_only_the_smallest_is_checked(self) -> None:
        trials = [trial(n, n, counted(1000, lost=10)) for n in range(9)]
        ordered = certify.candidates(trials, spec=spec(SPLIT, SURE))
        assert [t.number for t in ordered] == [0]

    def test_one_that_saves_nothing_is_checked_where_nothing_else_held(self) -> None:
        large = trial(0, 33 * VALUES, counted(1000, lost=1))
        assert certify.candidates([large], spec=spec(SPLIT, SURE)) == [large]

    def test_where_nothing_held_nothing_is_checked(self) -> None:
        assert certify.candidates([trial(0, 1, held=False)], spec=spec(SPLIT, SURE)) == []


class TestCertify:
    @pytest.mark.parametrize("failing, judged", [(20, "undecided"), (60, "refuted")])
    def test_the_first_that_fails_ends_it(self, failing: int, judged: str) -> None:
        seen = [counted(1000, lost=n) for n in (0, 10, failing, 0)]
        pairs = [(trial(n, 9 - n), hits) for n, hits in enumerate(seen)]
        checks = checked(pairs)
        assert [check.judgement for check in checks] == ["certified", "certified", judged]
        assert checks[1].p_value == paired.p_certified(seen[1], tolerance=0.02)
        assert certify.smallest(checks) == checks[1]

    def test_one_that_passes_needs_no_more_evidence_for_the_others(self) -> None:
        enough = counted(1000, lost=12)
        alone = checked([(trial(0, 1), enough)])
        after_three = checked([(trial(n, 9 - n), enough) for n in range(4)])
        assert alone[0].p_value > 0.05 / 4
        assert [check.holds for check in (*alone, *after_three)] == [True] * 5

    def test_if_the_safest_fails_nothing_is_certified(self) -> None:
        checks = checked(
            [(trial(0, 2), counted(1000, lost=25)), (trial(1, 1), counted(1000, lost=0))]
        )
        assert len(checks) == 1
        assert certify.smallest(checks) is None

    def test_one_is_given_up_only_once_nothing_could_certify_it(self) -> None:
        evaluate = Unseen({(hopeless := trial(0, 1)).allocation: counted(1000, lost=400)})
        (check,) = certify.certify([hopeless], evaluate, baseline=SPLIT, certificate=SURE)
        # 121 wrong ones are too many, and 50 in 100 images are wrong
        assert (check.hits.images, evaluate.images) == (300, 300)
        assert check.judgement is Judgement.REFUTED

    def test_an_undecided_one_says_how_many_images_it_takes(self) -> None:
        (check,) = checked([(trial(0, 1), counted(1000, lost=15))])
        assert check.images_needed is not None
        more = counted(check.images_needed, lost=math.ceil(check.images_needed * 0.015))
        wider = Baseline(images=more.images, correct=more.images * 9 // 10, tolerance=0.02)
        (again,) = checked([(trial(0, 1), more)], baseline=wider, confidence=0.95)
        assert again.holds

    def test_without_a_certificate_the_first_whose_count_is_enough_ends_it(self) -> None:
        pairs = [(trial(n, n), counted(100, lost=6)) for n in range(9)]
        pairs += [(trial(n, n), counted(100, lost=5)) for n in (9, 10)]
        checks = checked(pairs, baseline=BASELINE, confidence=None)
        assert [check.judgement for check in checks] == ["refuted"] * 9 + ["certified"]
        assert certify.smallest(checks) == checks[-1]

    def test_nothing_to_check_gives_nothing(self) -> None:
        assert checked([]) == []
        assert certify.smallest([]) is None


class Choice(Protocol):
    """Which held trials are checked, in their order."""

    def __call__(
        self, trials: Sequence[TrialResult], *, spec: SearchSpec
    ) -> Sequence[TrialResult]: ...


@dataclass(frozen=True)
class Simulated:
    """Searches among allocations whose true drops are known, from 3 to 6 bits a value."""

    #: of the allocations, fewest bits first
    drops: Sequence[float]
    #: share of the images that are gained, by all or by each
    gained: float | Sequence[float] = 0.02
    #: share of the images on which all allocations share their luck
    shared: float = 0.0

    @classmethod
    def alike(cls, flipped: Sequence[float], *, shared: float = 0.0) -> "Simulated":
        """Return allocations that drop by as much as the share of images they flip has it."""
        drops = [0.2 * share + 2 * share**2 for share in flipped]
        gained = [(share - drop) / 2 for share, drop in zip(flipped, drops, strict=True)]
        return cls(drops, gained, shared)

    def drawn(self, rng: np.random.Generator, images: int) -> list[Hits]:
        gained = np.broadcast_to(self.gained, len(self.drops))
        lost = gained + self.drops
        together = round(images * self.shared)
        # an image that one allocation loses is lost by those that lose more, too
        luck = np.sort(rng.random(together))
        counts = np.stack(
            [np.searchsorted(luck, lost), together - np.searchsorted(luck, 1 - gained)]
        )
        for of, rates in enumerate(zip(lost, gained, 1 - lost - gained, strict=True)):
            counts[:, of] += rng.multinomial(images - together, rates)[:2]
        return [counted(images, lost=int(a), gained=int(b)) for a, b in counts.T]

    @cached_property
    def spec(self) -> SearchSpec:
        """The search, with sensitivities as they are."""
        gained = np.broadcast_to(self.gained, len(self.drops))
        flipped = np.maximum(2 * gained + self.drops, 0.001)
        return spec(SPLIT, SURE, flipped=flipped.tolist())

    def searched(self, rng: np.random.Generator) -> list[TrialResult]:
        """Return the trials of a search that evaluates every allocation."""
        memory = np.linspace(3 * VALUES, 6 * VALUES, len(self.drops)).astype(int)
        return [
            trial(number, int(memory[number]), hits, held=RACE.decide(hits) is Verdict.HELD)
            for number, hits in enumerate(self.drawn(rng, SPLIT.images))
        ]

    def winner(self, rng: np.random.Generator, choose: Choice = certify.candidates) -> int | None:
        """Return the certified one of a search, None if none was."""
        ordered = choose(self.searched(rng), spec=self.spec)
        unseen = self.drawn(rng, SURE.images)
        pairs = [(chosen, unseen[chosen.number]) for chosen in ordered]
        best = certify.smallest(checked(pairs))
        return best.trial.number if best else None


class TestSearches:
    """Selection on the search split, then certification, over and over."""

    @pytest.mark.parametrize(
        "drops",
        [
            [0.0201] * 60,
            [0.04] * 20 + [0.0201] * 100,
            [0.0201] * 40 + [0.005] * 3,
        ],
        ids=["at the floor", "many at the floor", "a safe one behind"],
    )
    def test_a_drop_beyond_the_tolerance_is_certified_as_seldom_as_promised(
        self, drops: list[float]
    ) -> None:
        rng = np.random.default_rng(8)
        simulated = Simulated(drops)
        winners = [simulated.winner(rng) for _ in range(120)]
        wrong = sum(drops[winner] > SPLIT.tolerance for winner in winners if winner is not None)
        # 5 % of 120 and three standard errors
        assert wrong <= 6 + 3 * math.sqrt(120 * 0.05 * 0.95)

    def test_where_safe_ones_are_behind_the_smallest_most_searches_end_certified(self) -> None:
        rng = np.random.default_rng(9)
        simulated = Simulated([*np.linspace(0.04, -0.005, 60)])
        winners = [simulated.winner(rng) for _ in range(40)]
        # 93 % of 60, less four standard errors of 40
        assert sum(winner is not None for winner in winners) >= 31

    def test_a_modest_trial_is_preferred_to_a_lucky_one(self) -> None:
        # of 400 the smallest that hold flip many images and drop too far: they were lucky
        simulated = Simulated.alike([*np.linspace(0.12, 0.01, 400)], shared=0.5)

        def smallest(trials: Sequence[TrialResult], *, spec: SearchSpec) -> Sequence[TrialResult]:
            held = [t for t in trials if t.feasible]
            return sorted(held, key=lambda t: t.memory_bits)[: ladder.RUNGS]

        ended = {}
        for choose in (certify.candidates, smallest):
            rng = np.random.default_rng(10)
            winners = [simulated.winner(rng, choose) for _ in range(20)]
            ended[choose] = sum(winner is not None for winner in winners)
        # 48 % of 200 where the smallest are checked
        assert ended[certify.candidates] >= 17
        assert ended[smallest] <= 13
