"""Looks at what a worker on this machine would use: its device, cache, roots and Ray."""

import os
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import torch

from service import findings
from service.findings import Finding
from workers.cluster import connection as clusters
from workers.datasets import catalog
from workers.models.registry import open_models
from workers.settings import WorkerSettings
from workers.shards.errors import ClusterUnreachable

#: there if NVIDIA's driver is loaded, whether or not PyTorch can use it
DRIVER = Path("/proc/driver/nvidia/version")


def look(settings: WorkerSettings, *, ray: str | None) -> Iterator[Finding]:
    """Yield what is found, one thing after another."""
    yield device(settings.device)
    yield cache(settings.cache_dir)
    yield findings.disk("disk of the cache", settings.cache_dir)
    yield from roots(settings)
    if ray is not None:
        yield cluster(ray)


def device(name: str) -> Finding:
    """Multiply two matrices where a job would be evaluated."""
    wanted = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        chosen = torch.device(wanted)
        ones = torch.ones(64, 64, device=chosen)
        right = bool((ones @ ones == ones.shape[0]).all())
    # what a driver raises is not one class
    except (RuntimeError, AssertionError) as error:
        why = str(error).strip().splitlines()[0]
        remedy = "correct BITFLOOR_DEVICE, or the driver: nvidia-smi tells what it sees"
        return findings.failure("device", f"{wanted}: {why}", remedy=remedy)
    facts = f"{_described(chosen)}, PyTorch {torch.__version__}"
    if not right:
        return findings.failure("device", f"{facts}: 64 ones do not add up", remedy="replace it")
    if chosen.type == "cpu" and DRIVER.exists():
        remedy = "install the PyTorch that was built for the installed driver's CUDA version"
        return findings.warning("device", f"{facts}; there is a GPU, unused", remedy=remedy)
    return findings.ok("device", facts)


def _described(device: torch.device) -> str:
    if device.type != "cuda":
        return f"{device}, {len(os.sched_getaffinity(0))} cores"
    free, total = torch.cuda.mem_get_info(device)
    name = torch.cuda.get_device_name(device)
    return f"{name}, {free / findings.GIB:.1f} GiB of {total / findings.GIB:.1f} GiB free"


def cache(folder: Path) -> Finding:
    """Write a file where decoded images would be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"bitfloor")
        size = sum(path.stat().st_size for path in folder.glob("*.npy"))
    except OSError as error:
        why = error.strerror or str(error)
        remedy = "name another with BITFLOOR_CACHE_DIR, or let this user write there"
        return findings.failure("cache", f"{folder}: {why}", remedy=remedy)
    return findings.ok("cache", f"{folder}, {size / findings.GIB:.2f} GiB of images")


def roots(settings: WorkerSettings) -> Iterator[Finding]:
    """Look whether the roots can be read, and what they offer."""
    offered: dict[str, Callable[[], str]] = {
        "model_root": lambda: f"{len(open_models(settings.model_root).offers())} models",
        "data_root": lambda: f"{len(catalog.offers(catalog.surroundings(settings)))} datasets",
    }
    for field, count in offered.items():
        folder, what = getattr(settings, field), field.replace("_", " ")
        if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
            yield findings.ok(what, f"{folder}, {count()} can be named")
        elif field in settings.model_fields_set or folder.exists():
            remedy = (
                f"make it a folder that this user may read, or correct BITFLOOR_{field.upper()}"
            )
            yield findings.failure(what, f"{folder} cannot be read", remedy=remedy)
        else:
            yield findings.ok(what, f"{folder} is not there, {count()} can be named without it")


def cluster(address: str) -> Finding:
    """Ask a Ray cluster what it has."""
    try:
        ray = clusters.loaded(address)
    except ClusterUnreachable as error:
        return findings.failure("ray", str(error), remedy="pip install 'bitfloor[ray]'")
    try:
        clusters.join(ray, address)
        nodes = sum(bool(node["Alive"]) for node in ray.nodes())
        has = ray.cluster_resources()
        ray.shutdown()
    # it raises what its parts raise
    except Exception as error:  # noqa: BLE001  # told as a finding
        why = str(error).strip().splitlines()[0]
        remedy = "start it with `ray start --head`, or correct --ray"
        return findings.failure("ray", f"{address}: {why}", remedy=remedy)
    facts = f"{address}, {nodes} nodes, {has.get('GPU', 0):g} GPUs, {has.get('CPU', 0):g} CPUs"
    return findings.ok("ray", facts)
