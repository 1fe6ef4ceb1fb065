"""program/NAME: torch.export programs, as NAME.pt2 under the model root."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import cast

import torch
from torch import Tensor
from torch import fx
from torch import nn
from torch.export import ExportedProgram

from workers.errors import UnusableProgram
from workers.errors import WeightsNotTaken
from workers.loaded import LoadedModel
from workers.models import archive
from workers.models import weights as files
from workers.models.source import Details
from workers.roots import Root

PREFIX = "program/"
SUFFIX = ".pt2"
_IMAGE_DIMENSIONS = 3  # channels, height, width


@dataclass(frozen=True, slots=True)
class Programs:
    """A `ModelSource` over the files that an operator put into the model root."""

    root: Root

    def owns(self, name: str) -> bool:
        """Tell whether the name begins with program/."""
        return name.startswith(PREFIX)

    def offers(self) -> Mapping[str, Details]:
        """Return one model a file; a damaged one is told when it is loaded."""
        return {
            PREFIX + file.removesuffix(SUFFIX): self._details(file)
            for file in self.root.files(SUFFIX)
        }

    def load(self, name: str, weights: str | None) -> LoadedModel:
        """Return the program.

        Raises WeightsNotTaken, FileNotAllowed, FileNotThere, UnsafeProgram, CorruptWeights,
        UnusableProgram.
        """
        if weights is not None:
            raise WeightsNotTaken(name)
        # read once: what was looked at is what is loaded
        data = self.root.file(name.removeprefix(PREFIX) + SUFFIX).read_bytes()
        program = _program(name, data)
        _require_evaluation(name, program)
        shape, classes = _shapes(program)
        network = program if shape is None else _of_any_batch(name, program, shape=shape)
        return LoadedModel(network=network, input_shape=shape, classes=classes)

    def _details(self, file: str) -> Details:
        path = self.root.folder / file
        # it may have gone since it was listed
        size = path.stat().st_size if path.exists() else 0
        summary = f"torch.export program, {size / 1e6:.1f} MB"
        return {"source": "program", "summary": summary, **archive.described(path)}


def _program(name: str, data: bytes) -> ExportedProgram:
    from torch.export.pt2_archive._package import load_pt2  # noqa: PLC0415  # loads the compiler

    with files.reading(name):
        archive.require_plain(data, model=name)
        # not torch.export.load: it falls back to an older format that is unpickled
        program: ExportedProgram = load_pt2(io.BytesIO(data)).exported_programs["model"]
    # Python source that checks inputs when it is run; nothing here needs it
    program._guards_code = []  # noqa: SLF001  # there is no public way
    return program


def _require_evaluation(name: str, program: ExportedProgram) -> None:
    """Raise UnusableProgram if a layer drops values at random or takes its batch's statistics."""
    for node in program.graph.nodes:
        random = node.target is torch.ops.aten.dropout.default and node.args[2]
        # without running statistics, the batch's are all that batch-norm ever has
        moving = node.target is torch.ops.aten.batch_norm.default and all(node.args[3:6])
        if random or moving:
            why = f"{node.name} is in training mode; call eval() on the network before the export"
            raise UnusableProgram(name, why)


def _of_any_batch(
    name: str, program: ExportedProgram, *, shape: tuple[int, int, int]
) -> nn.Module | ExportedProgram:
    """Return the program; as a module without its check of the batch, if that is a fixed one."""
    image = next(n for n in program.graph.nodes if n.name == program.graph_signature.user_inputs[0])
    batch = image.meta["val"].shape[0]
    if not isinstance(batch, int):
        return program
    bare = program.module(check_guards=False)
    module = fx.GraphModule(bare, bare.graph)  # has the graph, not the checks
    try:
        with torch.inference_mode():
            answers = [len(module(torch.zeros(n, *shape))) for n in (batch, batch + 1)]
    except RuntimeError:
        answers = []
    if answers != [batch, batch + 1]:
        why = f"it computes with {batch} images only; export it with a dynamic batch"
        raise UnusableProgram(name, why)
    return module


def _shapes(program: ExportedProgram) -> tuple[tuple[int, int, int] | None, int | None]:
    """Return the shape of an image and the number of logits, where they are plain numbers."""
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    signature = program.graph_signature
    images = [_numbers(values.get(str(name))) for name in signature.user_inputs]
    logits = [_numbers(values.get(str(name))) for name in signature.user_outputs]
    shape = images[0] if len(images) == 1 and len(images[0]) == _IMAGE_DIMENSIONS else None
    classes = logits[0][0] if len(logits) == 1 and len(logits[0]) == 1 else None
    return cast("tuple[int, int, int] | None", shape), classes


def _numbers(value: Any) -> tuple[int, ...]:
    """Return the shape without its batch, or nothing where a size depends on the input."""
    shape = tuple(value.shape[1:]) if isinstance(value, Tensor) else ()
    return shape if all(type(size) is int for size in shape) else ()
