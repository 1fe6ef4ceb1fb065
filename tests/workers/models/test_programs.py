"""Programs load from the model root, and only such as run no code of their own while they load."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch import nn
from torch.export.pt2_archive import PT2ArchiveWriter

from search.quantization.capture import capture
from tests.contracts.model_source import ModelSourceContract
from workers.errors import CorruptWeights
from workers.errors import FileNotAllowed
from workers.errors import FileNotThere
from workers.errors import UnsafeProgram
from workers.errors import UnusableProgram
from workers.loaded import runnable
from workers.models import archive
from workers.models.programs import Programs
from workers.models.source import ModelSource
from workers.roots import Root

Records = dict[str, bytes]


class Small(nn.Module):
    """A classifier of 3x6x6 images into four classes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(64, 4)
        self.register_buffer("shift", torch.ones(4), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.head(self.body(images)) + self.shift
        return logits


class Stubborn(Small):
    """The same, with its batch written into the graph."""

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.head(self.body(images).reshape(images.shape[0], -1))
        return logits


def exported(path: Path, *, dynamic: bool = True, network: nn.Module | None = None) -> Path:
    batch = ({0: torch.export.Dim("batch", min=1)},) if dynamic else None
    made = network or Small().eval()
    program = torch.export.export(made, (torch.rand(2, 3, 6, 6),), dynamic_shapes=batch)
    torch.export.save(program, path)
    return path


def changed(path: Path, change: Callable[[Records], object]) -> None:
    """Write the archive again with other records, aligned as the loader wants them."""
    with zipfile.ZipFile(path) as old:
        records = {name.partition("/")[2]: old.read(name) for name in old.namelist()}
    change(records)
    with PT2ArchiveWriter(str(path)) as writer:
        for name, content in records.items():
            if not name.startswith(".data/") and name != "byteorder":
                writer.write_bytes(name, content)


def in_json(record: str, change: Callable[[Any], object]) -> Callable[[Records], None]:
    def apply(records: Records) -> None:
        document = json.loads(records[record])
        change(document)
        records[record] = json.dumps(document).encode()

    return apply


class Trap:
    """Unpickling it makes a folder: the sign that somebody's code was run."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.sign),)


def pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


WEIGHTS = "data/weights/model_weights_config.json"
CONSTANTS = "data/constants/model_constants_config.json"
MODEL = "models/model.json"


class TestPrograms(ModelSourceContract):
    @pytest.fixture
    def source(self, root: Root) -> ModelSource:
        return Programs(root)

    @pytest.fixture
    def loadable(self, source: ModelSource, root: Root) -> tuple[str, str | None]:
        exported(root.folder / "small.pt2")
        return "program/small", None

    def test_the_files_of_the_root_are_offered(
        self, source: ModelSource, loadable: tuple[str, None], root: Root
    ) -> None:
        (root.folder / "broken.pt2").write_bytes(b"")
        (root.folder / "other.pt").write_bytes(b"")
        offers = source.offers()
        assert {*offers} == {"program/small", "program/broken"}
        small, broken = offers["program/small"], offers["program/broken"]
        assert (small["input_shape"], small["classes"]) == ([3, 6, 6], 4)
        assert "classes" not in broken

    def test_it_says_its_shape_and_classes_and_computes_as_before(
        self, source: ModelSource, loadable: tuple[str, None]
    ) -> None:
        loaded = source.load(*loadable)
        assert (loaded.input_shape, loaded.classes) == ((3, 6, 6), 4)
        images = torch.rand(5, 3, 6, 6)
        with torch.inference_mode():
            torch.testing.assert_close(
                runnable(loaded.network)(images), Small().eval()(images), rtol=1e-5, atol=1e-6
            )

    def test_a_fixed_batch_is_freed_where_nothing_depends_on_it(
        self, source: ModelSource, root: Root
    ) -> None:
        exported(root.folder / "fixed.pt2", dynamic=False)
        loaded = source.load("program/fixed", None)
        assert (loaded.input_shape, loaded.classes) == ((3, 6, 6), 4)
        images = torch.rand(5, 3, 6, 6)
        network = capture(loaded.network, images)
        assert len(network.points) == 2
        torch.testing.assert_close(network(images), Small().eval()(images), rtol=1e-4, atol=1e-5)

    def test_a_batch_in_the_graph_is_told(self, source: ModelSource, root: Root) -> None:
        exported(root.folder / "fixed.pt2", dynamic=False, network=Stubborn().eval())
        with pytest.raises(UnusableProgram, match="with 2 images only; export it with a dynamic"):
            source.load("program/fixed", None)

    @pytest.mark.parametrize("layer", [nn.BatchNorm2d(3), nn.Dropout()], ids=["norm", "dropout"])
    def test_a_program_in_training_mode_is_told(
        self, source: ModelSource, root: Root, *, layer: nn.Module
    ) -> None:
        exported(root.folder / "t.pt2", network=nn.Sequential(layer, Small().eval()).train())
        with pytest.raises(UnusableProgram, match="call eval"):
            source.load("program/t", None)

    @pytest.mark.parametrize("name", ["program/../secret", "program//etc/x", "program/a\0"])
    def test_a_name_that_leads_out_is_refused(self, source: ModelSource, name: str) -> None:
        with pytest.raises(FileNotAllowed):
            source.load(name, None)

    def test_a_program_that_is_not_there_is_told(self, source: ModelSource) -> None:
        with pytest.raises(FileNotThere, match=r"no 'mine\.pt2'"):
            source.load("program/mine", None)

    @pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
    def test_a_file_cut_short_is_corrupt(
        self, source: ModelSource, loadable: tuple[str, None], *, root: Root, kept: float
    ) -> None:
        path = root.folder / "small.pt2"
        whole = path.read_bytes()
        path.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
        with pytest.raises(CorruptWeights, match="weights of program/small cannot be loaded"):
            source.load(*loadable)

    def test_an_archive_of_something_else_is_corrupt(self, source: ModelSource, root: Root) -> None:
        with zipfile.ZipFile(root.folder / "zip.pt2", "w") as other:
            other.writestr("version", "8.1")
        torch.save(Small().state_dict(), root.folder / "state.pt2")
        for name in ("program/zip", "program/state"):
            with pytest.raises(CorruptWeights):
                source.load(name, None)


class TestUnsafe:
    @pytest.fixture
    def path(self, root: Root) -> Path:
        return exported(root.folder / "small.pt2")

    @pytest.fixture
    def refused(self, root: Root, path: Path, tmp_path: Path) -> Callable[..., None]:
        """Return a function that changes the archive and checks that it is not loaded."""

        def check(change: Callable[[Records], object], words: str) -> None:
            changed(path, change)
            with pytest.raises(UnsafeProgram, match=words):
                Programs(root).load("program/small", None)
            assert not (tmp_path / "sign").exists()

        return check

    def test_the_same_records_written_again_are_loaded(self, root: Root, path: Path) -> None:
        changed(path, lambda _: None)
        assert Programs(root).load("program/small", None).classes == 4

    @pytest.mark.parametrize("config", [WEIGHTS, CONSTANTS])
    def test_a_pickled_tensor(
        self, refused: Callable[..., None], tmp_path: Path, *, config: str
    ) -> None:
        def change(records: Records) -> None:
            document = json.loads(records[config])
            first = next(iter(document["config"].values()))
            first["use_pickle"] = True
            records[config] = json.dumps(document).encode()
            records[f"{config.rpartition('/')[0]}/{first['path_name']}"] = pickled(
                Trap(tmp_path / "sign")
            )

        refused(change, "a pickle for")

    def test_an_object_among_the_constants(
        self, refused: Callable[..., None], tmp_path: Path
    ) -> None:
        def change(records: Records) -> None:
            records["data/constants/opaque_obj_0"] = pickled(Trap(tmp_path / "sign"))

        refused(change, "record 'data/constants/opaque_obj_0'")

    def test_sample_inputs_that_must_be_unpickled(
        self, refused: Callable[..., None], tmp_path: Path
    ) -> None:
        samples = pickled(((Trap(tmp_path / "sign"),), {}))
        refused(lambda r: r.update({"data/sample_inputs/model.pt": samples}), "sample inputs")

    @pytest.mark.parametrize(
        "record", ["data/weights/model.pt", "data/aotinductor/model/x.so", "models/other.json"]
    )
    def test_a_record_that_a_plain_program_has_not(
        self, refused: Callable[..., None], record: str
    ) -> None:
        refused(lambda records: records.update({record: b"{}"}), record)

    def test_a_size_that_is_code(self, refused: Callable[..., None], tmp_path: Path) -> None:
        code = f"__import__('os').mkdir('{tmp_path}/sign')"

        def change(document: Any) -> None:
            values = document["graph_module"]["graph"]["tensor_values"]
            symbolic = next(v for v in values.values() if v["sizes"] and "as_expr" in v["sizes"][0])
            symbolic["sizes"][0]["as_expr"]["expr_str"] = code

        refused(in_json(MODEL, change), "the size")

    def test_an_operator_that_is_none(self, refused: Callable[..., None]) -> None:
        def change(document: Any) -> None:
            document["graph_module"]["graph"]["nodes"][0]["target"] = "torch.hub.load"

        refused(in_json(MODEL, change), "the operator 'torch.hub.load'")

    def test_guards_are_dropped(self, root: Root, path: Path, tmp_path: Path) -> None:
        code = f"__import__('os').mkdir('{tmp_path}/sign')"
        changed(path, in_json(MODEL, lambda document: document.update(guards_code=[code])))
        loaded = Programs(root).load("program/small", None)
        assert not isinstance(loaded.network, nn.Module)
        loaded.network.module()
        assert not (tmp_path / "sign").exists()


class TestIsArithmetic:
    @pytest.mark.parametrize(
        "text",
        [
            "Symbol('s31', positive=True, integer=True)",
            "s0",
            "Add(Mul(Integer(2), Symbol('s7', integer=True)), Integer(-1))",
            "2*s0 - 1",
            "FloorDiv(s0 + 3, 4)",
            "Max(1, s0)",
        ],
    )
    def test_sizes_as_torch_writes_them_are(self, text: str) -> None:
        assert archive.is_arithmetic(text)

    @pytest.mark.parametrize(
        "text",
        [
            "__import__('os')",
            "open('x')",
            "eval('x')",
            "s0.__class__",
            "(1).real",
            "Symbol('s0').name",
            "lambda: 0",
            "[x for x in (1,)]",
            "exec('''s0''')",
            'Symbol("s0")',
            "s0; s1",
            "ｅｖａｌ('s0')",
        ],
    )
    def test_anything_else_is_not(self, text: str) -> None:
        assert not archive.is_arithmetic(text)
