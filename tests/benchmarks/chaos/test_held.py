"""The memory that tensors hold: each storage once, and none once nobody refers to it."""

import gc
from collections.abc import Iterator

import pytest
import torch

from benchmarks.chaos.held import held

CPU = torch.device("cpu")
MIB = 2**20


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Let nothing that other tests left be found and freed meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class TestHeld:
    def test_grows_and_shrinks_by_the_bytes_of_a_tensor(self) -> None:
        before = held(CPU)
        tensor = torch.zeros(MIB, dtype=torch.uint8)
        assert held(CPU) - before == MIB
        views = [tensor[:10], tensor.view(2, -1)]
        assert held(CPU) - before == MIB
        del tensor, views
        assert held(CPU) == before

    def test_counts_parameters_and_not_what_has_no_memory(self) -> None:
        before = held(CPU)
        layer = torch.nn.Linear(256, 256, bias=False)
        nowhere = torch.zeros(MIB, device="meta")
        assert held(CPU) - before == 256 * 256 * 4
        assert nowhere.device.type == "meta"
        del layer
