"""A replay evaluates nothing twice, and nothing that nobody asked for."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.search.replay import Replay
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.trial import Hits

ROUNDS = 4


def allocation(bits: int) -> BitAllocation:
    return BitAllocation.of({"p": QuantizerConfig("affine", bits)})


class Counting:
    """An evaluator that knows how many rounds it gave."""

    def __init__(self) -> None:
        self.rounds = 0

    def __call__(self, some: BitAllocation) -> Iterator[Hits]:
        (config,) = (config for _, config in some.items())
        for _ in range(ROUNDS):
            self.rounds += 1
            yield Hits(images=10, correct=config.bit_width)


class TestReplay:
    def test_the_second_time_nothing_is_evaluated(self) -> None:
        evaluate = Counting()
        replay = Replay(evaluate, images=10 * ROUNDS)
        first, second = list(replay(allocation(3))), list(replay(allocation(3)))
        assert first == second == [Hits(images=10, correct=3)] * ROUNDS
        assert evaluate.rounds == ROUNDS

    def test_who_stops_early_leaves_the_rest_to_the_next(self) -> None:
        evaluate = Counting()
        replay = Replay(evaluate, images=10 * ROUNDS)
        next(iter(replay(allocation(3))))
        assert evaluate.rounds == 1
        assert replay.total(allocation(3)).images == 10 * ROUNDS
        assert evaluate.rounds == ROUNDS

    def test_two_who_take_turns_see_the_same(self) -> None:
        replay = Replay(Counting(), images=10 * ROUNDS)
        pairs = zip(replay(allocation(3)), replay(allocation(3)), strict=True)
        assert [a == b for a, b in pairs] == [True] * ROUNDS

    def test_allocations_are_kept_apart(self) -> None:
        replay = Replay(Counting(), images=10 * ROUNDS)
        totals = [replay.total(allocation(bits)).correct for bits in (3, 5)]
        assert totals == [3 * ROUNDS, 5 * ROUNDS]

    def test_a_later_run_evaluates_nothing_that_was_saved(self, tmp_path: Path) -> None:
        first = Replay(Counting(), images=10 * ROUNDS)
        total = first.total(allocation(3))
        first.save(tmp_path / "kept.json")
        evaluate = Counting()
        later = Replay(evaluate, images=10 * ROUNDS)
        later.load(tmp_path / "kept.json")
        assert later.total(allocation(3)) == total
        assert evaluate.rounds == 0

    def test_what_was_saved_in_part_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        first = Replay(Counting(), images=10 * ROUNDS)
        next(first(allocation(3)))
        first.save(tmp_path / "kept.json")
        later = Replay(Counting(), images=10 * ROUNDS)
        later.load(tmp_path / "kept.json")
        assert later.total(allocation(3)) == Hits(images=10 * ROUNDS, correct=3 * ROUNDS)
