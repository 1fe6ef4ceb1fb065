"""What torchvision's architectures need beyond a name and a number of classes."""

import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torchvision import models as torchvision

from workers.models.weights import State

#: heads used only in training: left out of the network, and of the file
_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
_WITH_AUXILIARY = ("googlenet", "inception_v3")
#: names that old published files of densenet have
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")
_POSITIONS = "encoder.pos_embedding"  # (1, patches + 1, width) of a vision transformer


def build(architecture: str, *, classes: int, options: Mapping[str, Any]) -> nn.Module:
    """Return the network with random weights; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        network: nn.Module = torchvision.get_model_builder(architecture)(
            weights=None, num_classes=classes, **options
        )
    return network


def as_today(architecture: str, state: State) -> State:
    """Return the state as this version of torchvision names it, without auxiliary heads."""
    if architecture in _WITH_AUXILIARY:
        return _renamed(state, {name: name for name in state if not name.startswith(_AUXILIARY)})
    if architecture.startswith("densenet"):
        return _renamed(state, {name: _OLD_DENSENET.sub(r"\1\2", name) for name in state})
    return state


def options(architecture: str, state: State) -> dict[str, Any]:
    """Return the arguments of the builder that the weights call for."""
    if architecture in _WITH_AUXILIARY:
        # published and fine-tuned weights alike expect the input as TensorFlow scales it
        return {"aux_logits": False, "init_weights": False, "transform_input": True}
    if architecture.startswith("vit_") and _POSITIONS in state:
        patch = int(architecture.rpartition("_")[2])
        patches = state[_POSITIONS].shape[1] - 1
        return {"image_size": max(math.isqrt(patches), 1) * patch}
    return {}


def _renamed(state: State, names: Mapping[str, str]) -> State:
    changed: State = OrderedDict((new, state[old]) for old, new in names.items())
    if hasattr(state, "_metadata"):
        changed._metadata = state._metadata  # type: ignore[attr-defined]  # noqa: SLF001  # as torch does
    return changed
