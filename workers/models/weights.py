"""Weights files: read without unpickling anything, and put into a network of their shape."""

from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor
from torch import nn

from workers.errors import CorruptWeights
from workers.errors import WorkerError
from workers.roots import Root

SUFFIXES = (".safetensors", ".pth", ".pt")
#: how training scripts wrap a state_dict
_WRAPPERS = ("state_dict", "model_state_dict", "model")
#: what nn.DataParallel puts before every name
_PARALLEL = "module."
#: how a file begins that is an archive; older ones are streams, no longer than they are
_ARCHIVE = b"PK\x03\x04"
#: times that the tensors of a file may be larger than what it stores; tied ones are twice as large
MOST_REPEATED = 16
_LONGEST = 200  # characters of another library's sentence

#: tensors by name, floating point ones in float32
State = OrderedDict[str, Tensor]


def read(path: Path, *, model: str) -> State:
    """Return the tensors of a .safetensors file or of a state_dict that torch.save wrote.

    Raises CorruptWeights where the file is damaged, or holds more than tensors and plain values.
    """
    with reading(model):
        if path.suffix == ".safetensors":
            return state_of(safetensors.torch.load_file(path), model=model)
        _require_stored(path, model=model)
        return state_of(torch.load(path, map_location="cpu", weights_only=True), model=model)


@contextmanager
def reading(model: str) -> Iterator[None]:
    """Raise CorruptWeights for what goes wrong inside: readers of damaged files raise anything."""
    try:
        yield
    except (WorkerError, MemoryError):
        raise
    except Exception as error:
        raise CorruptWeights(model, first_line(error)) from error


def state_of(found: object, *, model: str) -> State:
    """Return the state_dict that was found, alone or in a checkpoint, in float32.

    Raises CorruptWeights where there is none.
    """
    for wrapper in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not found:
        raise CorruptWeights(model, "the file holds no state_dict")
    strangers = [name for name, value in found.items() if not isinstance(value, Tensor)]
    if strangers:
        raise CorruptWeights(model, f"{strangers[0]} in the file is no tensor")
    _require_held(found.values(), model=model)
    prefix = _PARALLEL if all(str(name).startswith(_PARALLEL) for name in found) else ""
    state: State = OrderedDict(
        (str(name).removeprefix(prefix), value.float() if value.is_floating_point() else value)
        for name, value in found.items()
    )
    # modules read from it how the file's version named its tensors
    if not prefix and hasattr(found, "_metadata"):
        state._metadata = found._metadata  # type: ignore[attr-defined]  # noqa: SLF001  # as torch does
    return state


def require_stored(records: Any, size: int, *, model: str) -> None:
    """Raise CorruptWeights if what torch's reader of archives finds is larger than the file.

    torch stores its records as they are: such a file is compressed, or counts bytes twice.
    """
    told = sum(records.get_record_size(name) for name in records.get_all_records())
    if told > size:
        raise CorruptWeights(model, f"its records would be {told:,} bytes, the file has {size:,}")


def _require_stored(path: Path, *, model: str) -> None:
    with path.open("rb") as file:
        archived = file.read(len(_ARCHIVE)) == _ARCHIVE
    if archived:
        # the loader's own reader: two readers of zip files may see two different archives
        require_stored(torch._C.PyTorchFileReader(str(path)), path.stat().st_size, model=model)  # noqa: SLF001  # there is no public way


def _require_held(tensors: Iterable[Tensor], *, model: str) -> None:
    """Raise CorruptWeights for views that repeat a few bytes as if they were very many."""
    held: dict[int, int] = {}
    told = 0
    for tensor in tensors:
        storage = tensor.untyped_storage()
        held[storage.data_ptr()] = storage.nbytes()
        told += tensor.numel() * tensor.element_size()
    if told > MOST_REPEATED * sum(held.values()):
        raise CorruptWeights(model, f"its tensors repeat {sum(held.values()):,} bytes too often")


def fit(network: nn.Module, state: State, *, model: str) -> nn.Module:
    """Load the state into the network, in-place, and return it in eval mode.

    Counters of batch-norm may be missing, since evaluation reads none. Raises CorruptWeights when
    anything else is missing, left over or of another shape.
    """
    if not hasattr(state, "_metadata"):
        # safetensors keeps none; some modules refuse a state without their version
        state._metadata = getattr(network.state_dict(), "_metadata", None)  # type: ignore[attr-defined]  # noqa: SLF001  # as torch does
    try:
        missing, left_over = network.load_state_dict(state, strict=False)
    except (RuntimeError, ValueError) as error:
        # torch's first line says nothing, its second what does not fit
        lines = [line.strip() for line in str(error).splitlines()]
        raise CorruptWeights(model, " ".join(lines[:2])[: 2 * _LONGEST]) from error
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing:
        raise CorruptWeights(model, f"the file lacks {_some(missing)}, of another network perhaps")
    if left_over:
        raise CorruptWeights(model, f"the network has no {_some(left_over)} as the file does")
    return network.eval()


def classes_in(state: State, network: nn.Module, *, usual: int) -> int:
    """Return how many classes the file's head has, the network being built for `usual` ones."""
    sizes = {
        state[name].shape[0]
        for name, tensor in network.state_dict().items()
        if name in state
        and tensor.shape[:1] == (usual,)
        and state[name].shape[1:] == tensor.shape[1:]
        and state[name].shape != tensor.shape
    }
    return sizes.pop() if len(sizes) == 1 else usual


def files_by_model(root: Root, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return model -> files right in the root that begin with its name and no longer one's."""
    found: dict[str, tuple[str, ...]] = {}
    known = set(names)
    for file in root.files(*SUFFIXES):
        # the longest beginning that is a name and ends where a word does
        ends = [i for i, letter in enumerate(file) if not letter.isalnum()]
        name = next((file[:end] for end in reversed(ends) if file[:end] in known), None)
        if name is not None:
            found[name] = (*found.get(name, ()), file)
    return found


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def first_line(error: Exception) -> str:
    """Return what another library says, on one line of a bearable length."""
    lines = str(error).strip().splitlines()
    return lines[0][:_LONGEST] if lines else type(error).__name__
