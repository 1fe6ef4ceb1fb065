"""What a search depends on: names do not count, what is behind them does."""

from dataclasses import replace

import pytest
import torch

from search.quantization.capture import CapturedNetwork
from search.spec import JobSpec
from tests.workers.test_workbench import AROUND
from tests.workers.test_workbench import CPU
from tests.workers.test_workbench import MODELS
from workers import workbench
from workers.content import ground
from workers.content import key
from workers.data import Dataset

JOB = JobSpec(model="digits-vgg", dataset="digits", tolerance=0.02)


@pytest.fixture(scope="module")
def loaded() -> tuple[CapturedNetwork, Dataset]:
    return workbench.opened(JOB, models=MODELS, around=AROUND, device=CPU)


def digest(loaded: tuple[CapturedNetwork, Dataset], job: JobSpec = JOB) -> str:
    return key(job, ground(job, loaded[0], dataset=loaded[1], device=CPU))


class TestKey:
    def test_loaded_again_it_is_the_same(self, loaded: tuple[CapturedNetwork, Dataset]) -> None:
        again = workbench.opened(JOB, models=MODELS, around=AROUND, device=CPU)
        assert digest(again) == digest(loaded)
        assert digest(loaded, replace(JOB, trial_timeout=7.0)) == digest(loaded)

    @pytest.mark.parametrize(
        "change",
        [
            {"tolerance": 0.03},
            {"seed": 1},
            {"budget": 7},
            {"bit_widths": (4, 8)},
            {"goal": "front"},
        ],
        ids=str,
    )
    def test_another_request_is_another(
        self, loaded: tuple[CapturedNetwork, Dataset], change: dict[str, object]
    ) -> None:
        assert digest(loaded, replace(JOB, **change)) != digest(loaded)  # type: ignore[arg-type]  # fields by name

    def test_one_weight_is_enough(self, loaded: tuple[CapturedNetwork, Dataset]) -> None:
        before = digest(loaded)
        weight = next(loaded[0].module.parameters())
        kept = weight.detach().clone()
        with torch.no_grad():
            weight.view(-1)[0] += 1e-3
        changed = digest(loaded)
        with torch.no_grad():
            weight.copy_(kept)
        assert changed != before == digest(loaded)

    @pytest.mark.parametrize("name", ["calibration", "search", "certification"])
    def test_one_pixel_or_one_label_is_enough(
        self, loaded: tuple[CapturedNetwork, Dataset], name: str
    ) -> None:
        network, dataset = loaded
        split = getattr(dataset, name)
        images, labels = split.images.clone(), split.labels.clone()
        images[split.index[-1]] += 1
        labels[split.index[-1]] = (labels[split.index[-1]] + 1) % 10
        seen = {
            digest((network, replace(dataset, **{name: replace(split, **changed)})))
            for changed in ({}, {"images": images}, {"labels": labels})
        }
        assert len(seen) == 3
