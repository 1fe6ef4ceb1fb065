"""Weights are read without unpickling, in float32, whatever a training script wrapped them in."""

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor
from torch import nn

from workers.errors import CorruptWeights
from workers.models import weights
from workers.roots import Root


def network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 5))


def state() -> dict[str, Tensor]:
    return dict(network().state_dict())


class Trap:
    """Unpickling it makes a file: the sign that somebody's code was run."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.sign),)


class TestRead:
    @pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt"])
    def test_every_kind_of_file_gives_the_tensors(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        save: Callable[[dict[str, Tensor], Path], None] = (
            safetensors.torch.save_file if path.suffix == ".safetensors" else torch.save
        )
        save(state(), path)
        found = weights.read(path, model="m")
        assert found.keys() == state().keys()
        assert all(torch.equal(found[key], value) for key, value in state().items())

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_other_precisions_become_float32_and_integers_stay(
        self, tmp_path: Path, dtype: torch.dtype
    ) -> None:
        safetensors.torch.save_file(
            {"w": torch.ones(2, dtype=dtype), "n": torch.tensor(7)}, tmp_path / "w.safetensors"
        )
        found = weights.read(tmp_path / "w.safetensors", model="m")
        assert (found["w"].dtype, found["n"].dtype) == (torch.float32, torch.int64)

    @pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
    def test_a_checkpoint_is_unwrapped(self, tmp_path: Path, wrapper: str) -> None:
        torch.save({"epoch": 3, wrapper: state(), "optimizer": {}}, tmp_path / "w.pth")
        assert weights.read(tmp_path / "w.pth", model="m").keys() == state().keys()

    def test_the_prefix_of_data_parallel_training_is_dropped(self, tmp_path: Path) -> None:
        torch.save(nn.DataParallel(network()).state_dict(), tmp_path / "w.pth")
        found = weights.read(tmp_path / "w.pth", model="m")
        weights.fit(network(), found, model="m")

    def test_nothing_is_unpickled(self, tmp_path: Path) -> None:
        torch.save({"w": torch.ones(1), "trap": Trap(tmp_path / "sign")}, tmp_path / "w.pth")
        with pytest.raises(CorruptWeights):
            weights.read(tmp_path / "w.pth", model="m")
        assert not (tmp_path / "sign").exists()

    def test_a_whole_pickled_module_is_refused(self, tmp_path: Path) -> None:
        torch.save(network(), tmp_path / "w.pth")
        with pytest.raises(CorruptWeights):
            weights.read(tmp_path / "w.pth", model="m")

    @pytest.mark.parametrize("content", [[1, 2], {}, {"w": 3}, torch.ones(2)])
    def test_what_is_no_state_dict_is_told(self, tmp_path: Path, content: object) -> None:
        torch.save(content, tmp_path / "w.pth")
        with pytest.raises(CorruptWeights, match=r"no state_dict|no tensor"):
            weights.read(tmp_path / "w.pth", model="m")

    @pytest.mark.parametrize("suffix", weights.SUFFIXES)
    @pytest.mark.parametrize("kept", [0, 1, 40, 0.5, 0.9])
    def test_a_file_cut_short_is_corrupt(self, tmp_path: Path, *, suffix: str, kept: float) -> None:
        path = tmp_path / f"w{suffix}"
        if suffix == ".safetensors":
            safetensors.torch.save_file(state(), path)
        else:
            torch.save(state(), path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
        with pytest.raises(CorruptWeights, match=r"weights of m cannot be loaded: .+; restore"):
            weights.read(path, model="m")

    @pytest.mark.parametrize("suffix", weights.SUFFIXES)
    def test_garbage_is_corrupt(self, tmp_path: Path, suffix: str) -> None:
        (tmp_path / f"w{suffix}").write_bytes(b"garbage" * 100)
        with pytest.raises(CorruptWeights):
            weights.read(tmp_path / f"w{suffix}", model="m")


class TestFit:
    def test_the_network_has_the_weights_and_is_in_eval_mode(self) -> None:
        other = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 5))
        fitted = weights.fit(other, OrderedDict(state()), model="m")
        assert not fitted.training
        assert torch.equal(other.state_dict()["3.weight"], state()["3.weight"])

    def test_counters_of_batch_norm_may_be_missing(self) -> None:
        less = OrderedDict((k, v) for k, v in state().items() if "num_batches" not in k)
        weights.fit(network(), less, model="m")

    @pytest.mark.parametrize(
        "change, words",
        [
            (lambda s: s.pop("3.weight"), "lacks 3.weight,"),
            (lambda s: s.clear(), r"lacks 0.weight and \d more"),
            (lambda s: s.update(new=torch.ones(1)), "the network has no new"),
            (lambda s: s.update({"3.bias": torch.ones(9)}), r"3.bias: .*\[9\]"),
        ],
        ids=["missing", "empty", "left over", "shape"],
    )
    def test_what_does_not_fit_is_named(
        self, change: Callable[[dict[str, Tensor]], object], words: str
    ) -> None:
        changed = OrderedDict(state())
        change(changed)
        with pytest.raises(CorruptWeights, match=words):
            weights.fit(network(), changed, model="m")


class TestClassesIn:
    def test_a_head_of_another_size_is_read_off(self) -> None:
        fine_tuned = OrderedDict(state())
        fine_tuned["3.weight"], fine_tuned["3.bias"] = torch.ones(17, 2), torch.ones(17)
        assert weights.classes_in(fine_tuned, network(), usual=5) == 17

    def test_the_usual_size_is_the_answer_where_nothing_differs(self) -> None:
        assert weights.classes_in(OrderedDict(state()), network(), usual=5) == 5

    def test_another_network_altogether_is_left_to_fit(self) -> None:
        other = OrderedDict({"3.weight": torch.ones(7, 2), "3.bias": torch.ones(8)})
        assert weights.classes_in(other, network(), usual=5) == 5


class TestFilesByModel:
    def test_a_file_goes_to_the_longest_name_it_begins_with(self, root: Root) -> None:
        for file in ("vgg11.pt", "vgg11-best.pth", "vgg11_bn.safetensors", "vgg110.pt", "my.pt"):
            (root.folder / file).touch()
        assert weights.files_by_model(root, ["vgg11", "vgg11_bn"]) == {
            "vgg11": ("vgg11-best.pth", "vgg11.pt"),
            "vgg11_bn": ("vgg11_bn.safetensors",),
        }
