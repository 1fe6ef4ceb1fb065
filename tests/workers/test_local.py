"""The local evaluator counts images exactly, lazily, and paired with the float model."""

from pathlib import Path

import pytest
import torch
from torch import nn

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.quantization.calibration import calibrate
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.spec import JobSpec
from search.trial import Hits
from workers import workbench
from workers.data import Split
from workers.datasets.catalog import surroundings
from workers.evaluators.local import LocalEvaluator
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.workbench import Workbench

CPU = torch.device("cpu")
MODELS = open_models(Path("no-such-folder"))
AROUND = surroundings(WorkerSettings())
JOB = JobSpec(model="digits-vgg", dataset="digits", tolerance=0.02)


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return workbench.prepare(JOB, models=MODELS, around=AROUND, device=CPU, batch=100)


def uniform(bench: Workbench, quantizer: str, bits: int) -> BitAllocation:
    return BitAllocation.uniform(bench.network.points, QuantizerConfig(quantizer, bits))


class TestLocalEvaluator:
    def test_counts_are_those_of_one_pass_over_the_whole_split(self, bench: Workbench) -> None:
        split = bench.dataset.search
        evaluator = bench.evaluator(split)
        allocation = uniform(bench, "affine", 2)
        total = sum(evaluator(allocation), Hits())

        ((images, labels),) = split.batches(len(split))
        bench.network.load({})
        right = bench.network(images).argmax(1) == labels
        bench.network.load(bench.options.operators(allocation))
        still = bench.network(images).argmax(1) == labels
        assert evaluator.float_correct == int(right.sum())
        assert total == Hits(
            images=450,
            correct=int(still.sum()),
            lost=int((right & ~still).sum()),
            gained=int((still & ~right).sum()),
        )

    def test_rounds_double_up_to_a_batch_and_the_rest_waits_to_be_asked_for(
        self, bench: Workbench
    ) -> None:
        rounds = bench.evaluator(bench.dataset.search)(uniform(bench, "affine", 2))
        assert [hits.images for hits in rounds] == [16, 16, 32, 64, 100, 100, 100, 22]

    def test_two_evaluators_can_take_turns_on_one_network(self, bench: Workbench) -> None:
        one, other = (
            bench.evaluator(bench.dataset.search),
            bench.evaluator(bench.dataset.certification),
        )
        coarse, fine = uniform(bench, "affine", 1), uniform(bench, "codebook", 4)
        alone = list(one(coarse)), list(other(fine))
        turns = list(zip(one(coarse), other(fine), strict=True))
        assert turns == list(zip(*alone, strict=True))

    def test_an_empty_allocation_is_the_float_model(self, bench: Workbench) -> None:
        evaluator = bench.evaluator(bench.dataset.search)
        total = sum(evaluator(BitAllocation(())), Hits())
        assert (total.correct, total.lost, total.gained) == (evaluator.float_correct, 0, 0)

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_a_gpu_counts_as_the_cpu_does_but_for_ties(self, bench: Workbench) -> None:
        device = torch.device("cuda")
        on_gpu = workbench.prepare(JOB, models=MODELS, around=AROUND, device=device, batch=100)
        for quantizer in ("affine", "codebook", "fixed_point"):
            one = sum(bench.evaluator(bench.dataset.search)(uniform(bench, quantizer, 3)), Hits())
            gpu = sum(on_gpu.evaluator(on_gpu.dataset.search)(uniform(bench, quantizer, 3)), Hits())
            assert abs(one.correct - gpu.correct) <= 2


class TestTop:
    def test_a_label_among_the_five_largest_logits_is_a_hit(self, bench: Workbench) -> None:
        split = bench.dataset.search
        evaluator = LocalEvaluator(bench.network, split, options=bench.options, batch=100, top=5)
        bench.network.load({})
        ((images, labels),) = split.batches(len(split))
        with torch.inference_mode():
            ranked = bench.network(images).argsort(dim=1, descending=True)
        hits = [label in five for label, five in zip(labels, ranked[:, :5], strict=True)]
        assert evaluator.float_correct == sum(hits)
        assert evaluator.float_correct > bench.evaluator(split).float_correct


class TestSpeed:
    def test_reading_hits_costs_one_pass_per_image(self) -> None:
        passes = 0

        class Counting(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Linear(4, 3)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                y: torch.Tensor = self.layer(x)
                return y

        images, labels = torch.rand(20, 4), torch.zeros(20, dtype=torch.int64)
        network = capture(Counting(), images[:2])

        def count(*_: object) -> None:
            nonlocal passes
            passes += 1

        network.module.register_forward_hook(count)
        calibration = calibrate(network, lambda: [images], bit_widths=(2,))
        options = FittedOptions(calibration, CPU)
        evaluator = LocalEvaluator(
            network, Split(images, labels, torch.arange(20)), options=options, batch=10
        )
        passes = 0
        next(iter(evaluator(BitAllocation.uniform(network.points, QuantizerConfig("affine", 2)))))
        assert passes == 1
