"""How many bytes of a device's memory this process's tensors hold."""

import gc

import torch


def held(device: torch.device) -> int:
    """Return what torch allocated on a GPU, or the bytes of all live tensors in main memory.

    Those that were there when the process was forked are left out.
    """
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    storages = {}
    for one in gc.get_objects():
        # not what only looks like a tensor, and has no memory
        if type(one) in (torch.Tensor, torch.nn.Parameter) and one.device.type == device.type:
            storage = one.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())
