"""What a worker's machine is found to have."""

from pathlib import Path

import pytest
import torch

from service.findings import Finding
from service.findings import Verdict
from workers import checkup
from workers.settings import WorkerSettings


def roots(settings: WorkerSettings) -> dict[str, Finding]:
    return {finding.what: finding for finding in checkup.roots(settings)}


class TestDevice:
    def test_the_cpu_does_sums(self) -> None:
        found = checkup.device("cpu")
        assert "cores" in found.facts
        assert torch.__version__ in found.facts

    @pytest.mark.parametrize("name", ["tpu", "cuda:99"])
    def test_one_that_is_not_there_is_a_failure(self, name: str) -> None:
        found = checkup.device(name)
        assert found.verdict is Verdict.FAILURE
        assert name in found.facts

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_a_gpu_tells_its_memory(self) -> None:
        assert "GiB free" in checkup.device("cuda").facts


class TestCache:
    def test_its_images_are_weighed(self, tmp_path: Path) -> None:
        (tmp_path / "a.npy").write_bytes(bytes(2**30 // 50))
        found = checkup.cache(tmp_path)
        assert (found.verdict, found.facts) == (Verdict.OK, f"{tmp_path}, 0.02 GiB of images")
        assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]

    def test_a_file_in_its_place_is_a_failure(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("")
        assert checkup.cache(tmp_path / "cache").verdict is Verdict.FAILURE


class TestRoots:
    def test_what_can_be_named_is_counted(self, tmp_path: Path) -> None:
        (tmp_path / "images" / "a").mkdir(parents=True)
        found = roots(WorkerSettings(model_root=tmp_path, data_root=tmp_path))
        assert {finding.verdict for finding in found.values()} == {Verdict.OK}
        assert "models can be named" in found["model root"].facts

    def test_one_that_was_asked_for_must_be_there(self, tmp_path: Path) -> None:
        found = roots(WorkerSettings(model_root=tmp_path / "none", data_root=tmp_path))
        assert found["model root"].verdict is Verdict.FAILURE
        assert "BITFLOOR_MODEL_ROOT" in found["model root"].remedy

    def test_the_usual_ones_need_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        found = roots(WorkerSettings())
        assert {finding.verdict for finding in found.values()} == {Verdict.OK}
        assert "is not there" in found["data root"].facts


class TestCluster:
    def test_one_that_does_not_answer_is_a_failure(self) -> None:
        found = checkup.cluster("127.0.0.1:1")
        assert found.verdict is Verdict.FAILURE
        assert found.facts == "127.0.0.1:1: nobody answers at 127.0.0.1:1"
        assert "ray start" in found.remedy
