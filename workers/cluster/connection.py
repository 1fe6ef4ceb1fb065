"""A Ray cluster: reached when it is there, watched while it is used, never loaded without need."""

import socket
import threading
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import structlog

from workers.settings import RaySettings
from workers.shards.errors import ClusterUnreachable

log = structlog.get_logger()

PING_SECONDS = 2.0  # between two looks whether the head answers, and for its answer
LOST_AFTER = 4  # looks in vain; Ray itself ends the process after a minute without a head
LONGEST_PAUSE = 10.0  # seconds between tries to reach a cluster that is not there
_DEFAULT_PORT = 6379


class Cluster:
    """A cluster that this process is connected to; a process has one at most."""

    def __init__(self, ray: Any, settings: RaySettings, *, address: str) -> None:
        """`address` is that of the head, HOST:PORT."""
        self.ray = ray
        self.settings = settings
        self.address = address
        #: set once the head does not answer any more
        self.lost = threading.Event()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="cluster", daemon=True).start()

    @property
    def gpus(self) -> float:
        """GPUs for each evaluator."""
        if self.settings.gpus is not None:
            return self.settings.gpus
        return 1.0 if self.ray.cluster_resources().get("GPU", 0) else 0.0

    def room(self) -> int:
        """Return how many evaluators the cluster has room for, if nobody else uses it."""
        has = self.ray.cluster_resources()
        by_cpus = int(has.get("CPU", 0) / self.settings.cpus)
        return min(by_cpus, int(has.get("GPU", 0) / self.gpus)) if self.gpus else by_cpus

    def close(self) -> None:
        """Watch it no longer; whoever shuts it down knows that it is gone."""
        self._closed.set()

    def _watch(self) -> None:
        silent = 0
        while silent < LOST_AFTER:
            silent = 0 if answers(self.address) else silent + 1
            if self._closed.wait(PING_SECONDS):
                return
        log.error("the Ray cluster does not answer any more", address=self.address)
        self.lost.set()


def connect(settings: RaySettings, *, stop: threading.Event) -> Cluster | None:
    """Return the cluster at the address, waited for until it is there; None if asked to stop.

    Raises ClusterUnreachable if that can never be.
    """
    address = settings.address or "auto"
    ray = loaded(address)
    pause = 1.0
    while not stop.is_set():
        try:
            return _connected(ray, settings, address=address)
        except ConnectionError as error:
            why = str(error).strip().partition("\n")[0]
            log.warning("waiting for the Ray cluster", address=address, why=why)
        stop.wait(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return None


def loaded(address: str) -> Any:
    """Return the module; raise ClusterUnreachable if it is not installed."""
    if find_spec("ray") is None:
        why = "the Python package 'ray' is not installed; pip install 'bitfloor[ray]'"
        raise ClusterUnreachable(address, why)
    # optional, loaded by whoever asks for it, and without types of its own
    return import_module("ray")


def join(ray: Any, address: str) -> None:
    """Connect this process; raise ConnectionError where nobody answers."""
    # Ray itself tries for a long time, and may end the process then
    if address != "auto" and not answers(address):
        raise ConnectionError(f"nobody answers at {address}")
    ray.init(address, log_to_driver=False, configure_logging=False)


def answers(address: str) -> bool:
    """Tell whether something listens at HOST:PORT, `ray://` before it or not."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    where = (host or port, int(port) if host and port.isdigit() else _DEFAULT_PORT)
    try:
        with socket.create_connection(where, timeout=PING_SECONDS):
            return True
    except OSError:
        return False


def _connected(ray: Any, settings: RaySettings, *, address: str) -> Cluster:
    join(ray, address)
    head = address
    if not address.startswith("ray://"):
        head = ray.get_runtime_context().gcs_address
    cluster = Cluster(ray, settings, address=head)
    log.info("connected to the Ray cluster", address=head, evaluators=cluster.room())
    return cluster
