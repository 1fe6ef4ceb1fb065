"""Whether a network and a dataset belong together, told before anything is measured."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.export import ExportedProgram

from search.errors import InvalidSpec
from search.errors import UnsupportedNetwork
from search.quantization.shortage import is_shortage
from search.spec import METRICS
from search.spec import JobSpec
from workers.data import Dataset
from workers.data import Split
from workers.errors import MismatchedData
from workers.loaded import runnable


@torch.inference_mode()
def require_fit(job: JobSpec, network: nn.Module | ExportedProgram, *, dataset: Dataset) -> None:
    """Raise unless the network takes the images, knows every label and returns logits.

    Raises MismatchedData, UnsupportedNetwork for what it returns, and InvalidSpec for a metric by
    which every answer is right.
    """
    _require_normalizable(job, dataset.calibration)
    images, _ = next(dataset.calibration.batches(2))
    shape = tuple(images.shape[1:])
    try:
        returned: object = runnable(network)(images)
    # a program checks its input by assertions and guards of its own
    except (RuntimeError, ValueError, AssertionError) as error:
        if is_shortage(error):
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        why = f"images of shape {shape}: {lines[0]}"
        raise MismatchedData(job.model, job.dataset, why=why) from error
    if not (isinstance(returned, torch.Tensor) and returned.dim() == len(("images", "classes"))):
        why = f"it returns {_described(returned)}; logits of shape (images, classes) are needed"
        raise UnsupportedNetwork(job.model, why)
    _require_classes(job, returned.shape[1], dataset=dataset)


def _require_normalizable(job: JobSpec, split: Split) -> None:
    channels, given = split.images.shape[1], len(split.preprocessing.mean)
    if given not in (0, channels):
        why = f"images have {channels} channels, mean and std of the preprocessing have {given}"
        raise MismatchedData(job.model, job.dataset, why=why)


def _require_classes(job: JobSpec, classes: int, *, dataset: Dataset) -> None:
    largest = max(int(split.labels[split.index].max()) for split in dataset)
    if classes <= largest:
        why = f"labels go up to {largest}, the model has {classes} classes"
        raise MismatchedData(job.model, job.dataset, why=why)
    if classes <= METRICS[job.metric]:
        why = f"{job.metric} of {classes} classes is always right; use top1"
        raise InvalidSpec("metric", why)


def _described(returned: object) -> str:
    if isinstance(returned, torch.Tensor):
        return f"a tensor of shape {tuple(returned.shape)}"
    kind = type(returned).__name__
    if isinstance(returned, dict):
        return f"a {kind} of {', '.join(map(repr, returned))}"
    if isinstance(returned, Sequence):
        return f"a {kind} of {', '.join(type(part).__name__ for part in returned)}"
    return f"a {kind}"
