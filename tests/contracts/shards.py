"""What shards promise: whoever carries out the work, and however many, it comes to the same."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.quantization.quantizer import Calibration
from search.spec import JobSpec
from search.trial import Hits
from workers import content
from workers import resolution
from workers import workbench
from workers.datasets.catalog import surroundings
from workers.errors import WorkerError
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.shards.agreement import agreed
from workers.shards.shards import Shards
from workers.workbench import Workbench

CPU = torch.device("cpu")
JOB = JobSpec(
    model="digits-vgg",
    dataset="digits",
    tolerance=0.02,
    target="both",
    quantizers=("affine", "codebook_bounded"),
    bit_widths=(2, 4, 8),
    budget=8,
)
BATCH = 100

#: opens so many shards for a job
Open = Callable[[JobSpec, int], AbstractContextManager[Shards]]


def bench(job: JobSpec, folder: Path, *, shards: Shards | None = None) -> Workbench:
    """Return a workbench that keeps nothing outside the folder."""
    settings = WorkerSettings(cache_dir=folder, batch=BATCH)
    around = surroundings(settings)
    loaded = workbench.opened(job, models=open_models(folder), around=around, device=CPU)
    return workbench.calibrated(job, loaded, around=around, device=CPU, batch=BATCH, shards=shards)


@cache
def local(job: JobSpec, folder: Path) -> Workbench:
    """Return a workbench that does all itself."""
    return bench(job, folder)


class ShardsContract:
    """To be inherited with fixtures: `opened`, an `Open`, and `folder`, for what may be kept."""

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_a_search_is_the_same_trial_for_trial(
        self, opened: Open, *, count: int, folder: Path, tmp_path: Path
    ) -> None:
        one = local(JOB, folder)
        alone = one.evaluator(one.dataset.search)
        expected = list(study.run(resolution.resolve(JOB, one, evaluator=alone), alone))
        with opened(JOB, count) as shards:
            assert shards.count == count
            several = bench(JOB, tmp_path, shards=shards)
            assert_alike(several.calibration, one.calibration)
            shared = several.evaluator(several.dataset.search)
            search = resolution.resolve(JOB, several, evaluator=shared)
            assert search.sensitivity is not None
            measured = resolution.resolve(JOB, one, evaluator=alone).sensitivity
            assert measured is not None
            assert search.sensitivity.energies == measured.energies
            assert search.sensitivity.margins.tolist() == measured.margins.tolist()
            assert list(study.run(search, shared)) == expected

    def test_rounds_come_in_their_order_and_sum_up_on_any_split(
        self, opened: Open, *, folder: Path, tmp_path: Path
    ) -> None:
        one = local(JOB, folder)
        coarse = BitAllocation.uniform(one.network.points, QuantizerConfig("codebook", 1))
        with opened(JOB, 3) as shards:
            several = bench(JOB, tmp_path, shards=shards)
            for split in ("search", "certification"):
                alone = one.evaluator(one.dataset.named(split))
                shared = several.evaluator(several.dataset.named(split))
                assert (shared.images, shared.float_correct) == (alone.images, alone.float_correct)
                assert list(shared(coarse)) == list(alone(coarse))
                assert sum(shared(coarse), Hits()).images == alone.images

    def test_what_they_hold_is_held_against_what_the_worker_has(
        self, opened: Open, *, folder: Path
    ) -> None:
        one = local(JOB, folder)
        digest = content.of_network(one.network)
        loaded = (one.network, one.dataset)
        with opened(JOB, 2) as shards:
            found = agreed(shards, loaded, digest=digest, batch=BATCH)
            assert found == {"model": digest, "device": "cpu"}
            other = replace(one.dataset.search, labels=(one.dataset.search.labels + 1) % 10)
            altered = (one.network, replace(one.dataset, search=other))
            with pytest.raises(WorkerError, match=r"search images.* is not that of"):
                agreed(shards, altered, digest=digest, batch=BATCH)
            with pytest.raises(WorkerError, match=r"network .* is not that of"):
                agreed(shards, loaded, digest="0" * 64, batch=BATCH)

    def test_what_a_shard_raises_on_purpose_keeps_its_code_or_class(self, opened: Open) -> None:
        with opened(JOB, 2) as shards, pytest.raises(Exception, match="no-such-split"):
            shards.each("correct", {1: {"numbers": [0], "split": "no-such-split"}})


def assert_alike(one: Calibration, other: Calibration) -> None:
    """Fail unless both are the same to the last bit."""
    assert list(one.histograms) == list(other.histograms)
    assert one.bit_widths == other.bit_widths
    for point, histogram in one.histograms.items():
        same = other.histograms[point]
        assert (histogram.low, histogram.high) == (same.low, same.high)
        assert np.array_equal(histogram.counts, same.counts)
    assert list(one.weights) == list(other.weights)
    for point, channels in one.weights.items():
        assert np.array_equal(channels.read(), other.weights[point].read())
