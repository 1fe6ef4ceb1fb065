"""What is certified is seldom wrong, however many candidates the same images have tested."""

import itertools
import math
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pytest

from search import certify
from search import paired
from search import shrinkage
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.certify import Check
from search.certify import Judgement
from search.racing import Race
from search.spec import Baseline
from search.spec import Certificate
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


def spec(baseline: Baseline, certificate: Certificate | None) -> SearchSpec:
    return SearchSpec(
        points=(QuantizationPoint("p", VALUES),),
        menus=((QuantizerConfig("affine", 8),),),
        baseline=baseline,
        sampler="random",
        budget=1,
        seed=0,
        certificate=certificate,
    )


def trial(number: int, memory: int, hits: Hits | None = None, *, held: bool = True) -> TrialResult:
    return TrialResult(
        number=number,
        allocation=BitAllocation.of({"p": QuantizerConfig(f"made_up_{number}", 1)}),
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
    pairs: Sequence[tuple[TrialResult, Hits]], *, baseline: Baseline, confidence: float
) -> list[Check]:
    evaluate = Unseen({trial.allocation: hits for trial, hits in pairs})
    ordered = [trial for trial, _ in pairs]
    checks = certify.certify(ordered, evaluate, baseline=baseline, confidence=confidence)
    return list(checks)


def likely(
    trials: Sequence[TrialResult],
    *,
    among: Sequence[TrialResult],
    tolerance: float,
    sharing: int = paired.CANDIDATES,
) -> list[float]:
    """Return how likely each is to be certified if so many share the error, all of these known."""
    estimates = shrinkage.estimate_among([t.hits for t in trials], among=[t.hits for t in among])
    chances = estimates.certified(
        tolerance=tolerance,
        images=SURE.images,
        level=paired.level(SURE.confidence, sharing),
    )
    return [float(chance) for chance in chances]


class TestCandidates:
    @pytest.mark.parametrize("certificate", [None, Certificate(images=100, confidence=0.5)])
    def test_without_a_test_all_that_hold_come_smallest_first(
        self, certificate: Certificate | None
    ) -> None:
        trials = [trial(0, 8), trial(1, 3), trial(2, 2, held=False), *map(trial, (5, 6), (9, 9))]
        ordered = certify.candidates(trials, spec=spec(BASELINE, certificate))
        assert [t.number for t in ordered] == [1, 0, 5, 6]

    def test_of_equally_small_ones_the_more_accurate_comes_first(self) -> None:
        trials = [trial(0, 3, counted(100, lost=2)), trial(1, 3, counted(100, lost=1))]
        ordered = certify.candidates(trials, spec=spec(BASELINE, None))
        assert [t.number for t in ordered] == [1, 0]

    def test_at_most_four_share_the_error(self) -> None:
        # from a drop that no images would certify to one that these are sure to
        trials = [trial(n, 3000 + n, counted(9000, lost=900 - 2 * n)) for n in range(400)]
        baseline = Baseline(images=9000, correct=8100, tolerance=0.06)
        ordered = certify.candidates(trials, spec=spec(baseline, SURE))
        assert len(ordered) == paired.CANDIDATES
        assert [t.memory_bits for t in ordered] == sorted(t.memory_bits for t in ordered)
        chances = likely(ordered, among=trials, tolerance=0.06)
        assert chances == sorted(chances)
        assert chances[0] < 0.9
        assert chances[-1] > 0.99

    def test_no_other_row_of_likelier_and_likelier_ones_is_expected_to_save_more(self) -> None:
        rng = np.random.default_rng(0)
        for _ in range(10):
            flips = rng.multinomial(1000, [0.02, 0.015, 0.965], size=7)
            memory = rng.integers(1000, 20_000, size=7)
            trials = [
                trial(n, int(memory[n]), counted(1000, lost=int(lost), gained=int(gained)))
                for n, (lost, gained, _) in enumerate(flips)
            ]
            ordered = certify.candidates(trials, spec=spec(SPLIT, SURE))
            by_memory = sorted(trials, key=lambda t: t.memory_bits)
            # the fewer share the error, the likelier each is
            of_size = {
                size: likely(by_memory, among=trials, tolerance=SPLIT.tolerance, sharing=size)
                for size in range(1, paired.CANDIDATES + 1)
            }
            saving = {
                row: sum(
                    (of_size[size][i] - (of_size[size][row[k - 1]] if k else 0))
                    * (32 * VALUES - by_memory[i].memory_bits)
                    for k, i in enumerate(row)
                )
                for size in range(1, paired.CANDIDATES + 1)
                for row in itertools.combinations(range(7), size)
                if all(of_size[size][i] < of_size[size][j] for i, j in itertools.pairwise(row))
            }
            chosen = tuple(by_memory.index(t) for t in ordered)
            assert saving[chosen] == pytest.approx(max(saving.values()))

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
    def test_the_first_that_is_certified_ends_it(self) -> None:
        seen = [counted(1000, lost=n) for n in (60, 15, 0, 0)]
        pairs = [(trial(n, n), hits) for n, hits in enumerate(seen)]
        checks = checked(pairs, baseline=SPLIT, confidence=0.95)
        assert [check.judgement for check in checks] == ["refuted", "undecided", "certified"]
        assert [check.holds for check in checks] == [False, False, True]
        # four are one error's share each
        assert [check.level for check in checks] == [pytest.approx(0.05 / 4)] * 3
        assert checks[1].p_value == paired.p_certified(seen[1], tolerance=0.02)

    def test_the_more_candidates_the_stronger_the_evidence(self) -> None:
        enough_for_one = counted(1000, lost=12)
        pairs = [(trial(n, n), enough_for_one) for n in range(2)]
        assert checked(pairs[:1], baseline=SPLIT, confidence=0.95)[0].holds
        after_another = [(trial(9, 9), counted(1000, lost=25)), pairs[1]]
        assert not checked(after_another, baseline=SPLIT, confidence=0.95)[1].holds

    def test_one_is_given_up_only_once_nothing_could_certify_it(self) -> None:
        evaluate = Unseen({(hopeless := trial(0, 1)).allocation: counted(1000, lost=400)})
        (check,) = certify.certify([hopeless], evaluate, baseline=SPLIT, confidence=0.95)
        # 121 wrong ones are too many, and 50 in 100 images are wrong
        assert (check.hits.images, evaluate.images) == (300, 300)
        assert check.judgement is Judgement.REFUTED

    def test_an_undecided_one_says_how_many_images_it_takes(self) -> None:
        (check,) = checked([(trial(0, 1), counted(1000, lost=15))], baseline=SPLIT, confidence=0.95)
        assert check.images_needed is not None
        more = counted(check.images_needed, lost=math.ceil(check.images_needed * 0.015))
        wider = Baseline(images=more.images, correct=more.images * 9 // 10, tolerance=0.02)
        (again,) = checked([(trial(0, 1), more)], baseline=wider, confidence=0.95)
        assert again.holds

    def test_at_even_odds_the_count_decides_for_any_number_of_candidates(self) -> None:
        pairs = [(trial(n, n), counted(100, lost=6)) for n in range(9)]
        pairs.append((trial(9, 9), counted(100, lost=5)))
        checks = checked(pairs, baseline=BASELINE, confidence=0.5)
        assert [check.judgement for check in checks] == ["refuted"] * 9 + ["certified"]
        assert {check.level for check in checks} == {0.5}

    def test_nothing_to_check_gives_nothing(self) -> None:
        assert checked([], baseline=BASELINE, confidence=0.95) == []


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

    def searched(self, rng: np.random.Generator) -> list[TrialResult]:
        """Return the trials of a search that evaluates every allocation."""
        memory = np.linspace(3 * VALUES, 6 * VALUES, len(self.drops)).astype(int)
        return [
            trial(number, int(memory[number]), hits, held=RACE.decide(hits) is Verdict.HELD)
            for number, hits in enumerate(self.drawn(rng, SPLIT.images))
        ]

    def winner(self, rng: np.random.Generator, choose: Choice = certify.candidates) -> int | None:
        """Return the certified one of a search, None if none was."""
        ordered = choose(self.searched(rng), spec=spec(SPLIT, SURE))
        unseen = self.drawn(rng, SURE.images)
        pairs = [(chosen, unseen[chosen.number]) for chosen in ordered]
        checks = checked(pairs, baseline=SPLIT, confidence=SURE.confidence)
        return checks[-1].trial.number if checks and checks[-1].holds else None


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
            return sorted(held, key=lambda t: t.memory_bits)[: paired.CANDIDATES]

        ended = {}
        for choose in (certify.candidates, smallest):
            rng = np.random.default_rng(10)
            winners = [simulated.winner(rng, choose) for _ in range(20)]
            ended[choose] = sum(winner is not None for winner in winners)
        # 48 % of 200 where the smallest are checked
        assert ended[certify.candidates] >= 17
        assert ended[smallest] <= 13
