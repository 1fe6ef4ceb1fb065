"""Values for tests: small ones to say what matters, and strategies that draw any there can be."""

from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Engine

from search.allocation import BitAllocation
from search.allocation import Kind
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.cost import OFFERED_FOR
from search.preprocessing import INTERPOLATIONS
from search.preprocessing import Preprocessing
from search.rules import PointRule
from search.spec import GOALS
from search.spec import METRICS
from search.spec import TIES
from search.spec import JobSpec
from search.splits import Splits
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store import jobs
from service.store import leases
from service.store.values import Job
from service.store.values import JobError
from service.store.values import Lease
from service.store.values import Setup
from service.store.values import Submission

LONG = 3600.0  # seconds: a lease that does not lapse in a test
LAPSED = 0.0  # seconds: a lease that has lapsed when it is given

SPEC = JobSpec(model="squeezenet", dataset="shapes", tolerance=0.02)
ERROR = JobError(code="out-of-memory", message="CUDA is out of memory")
SETUP = Setup(
    baseline=Baseline(images=100, correct=90, tolerance=0.02),
    points=(QuantizationPoint("features.0", 64), QuantizationPoint("features.3", 16)),
    histograms={"features.0": {"low": 0.0, "high": 6.5, "counts": [1, 2, 3]}},
)


def submission(**said: Any) -> Submission:
    """Return a submission of the small request."""
    return Submission(**{"spec": SPEC, **said})


def trial(number: int = 0, **found: Any) -> TrialResult:
    """Return a feasible trial over ten images."""
    config = QuantizerConfig("affine", number % 8 + 1)
    facts = {
        "allocation": BitAllocation.of({"features.0": config}),
        "origin": "tpe",
        "memory_bits": 64 * (number % 8 + 1),
        "hits": Hits(images=10, correct=9, lost=1),
        "complete": True,
        "constraint": -0.01,
        "verdict": Verdict.HELD,
    }
    return TrialResult(**{"number": number, **facts, **found})


def enqueue(engine: Engine, **said: Any) -> Job:
    """Put one job into the queue."""
    return jobs.enqueue(engine, submission(**said))[0]


def claim(engine: Engine, *, lease_seconds: float = LONG) -> Lease:
    """Claim the next job, which there must be."""
    claimed = leases.claim(engine, lease_seconds=lease_seconds)
    assert claimed is not None, "nothing to claim"
    return claimed[0]


#: any text that JSON can hold, NUL included
texts = st.text(max_size=12)
#: what PostgreSQL takes as text outside JSON
plain_texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
counts = st.integers(0, 2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
documents = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers() | finite | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
configs = st.builds(QuantizerConfig, quantizer=texts, bit_width=st.integers(1, 16))
allocations = st.dictionaries(texts, configs, max_size=6).map(BitAllocation.of)
hits = st.builds(Hits, images=counts, correct=counts, lost=counts, gained=counts)
trials = st.builds(
    TrialResult,
    number=counts,
    allocation=allocations,
    origin=plain_texts,
    memory_bits=counts,
    hits=hits,
    complete=st.booleans(),
    constraint=finite,
    verdict=st.sampled_from(Verdict),
)
asked_splits = st.builds(
    Splits,
    **dict.fromkeys(("calibration", "search", "certification"), st.none() | st.integers(2, 9_999)),
)
preprocessings = st.integers(0, 3).flatmap(
    lambda channels: st.builds(
        Preprocessing,
        resize=st.none() | st.integers(1, 512),
        crop=st.none() | st.integers(1, 512),
        mean=st.tuples(*[finite] * channels),
        std=st.tuples(*[st.floats(0.001, 1)] * channels),
        interpolation=st.sampled_from(INTERPOLATIONS),
    )
)
point_rules = st.dictionaries(
    st.text(min_size=1, max_size=12),
    st.builds(
        PointRule,
        bit_widths=st.none() | st.lists(st.integers(1, 16), min_size=1, max_size=3).map(tuple),
        quantizers=st.none() | st.lists(texts, min_size=1, max_size=3).map(tuple),
        exclude=st.none() | st.booleans(),
        upper_bound=st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
    ).filter(PointRule.said),
    max_size=3,
).map(lambda rules: tuple(rules.items()))
#: a target with an objective that depends on it, None among them
aims = st.sampled_from(
    [(target, name) for target, names in OFFERED_FOR.items() for name in (None, *names)]
)
specs = aims.flatmap(lambda aim: _specs(*aim))


def _specs(target: str, objective: str | None) -> st.SearchStrategy[JobSpec]:
    return st.builds(
        JobSpec,
        model=texts,
        weights=st.none() | texts,
        dataset=texts,
        tolerance=st.floats(0, 1, exclude_max=True),
        quantizers=st.lists(texts, min_size=1, max_size=3).map(tuple),
        bit_widths=st.lists(st.integers(1, 16), min_size=1, max_size=4).map(tuple),
        points=point_rules,
        target=st.just(target),
        tie=st.sampled_from(TIES),
        objective=st.just(objective),
        goal=st.sampled_from(GOALS),
        confidence=st.floats(0.5, 1, exclude_max=True),
        sampler=texts,
        budget=st.integers(1, 100_000),
        seed=st.integers(),
        trial_timeout=st.floats(0, exclude_min=True, allow_infinity=False),
        metric=st.sampled_from(sorted(METRICS)),
        splits=st.none() | asked_splits,
        preprocessing=st.none() | preprocessings,
    )


submissions = st.builds(
    Submission,
    spec=specs,
    labels=st.dictionaries(texts, texts, max_size=3),
    priority=st.integers(-(2**63), 2**63 - 1),
    idempotency_key=st.none(),
)
setups = st.builds(
    Setup,
    baseline=st.builds(
        Baseline,
        images=st.just(2**40),
        correct=st.integers(2**39, 2**40),
        tolerance=st.floats(0, 0.4),
    ),
    points=st.lists(
        st.builds(QuantizationPoint, name=texts, elements=counts, kind=st.sampled_from(Kind)),
        max_size=4,
    ).map(tuple),
    histograms=documents,
    float_cost=st.none() | counts,
)
errors = st.builds(JobError, code=texts, message=texts)
#: trials that often dominate one another; the numbers follow from their order
rivals = st.lists(
    st.builds(
        trial,
        memory_bits=st.integers(1, 8),
        hits=st.builds(Hits, images=st.just(8), correct=st.integers(0, 8)),
        complete=st.booleans(),
        verdict=st.sampled_from(Verdict),
    ),
    max_size=12,
)
