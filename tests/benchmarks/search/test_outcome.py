"""A trace counts every image, and a checkpoint only what was over by then."""

from benchmarks.search.outcome import Step
from benchmarks.search.outcome import trace
from benchmarks.search.outcome import within
from search.allocation import BitAllocation
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict


def trial(memory: int, *, images: int, held: bool) -> TrialResult:
    return TrialResult(
        number=0,
        allocation=BitAllocation(()),
        origin="test",
        memory_bits=memory,
        hits=Hits(images=images),
        complete=True,
        constraint=0.0 if held else 0.1,
        verdict=Verdict.HELD if held else Verdict.MISSED,
    )


TRIALS = [
    trial(50, images=100, held=False),
    trial(90, images=30, held=True),
    trial(95, images=100, held=True),
    trial(60, images=70, held=True),
]


class TestTrace:
    def test_only_what_holds_in_less_memory_is_a_step(self) -> None:
        assert list(trace(TRIALS, before=0)) == [Step(130, 90), Step(300, 60)]

    def test_it_starts_with_the_images_that_came_before(self) -> None:
        assert list(trace(TRIALS, before=1000)) == [Step(1130, 90), Step(1300, 60)]


class TestWithin:
    def test_a_trial_counts_once_it_is_over(self) -> None:
        found = [len(list(within(TRIALS, images, before=10))) for images in (109, 110, 240, 999)]
        assert found == [0, 1, 3, 4]
