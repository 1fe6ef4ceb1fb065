"""A request becomes the search it asks for: its points, menus, price, ties and certificate."""

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch import nn

from search import cost
from search import study
from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizerConfig
from search.baseline import Certificate
from search.documents import Evidence
from search.errors import CertificateOutOfReach
from search.errors import EmptySearchSpace
from search.errors import UnknownPoint
from search.quantization.calibration import calibrate
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.rules import PointRule
from search.spec import TARGETS
from search.spec import JobSpec
from search.spec import SearchSpec
from search.trial import Hits
from search.trial import TrialResult
from tests.search.quantization.test_structure import Fire
from tests.search.quantization.test_structure import Residual
from workers import resolution
from workers import workbench
from workers.conclusion import conclude
from workers.datasets.catalog import surroundings
from workers.models.registry import open_models
from workers.objectives import objective
from workers.settings import WorkerSettings
from workers.workbench import Workbench

MODELS = open_models(Path("no-such-folder"))
AROUND = surroundings(WorkerSettings())
CPU = torch.device("cpu")
#: values of the embedded network, per image and in its weights
ACTIVATIONS, WEIGHTS = 3_914, 113_168


def job(**changes: object) -> JobSpec:
    said: dict[str, object] = {
        "model": "digits-vgg",
        "dataset": "digits",
        "tolerance": 0.02,
        "quantizers": ("affine", "affine_per_channel"),
        "bit_widths": (3, 4, 8),
        "sampler": "random",
        "budget": 12,
    }
    return JobSpec(**(said | changes))  # type: ignore[arg-type]  # as a request says it


def prepared(asked: JobSpec) -> Workbench:
    return workbench.prepare(asked, models=MODELS, around=AROUND, device=CPU, batch=450)


def resolved(asked: JobSpec) -> tuple[SearchSpec, Workbench]:
    bench = prepared(asked)
    evaluator = bench.evaluator(bench.dataset.search)
    return resolution.resolve(asked, bench, evaluator=evaluator), bench


class TestResolve:
    def test_weights_are_points_with_menus_of_their_own(self) -> None:
        search, bench = resolved(job(target="both"))
        kinds = [point.kind for point in search.points]
        assert kinds == [Kind.ACTIVATION] * 9 + [Kind.WEIGHT] * 9
        assert sum(p.elements for p in search.points) == ACTIVATIONS + WEIGHTS
        for point, menu in zip(search.points, search.menus, strict=True):
            expected = {"affine"} | ({"affine_per_channel"} if point.kind is Kind.WEIGHT else set())
            assert {option.quantizer for option in menu} == expected
        assert bench.calibration_images == 2 * len(bench.dataset.calibration)

    def test_weights_alone_are_calibrated_without_images(self) -> None:
        search, bench = resolved(job(target="weights"))
        assert {point.kind for point in search.points} == {Kind.WEIGHT}
        assert bench.calibration_images == 0

    def test_activations_cannot_have_a_scale_for_every_channel(self) -> None:
        with pytest.raises(EmptySearchSpace, match=r"quantizers: .*activation at features\.0"):
            prepared(job(quantizers=("affine_per_channel",), target="both"))

    def test_a_rule_for_a_weight_needs_weights_to_be_quantized(self) -> None:
        rule = (("features.0.weight", PointRule(bit_widths=(8,))),)
        search, _ = resolved(job(target="weights", points=rule))
        assert {option.bit_width for option in search.menus[0]} == {8}
        with pytest.raises(UnknownPoint, match=r"features\.0\.weight"):
            prepared(job(quantizers=("affine",), points=rule))

    def test_the_certificate_is_that_of_the_certification_split(self) -> None:
        search, bench = resolved(job(target="weights"))
        images = len(bench.dataset.certification)
        assert search.certificate == Certificate(images=images, confidence=0.95)

    def test_whoever_believes_what_is_measured_needs_none(self) -> None:
        search, _ = resolved(job(target="weights", confidence=0.5, tolerance=0))
        assert search.certificate is None

    @pytest.mark.parametrize("tolerance", [0.0, 0.005])
    def test_a_certificate_that_450_images_cannot_give_is_refused(self, tolerance: float) -> None:
        with pytest.raises(CertificateOutOfReach, match="450 images cannot show at confidence"):
            resolved(job(target="weights", tolerance=tolerance))


class ResidualDigits(nn.Module):
    """Two blocks with a shortcut each on handwritten digits, not trained."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.first = nn.Conv2d(4, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4 * 64, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.stem(images))
        x = torch.relu(self.first(x) + x)
        x = torch.relu(self.second(x) + x)
        logits: Tensor = self.head(x.flatten(1))
        return logits


class TestTies:
    def resolved(self, **changes: object) -> SearchSpec:
        asked = job(quantizers=("affine",), **changes)
        bench = prepared(asked)
        images, _ = next(bench.dataset.calibration.batches(50))
        network = capture(ResidualDigits().eval(), images)
        calibration = calibrate(network, lambda: [images], bit_widths=(3, 4, 8), kinds=[*Kind])
        mine = replace(bench, network=network, options=FittedOptions(calibration, CPU))
        return resolution.resolve(asked, mine, evaluator=mine.evaluator(mine.dataset.search))

    def test_points_that_meet_in_an_addition_share_an_option_if_asked_for(self) -> None:
        search = self.resolved(tie="join")
        assert [variable.points for variable in search.variables] == [
            # stem + first; their sum + second
            ("stem", "first"),
            ("add", "second"),
            ("add@2",),
            ("head",),
        ]

    def test_otherwise_each_has_its_own(self) -> None:
        assert all(len(variable.points) == 1 for variable in self.resolved().variables)

    def test_weights_meet_nowhere(self) -> None:
        assert self.resolved(tie="join", target="weights").ties == ()
        both = self.resolved(tie="join", target="both")
        assert [v.points for v in both.variables if len(v.points) > 1] == [
            ("stem", "first"),
            ("add", "second"),
        ]
        assert len(both.variables) == 4 + 4

    def test_a_search_never_parts_what_is_tied(self) -> None:
        search = self.resolved(tie="join")

        def evaluate(allocation: BitAllocation) -> Iterator[Hits]:
            images = search.baseline.images
            right = min(images, search.baseline.needed + search.cost(allocation) % 7 - 3)
            yield Hits(
                images=images,
                correct=right,
                lost=max(0, search.baseline.correct - right),
                gained=max(0, right - search.baseline.correct),
            )

        for trial in study.run(search, evaluate):
            assert trial.allocation.get("stem") == trial.allocation.get("first")
            assert trial.allocation.get("add") == trial.allocation.get("second")


class TestObjective:
    NETWORK = capture(Residual().eval(), torch.rand(2, 1, 4, 4))

    #: a codebook, scales for every channel, and different widths
    ALLOCATION = BitAllocation.of(
        {
            "stem": QuantizerConfig("affine", 4),
            "body": QuantizerConfig("codebook", 4),
            "add": QuantizerConfig("affine", 4),
            "head": QuantizerConfig("affine", 8),
            "stem.weight": QuantizerConfig("affine_per_channel", 4),
            "body.weight": QuantizerConfig("codebook", 2),
            "head.weight": QuantizerConfig("affine", 8),
        }
    )

    @pytest.mark.parametrize(
        "name, in_float, allocated",
        [
            # stem, body and sum of 32 values, 3 logits; weights of 18, 36 and 96
            (cost.ACTIVATION_MEMORY, 99 * 32, 96 * 4 + 3 * 8),
            (cost.ACTIVATION_MEMORY_WITH_CODEBOOKS, 99 * 32, 96 * 4 + 3 * 8 + 16 * 32),
            (cost.PEAK_ACTIVATION_MEMORY, 96 * 32, 96 * 4),
            (cost.WEIGHT_MEMORY, 150 * 32, 18 * 4 + 2 * 32 + 36 * 2 + 4 * 32 + 96 * 8),
            (cost.TOTAL_MEMORY, 249 * 32, 408 + 512 + 1104),
            # 32 values × 9 products, 32 × 18, 3 × 32; the images have 32 bits
            (cost.BIT_OPERATIONS, 960 * 32 * 32, 288 * 4 * 32 + 576 * 2 * 4 + 96 * 8 * 4),
        ],
    )
    def test_each_is_offered_and_priced_as_by_hand_and_in_the_guide(
        self, name: str, in_float: int, allocated: int
    ) -> None:
        priced = objective(name, self.NETWORK)
        assert priced.name == name
        assert cost.float_cost(priced) == in_float
        assert priced.cost(self.ALLOCATION) == allocated
        guide = (Path(__file__).parents[2] / "docs" / "objectives.md").read_text(encoding="utf-8")
        (row,) = re.findall(rf"^\| `{name}` \|.*", guide, re.MULTILINE)
        assert f"| {in_float:,} | {allocated:,} |" in row
        targets = row.split("|")[-2]
        assert {t for t in TARGETS if t in targets} == {
            target for target, offered in cost.OFFERED_FOR.items() if name in offered
        }

    def test_all_are_among_those(self) -> None:
        assert {objective(name, self.NETWORK).name for name in cost.OFFERED} == {*cost.OFFERED}

    def test_scales_and_codebooks_of_weights_are_charged(self) -> None:
        priced = objective(cost.TOTAL_MEMORY, self.NETWORK)
        points = self.NETWORK.all_points([*Kind])
        per_channel, codebook = (
            BitAllocation.of({p.name: QuantizerConfig(name, 2) for p in points})
            for name in ("affine_mse_per_channel", "codebook")
        )
        assert priced.cost(per_channel) == (99 + 150) * 2 + (2 + 2 + 3) * 32
        assert priced.cost(codebook) == (99 + 150) * 2 + (4 + 3) * 4 * 32

    def test_what_meets_in_a_concatenation_counts_with_its_widest(self) -> None:
        network = capture(Fire().eval(), torch.rand(2, 1, 4, 4))
        priced = objective(cost.BIT_OPERATIONS, network)
        narrow = {p.name: QuantizerConfig("affine", 2) for p in network.points}
        one_wide = narrow | {"right": QuantizerConfig("affine", 8)}
        more = priced.cost(BitAllocation.of(one_wide)) - priced.cost(BitAllocation.of(narrow))
        # the head: 48 values of 8 products, at 32-bit weights
        assert more == 48 * 8 * 32 * (8 - 2)


def concluded(asked: JobSpec) -> tuple[SearchSpec, list[TrialResult], Mapping[str, Any]]:
    search, bench = resolved(asked)
    trials = list(study.run(search, bench.evaluator(bench.dataset.search)))
    evidence = Evidence(job=asked, search=search, trials=trials, calibration_images=0)
    conclusion = conclude(evidence, bench, check=lambda: None)
    assert conclusion.certified
    return search, trials, conclusion.document


class TestSearch:
    def test_weights_are_searched_to_a_certified_best(self) -> None:
        search, trials, best = concluded(job(target="weights", tolerance=0.06))
        assert [p["kind"] for p in best["points"]] == ["weight"] * 9
        chosen = next(t for t in trials if t.number == best["trial"])
        assert best["objective"] == cost.WEIGHT_MEMORY
        assert best["memory_bytes"] * 8 == search.cost(chosen.allocation)
        assert best["float_memory_bytes"] == WEIGHTS * 4
        assert best["weight_bytes"] == sum(p["bytes_after"] for p in best["points"])
        assert best["average_bits"] == best["weight_bytes"] * 8 / WEIGHTS
        assert "activation_bytes" not in best

    def test_weights_and_activations_are_searched_together(self) -> None:
        search, trials, best = concluded(job(target="both", tolerance=0.06))
        assert len(trials) == 12
        assert best["float_memory_bytes"] == (ACTIVATIONS + WEIGHTS) * 4
        assert best["weight_bytes"] + best["activation_bytes"] <= best["memory_bytes"]
        assert len(best["points"]) == len(search.points) == 18

    def test_bit_operations_are_told_as_such(self) -> None:
        search, trials, best = concluded(
            job(
                target="both",
                tolerance=0.06,
                objective=cost.BIT_OPERATIONS,
                quantizers=("affine",),
            )
        )
        chosen = next(t for t in trials if t.number == best["trial"])
        assert best["bit_operations"] == search.cost(chosen.allocation)
        assert best["float_bit_operations"] == cost.float_cost(search.minimized)
        assert best["saved"] == 1 - best["bit_operations"] / best["float_bit_operations"]
        assert best["memory_bytes"] == best["weight_bytes"] + best["activation_bytes"]
        assert best["float_memory_bytes"] == (ACTIVATIONS + WEIGHTS) * 4
        uniform = best["uniform"]
        assert uniform["memory_bytes"] * 8 == (ACTIVATIONS + WEIGHTS) * uniform["bit_width"]
