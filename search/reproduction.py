"""The paper's experiments for any network: its rows as they stand, and its methods carried out.

What the authors chose by hand is chosen here by a search that only sees the search split; every row
is then measured on the certification split, so that no method is judged on images it was tuned on.
As in the paper, a row holds if its measured accuracy is at or above the floor. The bound of k-means
with bound is fitted, for the paper does not tell its own, unless the request gives one.

The paper's methods are searched plainly, for its authors had no more than trial and error. The last
search is the request's own, with its sampler, its sensitivity and its certificate.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from search import certify
from search import cost
from search import diagnosis
from search import lin
from search import paper
from search import study
from search.allocation import MAX_BIT_WIDTH
from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.errors import RoundsEndedEarly
from search.racing import Race
from search.spec import SearchSpec
from search.trial import Evaluate
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict

BIT_WIDTHS = tuple(range(1, MAX_BIT_WIDTH + 1))
K_MEANS_BITS = (2, 3, 4, 5)  # Table VI has 4 and 5 for VGG-16, 2 and 3 for AlexNet
LINEAR_BITS = 8  # of linear layers in Table VI, where the paper gives no others
#: the sampler that stands in for the authors' hands, whatever sampler the request names
PLAIN = "tpe"
#: what Lin et al. quantize with: a power of two for every layer
LIN_QUANTIZER = "fixed_point"
#: a bit-width less is not tried once less than this share of the float accuracy is left
HOPELESS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A network with its data, and how much searching is allowed."""

    #: bitfloor's own; the paper's methods share its points, its floor and its seed
    search: SearchSpec
    #: over the search split
    evaluate: Evaluate
    #: the float model on the certification split
    certification: Baseline
    #: over the certification split
    certify: Evaluate
    #: points that linear layers produce
    linear: frozenset[str]
    #: trials for each of the paper's methods
    budget: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the reproduction."""

    #: the paper's number of the table, such as "I"
    table: str
    label: str
    #: "uniform", "nonuniform", "discrete", "k-means", "k-means, bounded", paper.LIN, "bitfloor"
    method: str
    allocation: BitAllocation
    memory_bits: int
    #: on the certification split
    hits: Hits
    #: at or above the floor there
    holds: bool
    #: the paper's accuracy for the row, per cent
    published: float | None = None


def run(subject: Subject) -> Iterator[Line]:
    """Yield the lines of Tables I to VI, Lin et al.'s, bitfloor's; Table VII is `best` of them."""
    yield from _uniform(subject)
    yield from _published(subject, "II/III", rows=paper.NONUNIFORM, method="nonuniform")
    yield from _by_hand(subject, "fixed_point_shared", table="II/III", method="nonuniform")
    yield from _published(subject, "IV/V", rows=paper.DISCRETE, method="discrete")
    yield from _by_hand(subject, "affine", table="IV/V", method="discrete")
    yield from _k_means(subject)
    yield from _closed_form(subject)
    yield from _searched(subject, subject.search, table="VII", method="bitfloor")


def best(lines: Sequence[Line]) -> dict[str, Line]:
    """Return Table VII: per method the line with the fewest bits that holds the floor.

    Of lines of equally many bits it is the most accurate.
    """
    held = [line for line in lines if line.holds]
    return {
        method: min(
            (line for line in held if line.method == method),
            key=lambda line: (line.memory_bits, -line.hits.correct),
        )
        for method in dict.fromkeys(line.method for line in held)
    }


def in_turn(trials: Sequence[TrialResult], *, spec: SearchSpec) -> Sequence[TrialResult]:
    """Return the held trials in the order in which they are measured on the certification split.

    Those that certification would check come first, then the others, both by fewest bits.
    """
    candidates = certify.candidates(trials, spec=spec)
    held = certify.candidates(trials, spec=replace(spec, certificate=None))
    return tuple(sorted(held, key=lambda trial: trial not in candidates))


def _uniform(subject: Subject) -> Iterator[Line]:
    """Yield Table I, from the most bits down to where it is hopeless."""
    published = {row.bits[0]: row.accuracy for row in paper.UNIFORM}
    known = published if len(subject.search.points) == paper.POINTS else {}
    for bits in reversed(BIT_WIDTHS):
        allocation = BitAllocation.uniform(
            subject.search.points, QuantizerConfig("fixed_point_shared", bits)
        )
        line = _line(subject, allocation, table="I", label=f"{bits} bits", method="uniform")
        yield replace(line, published=known.get(bits))
        if line.hits.accuracy < HOPELESS * subject.certification.accuracy:
            return


def _published(
    subject: Subject, table: str, *, rows: Sequence[paper.PublishedRow], method: str
) -> Iterator[Line]:
    """Yield the paper's hand-made rows, which are for networks of as many points as VGG-16."""
    if len(subject.search.points) != paper.POINTS:
        return
    sizes = tuple(point.elements for point in subject.search.points)
    elsewhere = "" if sizes == paper.ELEMENTS else ", for full VGG-16"
    for row in rows:
        configs = zip(subject.search.points, row.bits, strict=True)
        allocation = BitAllocation(
            tuple((point.name, QuantizerConfig(row.quantizer, b)) for point, b in configs)
        )
        label = f"row {row.label.rpartition(' ')[2]}{elsewhere}"
        line = _line(subject, allocation, table=table, label=label, method=method)
        yield replace(line, published=row.accuracy)


def _by_hand(subject: Subject, quantizer: str, *, table: str, method: str) -> Iterator[Line]:
    """Yield the smallest that plain search finds with this quantizer, for the floor as measured."""
    spec = replace(_choosing(subject.search, (quantizer,)), sampler=PLAIN, certificate=None)
    budgeted = replace(spec, budget=subject.budget)
    yield from _searched(subject, budgeted, table=table, method=method)


def _searched(subject: Subject, spec: SearchSpec, *, table: str, method: str) -> Iterator[Line]:
    """Yield the first that holds of what the search would have certified, then of all it held."""
    trials = tuple(study.run(spec, subject.evaluate))
    asked = f" for confidence {spec.certificate.confidence:g}" if spec.certificate else ""
    label = f"search with {spec.sampler}{asked}, {spec.budget} trials"
    allocations = (trial.allocation for trial in in_turn(trials, spec=spec))
    yield from _first(subject, allocations, table=table, label=label, method=method)


def _k_means(subject: Subject) -> Iterator[Line]:
    """Yield Table VI: one bit-width for all convolutions, linear layers apart."""
    rows = paper.K_MEANS.get(len(subject.search.points), ())
    known = {(q, b): accuracy for q, b, accuracy in rows}
    for quantizer, method in (("codebook", "k-means"), ("codebook_bounded", "k-means, bounded")):
        for bits in K_MEANS_BITS:
            allocation = BitAllocation(
                tuple(
                    (
                        point.name,
                        QuantizerConfig("affine", LINEAR_BITS)
                        if point.name in subject.linear
                        else QuantizerConfig(quantizer, bits),
                    )
                    for point in subject.search.points
                )
            )
            line = _line(subject, allocation, table="VI", label=f"{bits} bits", method=method)
            yield replace(line, published=known.get((quantizer, bits)))


def _closed_form(subject: Subject) -> Iterator[Line]:
    """Yield the smallest of Lin et al.'s family that holds on both splits, per quantizer."""
    offered = {option.quantizer for menu in subject.search.menus for option in menu}
    race = Race.of(subject.search.baseline, None)
    for quantizer in (LIN_QUANTIZER, *sorted(offered - {LIN_QUANTIZER})):
        family = lin.family(_choosing(subject.search, (quantizer,)))
        held = (a for a in family if _held(race, subject.evaluate(a)))
        label = f"closed form, {quantizer}"
        yield from _first(subject, held, table="VII", label=label, method=paper.LIN)


def _first(
    subject: Subject, allocations: Iterable[BitAllocation], *, table: str, label: str, method: str
) -> Iterator[Line]:
    """Yield the first that holds on the certification split too; its label tells what missed."""
    for missed, allocation in enumerate(allocations):
        line = _line(subject, allocation, table=table, label=label, method=method)
        if line.holds:
            yield replace(line, label=f"{label}, after {missed} that missed" if missed else label)
            return


def _choosing(spec: SearchSpec, quantizers: tuple[str, ...]) -> SearchSpec:
    """Return the search in which every point chooses from these, at every bit-width.

    What was measured of the options before belongs to those of the request and is left out.
    """
    options = tuple(sorted(QuantizerConfig(q, b) for q in quantizers for b in BIT_WIDTHS))
    return replace(spec, menus=(options,) * len(spec.points), sensitivity=None)


def _held(race: Race, rounds: Iterable[Hits]) -> bool:
    """Return the verdict, on as few rounds as it needs."""
    total = Hits()
    for hits in rounds:
        total += hits
        verdict = race.decide(total)
        if verdict is not None:
            return verdict is Verdict.HELD
    raise RoundsEndedEarly(total.images)


def _line(
    subject: Subject, allocation: BitAllocation, *, table: str, label: str, method: str
) -> Line:
    hits = diagnosis.full_hits(subject.certify, allocation)
    return Line(
        table=table,
        label=label,
        method=method,
        allocation=allocation,
        memory_bits=cost.memory_bits(subject.search.points, allocation),
        hits=hits,
        holds=hits.correct >= subject.certification.needed,
    )
