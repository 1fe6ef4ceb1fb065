"""A sensitivity is measured once for the same network, images and options, and kept whole."""

import errno
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

from search.allocation import QuantizerConfig
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.histogram import Histogram
from search.quantization.quantizer import Calibration
from search.rules import Menu
from search.rules import PointRule
from search.sensitivity import Sensitivity
from search.spec import SearchSpec
from tests.search.quantization.test_capture import Small
from tests.search.quantization.test_capture import randomized
from tests.workers.test_workbench import AROUND
from tests.workers.test_workbench import CPU
from tests.workers.test_workbench import MODELS
from tests.workers.test_workbench import job
from workers import resolution
from workers import sensitivity
from workers import workbench
from workers.data import Split

OPTIONS = (QuantizerConfig("affine", 4), QuantizerConfig("codebook", 2))
MENUS: dict[str, Menu] = {"body.0": OPTIONS, "head.1": OPTIONS}
MADE = Sensitivity(
    energies={
        "a": {QuantizerConfig("affine", 4): 0.1 + 0.2, QuantizerConfig("codebook", 2): 0.0},
        "b": {QuantizerConfig("affine", 4): 1e-17},
    },
    margins=np.array([0.1, -3.0, 1e-9]),
    images=9,
)


class Counted:
    """Measures, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Sensitivity:
        self.times += 1
        return MADE


def kept(folder: Path, make: Callable[[], Sensitivity], name: str = "name") -> Sensitivity:
    return sensitivity.kept(folder / "sensitivities", name, make=make)


def kept_in_ten_bytes(folder: Path) -> int | None:
    """Keep a sensitivity where files may hold ten bytes; return what the system says to that."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    try:
        kept(folder, lambda: MADE)
    except OSError as error:
        return error.errno
    return None


def require_made(found: Sensitivity) -> None:
    assert found.energies == MADE.energies
    assert found.margins.tolist() == MADE.margins.tolist()
    assert found.images == MADE.images


class TestKept:
    def test_the_second_time_nothing_is_measured_and_every_number_is_the_same(
        self, tmp_path: Path
    ) -> None:
        make = Counted()
        require_made(kept(tmp_path, make))
        require_made(kept(tmp_path, make))
        assert make.times == 1

    def test_under_another_name_it_is_measured_again(self, tmp_path: Path) -> None:
        make = Counted()
        kept(tmp_path, make)
        kept(tmp_path, make, "other")
        assert make.times == 2

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: data[:-1],
            lambda data: data + b"x",
            lambda data: data[:40],
            lambda data: b"",
            lambda data: data.replace(b"9", b"8", 1),
            lambda data: b"\xff" + data[1:],
        ],
        ids=["cut", "longer", "short", "empty", "altered", "no text"],
    )
    def test_a_damaged_file_is_measured_again_and_whole_afterwards(
        self, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        make = Counted()
        kept(tmp_path, make)
        (file,) = (tmp_path / "sensitivities").iterdir()
        file.write_bytes(damage(file.read_bytes()))
        require_made(kept(tmp_path, make))
        assert make.times == 2
        require_made(kept(tmp_path, make))
        assert make.times == 2

    def test_what_fails_leaves_nothing(self, tmp_path: Path) -> None:
        def broken() -> Sensitivity:
            raise OSError

        with pytest.raises(OSError):  # noqa: PT011  # raised above
            kept(tmp_path, broken)
        assert list(tmp_path.rglob("*.*")) == []

    def test_a_file_that_cannot_be_written_to_its_end_leaves_nothing(self, tmp_path: Path) -> None:
        # the limit is of the whole process, so another one has it
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
            assert processes.submit(kept_in_ten_bytes, tmp_path).result() == errno.EFBIG
        assert list(tmp_path.rglob("*.*")) == []

    def test_whoever_looks_meanwhile_finds_no_file_or_a_whole_one(self, tmp_path: Path) -> None:
        """The other worker comes while this one measures: each ends with what was measured."""
        inner = Counted()

        def slow() -> Sensitivity:
            assert list((tmp_path / "sensitivities").glob("*.sensitivity")) == []
            require_made(kept(tmp_path, inner))
            return MADE

        require_made(kept(tmp_path, slow))
        assert inner.times == 1
        assert len(list((tmp_path / "sensitivities").iterdir())) == 1


IMAGES = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(40) % 3
SPLIT = Split(IMAGES, LABELS, index=torch.arange(30))


def network(seed: int = 0) -> CapturedNetwork:
    torch.manual_seed(seed)
    return capture(randomized(Small()), IMAGES[:2])


NETWORK = network()
CALIBRATION = calibrate(NETWORK, lambda: [IMAGES[:30]], bit_widths=(2, 4))


def key(
    split: Split = SPLIT,
    *,
    of: CapturedNetwork = NETWORK,
    calibration: Calibration = CALIBRATION,
    menus: dict[str, Menu] = MENUS,
    top: int = 1,
    device: str = "cpu",
) -> str:
    return sensitivity.key(of, split, calibration=calibration, menus=menus, top=top, device=device)


class TestKey:
    def test_the_same_contents_have_the_same_key(self) -> None:
        alike = Split(IMAGES.clone(), LABELS.clone(), index=torch.arange(30))
        assert key(alike, of=network()) == key()

    def test_it_can_be_a_files_name(self) -> None:
        assert key().isalnum()

    def test_other_weights_have_another(self) -> None:
        changed = network()
        next(changed.module.parameters()).data.view(-1)[0] += 1e-6
        assert len({key(), key(of=changed), key(of=network(1))}) == 3

    def test_other_images_or_labels_have_another(self) -> None:
        some = [
            replace(SPLIT, index=torch.arange(1, 31)),
            replace(SPLIT, index=torch.arange(29)),
            replace(SPLIT, images=IMAGES + 1e-3),
            replace(SPLIT, labels=(LABELS + 1) % 3),
        ]
        assert len({key(), *map(key, some)}) == 5

    def test_other_options_or_points_have_another(self) -> None:
        menus: list[dict[str, Menu]] = [
            {**MENUS, "head.1": OPTIONS[:1]},
            {**MENUS, "head.4": OPTIONS},
            {"body.0": OPTIONS},
            {"body.0": OPTIONS, "head.1": (QuantizerConfig("affine", 4),) * 2},
        ]
        assert len({key(), *(key(menus=menu) for menu in menus)}) == 5

    def test_what_options_are_fitted_to_counts(self) -> None:
        bounded = replace(CALIBRATION, upper_bounds={"head.1": 0.5})
        otherwise = replace(CALIBRATION, upper_bounds={"head.1": 0.25})
        wider = replace(CALIBRATION, bit_widths=(2, 4, 8))
        others = calibrate(NETWORK, lambda: [IMAGES[10:]], bit_widths=(2, 4))
        seen = CALIBRATION.histogram("body.0")
        turned = {"body.0": Histogram(seen.low, seen.high, seen.counts[::-1].copy())}
        counted = replace(CALIBRATION, histograms={**CALIBRATION.histograms, **turned})
        found = [key(calibration=c) for c in (bounded, otherwise, wider, others, counted)]
        assert len({key(), *found}) == 6

    def test_another_metric_has_another(self) -> None:
        assert key(top=5) != key(top=1)

    def test_another_kind_of_device_has_another(self) -> None:
        assert key(device="cuda") != key(device="cpu")


class TestSample:
    def test_a_small_split_is_taken_whole(self) -> None:
        assert sensitivity.sample(SPLIT).index.tolist() == SPLIT.index.tolist()

    def test_of_a_large_one_so_many_images_spread_evenly(self) -> None:
        large = Split(IMAGES, LABELS, index=torch.arange(5000).flip(0))
        index = sensitivity.sample(large).index
        assert len(index) == sensitivity.IMAGES
        assert index[[0, -1]].tolist() == [4999, 0]
        steps = index[:-1] - index[1:]
        assert steps.min() >= 19
        assert steps.max() <= 20


class TestResolve:
    """What a job is resolved to, the embedded network and its images."""

    @staticmethod
    def resolved(cache: Path, **changes: object) -> SearchSpec:
        asked = job(**({"sampler": "bitfloor", "quantizers": ("affine",)} | changes))
        around = replace(AROUND, cache=cache)
        bench = workbench.prepare(asked, models=MODELS, around=around, device=CPU, batch=450)
        evaluator = bench.evaluator(bench.dataset.search)
        return resolution.resolve(asked, bench, evaluator=evaluator)

    def test_every_option_that_may_be_chosen_has_an_energy(self, tmp_path: Path) -> None:
        rule = (("classifier*", PointRule(exclude=True)),)
        search = self.resolved(tmp_path, target="both", points=rule)
        found = search.sensitivity
        assert found is not None
        menus = dict(zip((p.name for p in search.points), search.menus, strict=True))
        assert {point: {*by_option} for point, by_option in found.energies.items()} == {
            point: {*menu} for point, menu in menus.items() if menu
        }
        assert not all(menus.values())
        # the whole calibration split, since it is small
        assert (len(found.margins), found.images) == (100, 300)

    def test_what_an_earlier_job_kept_is_not_measured_again(self, tmp_path: Path) -> None:
        self.resolved(tmp_path)
        (file,) = (tmp_path / "sensitivities").iterdir()
        file.unlink()
        sensitivity.kept(file.parent, file.stem, make=lambda: MADE)
        found = self.resolved(tmp_path, seed=1, tolerance=0.05).sensitivity
        assert found is not None
        require_made(found)

    def test_for_other_options_it_is(self, tmp_path: Path) -> None:
        self.resolved(tmp_path)
        self.resolved(tmp_path, bit_widths=(3, 5))
        assert len(list((tmp_path / "sensitivities").iterdir())) == 2

    def test_samplers_that_have_no_use_for_it_do_not_pay(self, tmp_path: Path) -> None:
        assert self.resolved(tmp_path, sampler="tpe").sensitivity is None
        assert list(tmp_path.iterdir()) == []
