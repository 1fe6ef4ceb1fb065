"""The devices of this machine as shards, where it has several and a job wants them."""

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from search.spec import METRICS
from search.spec import JobSpec
from workers import workbench
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.shards.shard import Shard
from workers.shards.shards import Shards
from workers.shards.shards import threaded
from workers.shards.wanted import wanted


@contextmanager
def opened(
    job: JobSpec, settings: WorkerSettings, *, check: Callable[[], None]
) -> Iterator[Shards | None]:
    """Yield a shard for each device that the job wants; None where it is one: that needs none."""
    found = _devices(settings.device)
    count = wanted(job, len(found))
    if count == 1:
        yield None
        return
    shards = [shard(job, settings, device=device, check=check) for device in found[:count]]
    with threaded(shards, check=check) as several:
        yield several


def shard(
    job: JobSpec, settings: WorkerSettings, *, device: torch.device, check: Callable[[], None]
) -> Shard:
    """Return a shard on the device, which has loaded what the job names.

    Raises what `workbench.opened` does.
    """
    loaded = workbench.opened(
        job,
        models=open_models(settings.model_root),
        around=surroundings(settings, check),
        device=device,
    )
    return Shard(loaded, device=device, batch=settings.batch, top=METRICS[job.metric])


def _devices(name: str) -> list[torch.device]:
    """Return what the worker may use; a device that is named is the only one."""
    if name == "auto" and torch.cuda.is_available():
        return [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    return [workbench.choose_device(name)]
