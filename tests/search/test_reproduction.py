"""The paper's tables for a made-up network: whole, honest about the floor, ours no worse."""

from dataclasses import replace

import pytest

from search import certify
from search import cost
from search import lin
from search import paper
from search import reproduction
from search import study
from search.allocation import BitAllocation
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Certificate
from search.reproduction import Line
from search.reproduction import Subject
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from tests.contracts.networks import made_up_evaluate
from tests.contracts.networks import made_up_hits
from tests.contracts.networks import made_up_spec


def subject(**changes: object) -> Subject:
    spec = made_up_spec(budget=60, quantizers=("affine", "codebook", "codebook_bounded"))
    made = Subject(
        search=spec,
        evaluate=made_up_evaluate,
        certification=spec.baseline,
        certify=made_up_evaluate,
        linear=frozenset({"p3"}),
        budget=30,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of several types


class TestRun:
    lines = tuple(reproduction.run(subject()))

    def test_every_table_that_does_not_need_vgg16_is_there(self) -> None:
        assert {line.table for line in self.lines} == {"I", "II/III", "IV/V", "VI", "VII"}

    def test_every_line_is_measured_on_all_images(self) -> None:
        assert {line.hits.images for line in self.lines} == {1000}

    def test_uniform_goes_down_until_it_is_hopeless(self) -> None:
        bits = [line.label for line in self.lines if line.table == "I"]
        assert bits[:3] == ["16 bits", "15 bits", "14 bits"]
        last = next(line for line in self.lines if line.label == bits[-1])
        assert not last.holds

    def test_linear_layers_are_left_out_of_k_means(self) -> None:
        for line in self.lines:
            if line.table == "VI":
                options = dict(line.allocation.items())
                assert options["p3"] == QuantizerConfig("affine", 8)
                assert options["p0"].quantizer.startswith("codebook")

    def test_what_was_searched_for_holds_the_floor(self) -> None:
        searched = [line for line in self.lines if line.label.startswith("search")]
        assert len(searched) == 3
        assert all(line.holds for line in searched)

    def test_lin_is_the_smallest_of_its_family_that_holds(self) -> None:
        found = {line.label: line for line in self.lines if line.method == "Lin et al."}
        families = ("fixed_point", "affine", "codebook", "codebook_bounded")
        assert set(found) == {f"closed form, {quantizer}" for quantizer in families}
        for label, line in found.items():
            assert line.holds
            quantizer = label.removeprefix("closed form, ")
            options = tuple(QuantizerConfig(quantizer, b) for b in reproduction.BIT_WIDTHS)
            family = lin.family(replace(subject().search, menus=(options,) * 4))
            below = family[: family.index(line.allocation)]
            assert below
            assert all(made_up_hits(a) < subject().certification.needed for a in below)

    def test_what_held_on_the_search_split_alone_is_passed_over_and_counted(self) -> None:
        def stricter(allocation: BitAllocation) -> list[Hits]:
            bits = [config.bit_width for _, config in allocation.items()]
            return [Hits(images=1000, correct=900 if min(bits) >= 5 else 800)]

        short = replace(subject().search, budget=5)
        lines = list(reproduction.run(subject(search=short, certify=stricter, budget=5)))
        found = [line for line in lines if line.method == "Lin et al."]
        assert {min(config.bit_width for _, config in f.allocation.items()) for f in found} == {5}
        for line in found:
            assert line.label.startswith("closed form, ")
            assert int(line.label.split()[-3]) > 0
            assert line.label.endswith("that missed")

    def test_nothing_is_published_about_other_networks(self) -> None:
        assert {line.published for line in self.lines} == {None}


SURE = Certificate(images=2000, confidence=0.95)


def changed(spec: SearchSpec, sampler: str, certificate: Certificate | None) -> SearchSpec:
    return replace(spec, sampler=sampler, certificate=certificate, budget=16)


def searched(certify_with: Evaluate, spec: SearchSpec) -> dict[str, Line]:
    lines = reproduction.run(subject(search=spec, certify=certify_with, budget=8))
    return {line.method: line for line in lines if line.label.startswith("search")}


class TestSearched:
    spec = changed(made_up_spec(), "bitfloor", SURE)
    found = searched(made_up_evaluate, spec)

    def test_ours_is_searched_as_requested_and_the_papers_methods_plainly(self) -> None:
        assert {method: line.label for method, line in self.found.items()} == {
            "nonuniform": "search with tpe, 8 trials",
            "discrete": "search with tpe, 8 trials",
            "bitfloor": "search with bitfloor for confidence 0.95, 16 trials",
        }

    def test_the_papers_methods_do_not_depend_on_what_ours_is_asked(self) -> None:
        plain = searched(made_up_evaluate, changed(self.spec, "tpe", None))
        assert plain["bitfloor"].label == "search with tpe, 16 trials"
        for method in ("nonuniform", "discrete"):
            assert self.found[method] == plain[method]

    def test_when_every_candidate_misses_another_that_held_is_found(self) -> None:
        spec = changed(self.spec, "tpe", SURE)
        trials = tuple(study.run(spec, made_up_evaluate))
        candidates = [t.allocation for t in certify.candidates(trials, spec=spec)]
        others = [t for t in trials if t.feasible and t.allocation not in candidates]
        assert candidates
        assert others

        def refusing(allocation: BitAllocation) -> list[Hits]:
            return [Hits(images=1000, correct=800 if allocation in candidates else 900)]

        ours = searched(refusing, spec)["bitfloor"]
        assert ours.label.endswith(f", after {len(candidates)} that missed")
        assert ours.memory_bits == min(trial.memory_bits for trial in others)


def held(number: int, memory_bits: int, *, lost: int, gained: int) -> TrialResult:
    option = QuantizerConfig("affine", 1 + number)
    return TrialResult(
        number=number,
        allocation=BitAllocation.uniform(made_up_spec().points, option),
        origin="uniform",
        memory_bits=memory_bits,
        hits=Hits(images=1000, correct=900 - lost + gained, lost=lost, gained=gained),
        complete=True,
        constraint=-0.01,
        verdict=Verdict.HELD,
    )


class TestInTurn:
    #: the second saves next to nothing beyond the third: a rung that is not worth its risk
    first = held(0, 240, lost=20, gained=10)
    needless = held(1, 478, lost=16, gained=8)
    sure = held(2, 480, lost=12, gained=6)
    trials = (sure, needless, first)

    def test_candidates_come_first_then_the_others(self) -> None:
        ordered = reproduction.in_turn(self.trials, spec=changed(made_up_spec(), "tpe", SURE))
        assert ordered == (self.first, self.sure, self.needless)

    def test_without_a_certificate_they_come_by_their_bits(self) -> None:
        ordered = reproduction.in_turn(self.trials, spec=changed(made_up_spec(), "tpe", None))
        assert ordered == (self.first, self.needless, self.sure)

    @pytest.mark.parametrize("certificate", [None, SURE])
    def test_what_missed_is_none_of_them(self, certificate: Certificate | None) -> None:
        missed = replace(self.first, verdict=Verdict.MISSED)
        spec = changed(made_up_spec(), "tpe", certificate)
        assert reproduction.in_turn([missed, self.sure], spec=spec) == (self.sure,)


class TestBest:
    def test_it_is_the_smallest_of_each_method_that_holds(self) -> None:
        found = reproduction.best(TestRun.lines)
        for method, line in found.items():
            others = [o for o in TestRun.lines if o.method == method and o.holds]
            assert line.memory_bits == min(o.memory_bits for o in others)
        assert found["bitfloor"].memory_bits <= found["uniform"].memory_bits

    def test_of_equally_many_bits_it_is_the_most_accurate(self) -> None:
        line = next(line for line in TestRun.lines if line.holds)
        better = replace(line, label="better", hits=Hits(images=1000, correct=1000))
        assert reproduction.best([line, better, line])[line.method] == better


class TestPublished:
    @staticmethod
    def lines(sizes: tuple[int, ...]) -> list[Line]:
        """Every row for a network of these sizes that is always right."""
        points = TestPublished.points(sizes)

        def always(_: BitAllocation) -> list[Hits]:
            return [Hits(images=1000, correct=900)]

        spec = made_up_spec(budget=5)
        like = replace(spec, points=points, menus=(spec.menus[0],) * len(points))
        always_right = subject(search=like, evaluate=always, certify=always, budget=5)
        return list(reproduction.run(always_right))

    def test_vgg16_gets_the_papers_rows_and_what_it_printed_beside_them(self) -> None:
        lines = self.lines(paper.ELEMENTS)
        hand_made = [line for line in lines if line.label.startswith("row ")]
        assert len(hand_made) == len(paper.NONUNIFORM) + len(paper.DISCRETE)
        ninth = next(line for line in hand_made if line.label == "row 9")
        assert ninth.published == 86.22
        saved = cost.saved(TestPublished.points(paper.ELEMENTS), ninth.memory_bits)
        assert saved == pytest.approx(0.7068, abs=5e-5)
        table_one = {line.label: line.published for line in lines if line.table == "I"}
        assert table_one["11 bits"] == 87.0

    @staticmethod
    def points(sizes: tuple[int, ...]) -> tuple[QuantizationPoint, ...]:
        return tuple(QuantizationPoint(f"p{i}", n) for i, n in enumerate(sizes))

    def test_a_network_of_other_sizes_is_told_whom_the_rows_were_made_for(self) -> None:
        labels = {line.label for line in self.lines((16,) * paper.POINTS)}
        assert "row 9, for full VGG-16" in labels
        assert "row 9" not in labels

    def test_alexnet_gets_its_accuracies_of_table_six_and_no_rows(self) -> None:
        lines = self.lines((64,) * paper.ALEXNET_POINTS)
        published = {(line.method, line.label): line.published for line in lines if line.published}
        assert published == {
            ("k-means", "2 bits"): 34.41,
            ("k-means", "3 bits"): 77.55,
            ("k-means, bounded", "2 bits"): 39.03,
            ("k-means, bounded", "3 bits"): 78.23,
        }
