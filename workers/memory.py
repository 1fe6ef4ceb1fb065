"""Memory that runs short: once more with half the images at once, and nothing kept between jobs."""

import gc
from collections.abc import Callable
from typing import TypeVar

import structlog
import torch
from torch import Tensor

from search.quantization.shortage import is_shortage

log = structlog.get_logger()

Found = TypeVar("Found")


def halved_if_short(images: int, work: Callable[[int], Found]) -> Found:
    """Return `work(images)`; if there is too little memory for so many at once, of half of them.

    What it returns must not depend on the number. The second shortage is raised, as is the first of
    a single image.
    """
    try:
        return work(images)
    except (MemoryError, RuntimeError) as error:
        if images == 1 or not is_shortage(error):
            raise
        why = str(error).strip().partition("\n")[0]
        log.warning("out of memory; once more with half the images at once", images=images, why=why)
    # not before the error is gone, which holds what was computed so far
    release()
    return work(_half(images))


def release() -> None:
    """Let go of what is not referred to any more, on the device too."""
    # a captured network is full of cycles: left alone, it would be found some day
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Room:
    """Puts images through a network: as many at once as asked, after a shortage half as many."""

    def __init__(self, batch: int, check: Callable[[], None] = lambda: None) -> None:
        """`check` is called before each time and may raise to interrupt."""
        #: images at once, where there is memory for so many
        self.batch = batch
        self.check = check
        #: after a shortage: at most so many
        self.most: int | None = None

    def work(self, images: int, work: Callable[[int], Found]) -> Found:
        """Return `work(images)`, or of fewer; as `halved_if_short`, and remembers a shortage."""
        self.check()
        if self.most is not None:
            return work(min(images, self.most))

        def noting(at_once: int) -> Found:
            if at_once < images:
                self.most = at_once
            return work(at_once)

        return halved_if_short(images, noting)

    def put_through(self, network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Return the network's output for images of shape (n, ...)."""

        def work(at_once: int) -> Tensor:
            if at_once >= len(images):
                return network(images)
            return torch.cat([network(some) for some in torch.split(images, at_once)])

        return self.work(len(images), work)


def _half(images: int) -> int:
    return (images + 1) // 2
