"""Histograms count every value, however many there are."""

import torch

from search.quantization.observer import Counts


class TestCounts:
    def test_more_values_than_float32_can_count_are_all_counted(self) -> None:
        counts = Counts(0.0, 1.0)
        zeros = 2**24 + 2**22
        counts.take(torch.zeros(zeros))
        counts.take(torch.ones(3))
        histogram = counts.histogram()
        assert (histogram.counts[0], histogram.counts[-1]) == (zeros, 3)
        assert histogram.counts.sum() == zeros + 3
