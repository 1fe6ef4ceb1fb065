"""Energies are those of the margins' gradients taken image by image, and nothing is left behind."""

from collections.abc import Iterator
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor
from torch import nn

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizerConfig
from search.quantization.calibration import calibrate
from search.quantization.capture import CapturedNetwork
from search.quantization.capture import capture
from search.quantization.fitted import FittedOptions
from search.quantization.gradients import margins
from search.quantization.gradients import risk
from search.quantization.sensitivity import measure
from search.rules import Menu
from search.sensitivity import PASSES
from search.sensitivity import Sensitivity
from tests.search.quantization.test_capture import Small
from tests.search.quantization.test_capture import randomized

CPU = torch.device("cpu")
WIDTHS = (2, 3, 4, 6)
MENU = tuple(QuantizerConfig(q, b) for q in ("affine", "codebook") for b in WIDTHS)
PER_CHANNEL = QuantizerConfig("affine_per_channel", 3)


class Straight(nn.Module):
    """Two linear layers and two classes: the margin is a linear function of every tensor."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.first = nn.Linear(12, 20)
        self.head = nn.Linear(20, 2)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.first(images.flatten(1)))
        return logits


class Bench:
    """A captured network, its options, and some labelled images."""

    def __init__(self, model: nn.Module, shape: tuple[int, ...], *, classes: int) -> None:
        random = torch.Generator().manual_seed(4)
        self.images = torch.rand(48, *shape, generator=random)
        self.labels = torch.randint(0, classes, (48,), generator=random)
        self.network: CapturedNetwork = capture(model.eval(), self.images[:2])
        calibration = calibrate(
            self.network, lambda: [self.images], bit_widths=WIDTHS, kinds=[*Kind]
        )
        self.options = FittedOptions(calibration, CPU)
        self.menus = {point.name: MENU for point in self.network.all_points([*Kind])}

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(*(torch.split(x, size) for x in (self.images, self.labels)), strict=True)

    def measured(
        self,
        size: int = 16,
        *,
        top: int = 1,
        menus: Mapping[str, Menu] | None = None,
        at_once: int = 16,
    ) -> Sensitivity:
        return measure(
            self.network,
            self.batches(size),
            options=self.options,
            menus=menus or self.menus,
            top=top,
            at_once=at_once,
        )

    def rounded(self, point: str, option: QuantizerConfig, values: Tensor) -> Tensor:
        return self.options.operators(BitAllocation.of({point: option}))[point](values)

    def middles(self, point: str, values: Tensor) -> Tensor:
        """Return the values moved to the middle of their bins, which is where errors are taken."""
        seen = self.options.calibration.histogram(point)
        last = len(seen.counts) - 1
        bins = ((values - seen.low) / seen.width).floor().clamp(0, last)
        return seen.low + (bins + 0.5) * seen.width

    def gradients(self, point: str) -> Iterator[tuple[Tensor, Tensor, float]]:
        """Yield every image's tensor at an activation, the margin's gradient there, its risk."""
        taken: list[Tensor] = []

        class Keep:
            def take(self, x: Tensor) -> None:
                taken.append(x)

        self.network.observers[point].note = Keep()
        for image, label in self.batches(1):
            margin = margins(self.network(image.requires_grad_()), label, top=1)
            (gradient,) = torch.autograd.grad(margin.sum(), taken[-1])
            yield taken[-1].detach(), gradient, float(risk(margin.detach()))
        self.network.observers[point].note = None


@cache
def small() -> Bench:
    torch.manual_seed(1)
    return Bench(randomized(Small()), (1, 8, 8), classes=3)


@cache
def straight() -> Bench:
    return Bench(Straight(), (12,), classes=2)


class TestMargins:
    LOGITS = torch.tensor([[4.0, 1.0, 2.5, -1.0], [0.0, 3.0, 2.0, 1.0], [1.0, 1.0, 0.0, 0.5]])
    LABELS = torch.tensor([0, 3, 1])

    def test_the_label_is_set_against_the_largest_other_logit(self) -> None:
        assert margins(self.LOGITS, self.LABELS, top=1).tolist() == [1.5, -2.0, 0.0]

    def test_for_top_k_against_the_kth_largest_other(self) -> None:
        assert margins(self.LOGITS, self.LABELS, top=2).tolist() == [3.0, -1.0, 0.5]
        assert margins(self.LOGITS, self.LABELS, top=3).tolist() == [5.0, 1.0, 1.0]

    @pytest.mark.parametrize("top", [1, 5])
    def test_above_0_are_just_the_images_whose_label_is_among_the_largest(self, top: int) -> None:
        random = torch.Generator().manual_seed(top)
        logits = torch.randn(400, 12, generator=random)
        labels = torch.randint(0, 12, (400,), generator=random)
        hits = (logits.topk(top, dim=1).indices == labels[:, None]).any(dim=1)
        assert 0 < hits.sum() < 400
        assert torch.equal(margins(logits, labels, top=top) > 0, hits)


class TestRisk:
    def test_it_is_the_curvature_of_the_logistic_loss(self) -> None:
        at = torch.tensor([-3.0, -0.2, 0.0, 1.5, 8.0], dtype=torch.float64)
        step = 1e-3
        loss = [nn.functional.softplus(-(at + by)) for by in (-step, 0.0, step)]
        curvature = (loss[0] - 2 * loss[1] + loss[2]) / step**2
        torch.testing.assert_close(risk(at), curvature, rtol=1e-4, atol=1e-9)

    def test_where_all_are_surely_right_all_count_alike(self) -> None:
        assert len(set(risk(torch.tensor([90.0, 500.0, -4000.0])).tolist())) == 1


class TestAtOnce:
    @pytest.mark.parametrize("at_once", [1, 5, 8])
    def test_fewer_images_at_once_change_nothing_but_rounding(self, at_once: int) -> None:
        whole, parts = small().measured(), small().measured(at_once=at_once)
        np.testing.assert_allclose(parts.margins, whole.margins, rtol=1e-4, atol=1e-5)
        assert parts.images == whole.images
        for point, energies in whole.energies.items():
            assert parts.energies[point] == pytest.approx(energies, rel=1e-3), point


class TestActivations:
    @pytest.mark.parametrize("point", ["body.0", "head.1", "head.4"])
    def test_energies_are_those_of_gradients_taken_image_by_image(self, point: str) -> None:
        bench = small()
        found = bench.measured().energies[point]
        seen = [(bench.middles(point, x), g, w) for x, g, w in bench.gradients(point)]
        raw = {
            option: np.average(
                [
                    float((g * (bench.rounded(point, option, x) - x)).square().sum())
                    for x, g, _ in seen
                ],
                weights=[w for _, _, w in seen],
            )
            for option in MENU
        }
        for option in MENU:
            more_bits = [o for o in MENU if o >= option and o.quantizer == option.quantizer]
            assert found[option] == pytest.approx(max(raw[o] for o in more_bits), rel=1e-3)

    @pytest.mark.parametrize("quantizer", ["affine", "codebook"])
    @pytest.mark.parametrize("point", ["first", "head"])
    def test_where_the_network_is_linear_it_is_about_how_the_margins_really_change(
        self, point: str, quantizer: str
    ) -> None:
        bench = straight()
        option = QuantizerConfig(quantizer, 3)
        before = margins(bench.network(bench.images), bench.labels, top=1)
        allocation = BitAllocation.of({point: option})
        bench.network.load(bench.options.operators(allocation))
        after = margins(bench.network(bench.images), bench.labels, top=1)
        bench.network.load({})
        changes = (after - before).detach().double().square()
        energy = float(np.average(changes, weights=risk(before.detach())))
        # errors of values that a step apart are rounded alike are not quite uncorrelated
        assert bench.measured().energies[point][option] == pytest.approx(energy, rel=0.5)

    def test_the_batch_size_makes_no_difference(self) -> None:
        one, many = small().measured(1), small().measured(48)
        np.testing.assert_allclose(one.margins, many.margins, rtol=1e-4, atol=1e-5)
        for point in ("body.0", "head.1", "head.4"):
            for option in MENU:
                expected = one.energies[point][option]
                assert many.energies[point][option] == pytest.approx(expected, rel=1e-3)


class TestWeights:
    @pytest.mark.parametrize("point", ["body.0.weight", "head.1.weight"])
    def test_energies_are_those_of_every_images_own_squared_gradient(self, point: str) -> None:
        bench = small()
        found = bench.measured(1, menus={point: (*MENU, PER_CHANNEL)}).energies[point]
        weight = next(w.tensor for w in bench.network.weights if w.point.name == point)
        leaf = weight.clone().requires_grad_()
        bench.network.load({point: lambda x: leaf})
        squares, total = torch.zeros_like(weight), 0.0
        for image, label in bench.batches(1):
            margin = margins(bench.network(image), label, top=1)
            counts = risk(margin.detach())
            total += float(counts)
            squares += counts * torch.autograd.grad(margin.sum(), leaf)[0].square()
        bench.network.load({})
        for option in (QuantizerConfig("affine", 3), QuantizerConfig("codebook", 4), PER_CHANNEL):
            error = bench.rounded(point, option, weight) - weight
            expected = float((squares * error.square()).sum()) / total
            assert found[option] == pytest.approx(expected, rel=1e-3)

    def test_many_images_at_once_give_on_average_what_single_ones_do(self) -> None:
        bench = small()
        exact = bench.measured(1).energies["head.1.weight"]
        at_once = bench.measured(4).energies["head.1.weight"]
        for option in MENU:
            assert at_once[option] == pytest.approx(exact[option], rel=0.25)


class TestMeasure:
    def test_every_option_has_an_energy_and_none_gains_by_fewer_bits(self) -> None:
        found = small().measured()
        assert set(found.energies) == set(small().menus)
        for energies in found.energies.values():
            assert set(energies) == {*MENU}
            for quantizer in ("affine", "codebook"):
                row = [energies[QuantizerConfig(quantizer, bits)] for bits in WIDTHS]
                assert row == sorted(row, reverse=True)
                assert row[0] > row[-1] > 0

    def test_also_where_chance_has_it_otherwise(self) -> None:
        bench = small()
        one_image = [(bench.images[:1], bench.labels[:1])]
        found = measure(
            bench.network, one_image, options=bench.options, menus=bench.menus, top=1
        ).energies
        rows = [
            [energies[QuantizerConfig(quantizer, bits)] for bits in WIDTHS]
            for energies in found.values()
            for quantizer in ("affine", "codebook")
        ]
        assert all(row == sorted(row, reverse=True) for row in rows)
        # of one image some have: those are as bad as the next with more bits
        assert any(len({*row}) < len(row) for row in rows)

    def test_margins_and_cost_are_those_of_the_float_network(self) -> None:
        bench = small()
        found = bench.measured(top=2)
        expected = margins(bench.network(bench.images), bench.labels, top=2)
        np.testing.assert_allclose(found.margins, expected.detach(), rtol=1e-4, atol=1e-5)
        assert found.images == PASSES * 48

    def test_the_same_images_give_the_same_numbers(self) -> None:
        first, again = small().measured(), small().measured()
        assert first.energies == again.energies
        assert first.margins.tolist() == again.margins.tolist()

    def test_points_that_stay_in_float_are_left_out(self) -> None:
        menus = {"head.1": MENU, "head.1.weight": MENU}
        assert set(small().measured(menus=menus).energies) == set(menus)


class TestAfterwards:
    @staticmethod
    def require_untouched(bench: Bench, before: Tensor) -> None:
        network = bench.network
        assert all(observer.note is None for observer in network.observers.values())
        assert all(place.operator is None for place in network.quantizers.values())
        assert all(parameter.grad is None for parameter in network.module.parameters())
        assert torch.equal(network(bench.images), before)

    def test_the_network_is_as_it_was(self) -> None:
        bench = small()
        before = bench.network(bench.images)
        bench.measured()
        self.require_untouched(bench, before)

    def test_also_when_reading_the_images_failed(self) -> None:
        bench = small()
        before = bench.network(bench.images)

        def broken() -> Iterator[tuple[Tensor, Tensor]]:
            yield from bench.batches(24)
            raise OSError("the disk is gone")

        with pytest.raises(OSError, match="the disk is gone"):
            measure(bench.network, broken(), options=bench.options, menus=bench.menus, top=1)
        self.require_untouched(bench, before)
