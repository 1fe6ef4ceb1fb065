"""A curve tells the median seed, and how far the others are from it, at every number of images."""

import math

from benchmarks.search.curves import Node
from benchmarks.search.curves import curve
from tests.benchmarks.search.made_up import line

END = 1000  # SETUP and the trials of a made-up line


class TestCurve:
    def test_one_seed_steps_where_it_found_something(self) -> None:
        nodes = curve([line("tpe", trace=[(300, 80), (500, 60)])])
        assert nodes == [Node(300, 8, 8, 8), Node(500, 6, 6, 6), Node(END, 6, 6, 6)]

    def test_it_starts_where_the_median_seed_holds_something(self) -> None:
        lines = [line("tpe", trace=[(at, 80)]) for at in (300, 500, 700)]
        assert curve(lines)[0] == Node(500, 8, 8, math.inf)

    def test_the_range_is_that_of_the_seeds(self) -> None:
        lines = [line("tpe", trace=[(300, bits)]) for bits in (80, 20, 60)]
        assert curve(lines)[0] == Node(300, 2, 6, 8)

    def test_what_never_holds_has_no_curve(self) -> None:
        assert curve([line("tpe")]) == []
