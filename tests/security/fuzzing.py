"""Sends a served application what schemathesis makes of its OpenAPI document, and counts it."""

from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from itertools import islice
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import assume
from hypothesis import given
from hypothesis import seed
from hypothesis import settings
from hypothesis import strategies as st
from schemathesis import BaseSchema
from schemathesis import Case
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok

TIMEOUT = 20.0  # seconds for an answer
#: of schemathesis' checks, the one that takes every text for a name that a worker may offer
LEFT_OUT = "positive_data_acceptance"

Pick = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True)
class Target:
    """What is sent to, and what there is to be found."""

    address: str
    document: dict[str, Any]
    #: ids of jobs, and of those that have ended, whose events end too
    jobs: Sequence[str]
    ended: Sequence[str]
    #: those that no worker has taken yet
    waiting: Sequence[str]
    #: field of a submission -> values that are offered
    offered: Mapping[str, Sequence[Any]]
    #: of one job that has ended: its id, and those of its deliveries
    told: tuple[str, Sequence[str]]
    #: parameter -> values that mean something here
    known: Mapping[str, Sequence[str]]


@dataclass
class Fuzzer:
    """Sends requests and raises what schemathesis finds wrong with an answer."""

    target: Target
    #: shows a token that allows everything
    session: requests.Session
    #: (operation, status) -> requests
    sent: Counter[tuple[str, int]] = field(default_factory=Counter)

    def run(self, examples: int, *, number: int, stride: int = 1) -> None:
        """Send boundary cases, then `examples` of each kind to each operation, seeded.

        Of the boundary cases, each or every `stride`-th.
        """
        schema = schemathesis.openapi.from_dict(self.target.document)
        for operation in operations(schema):
            for case in islice(boundaries(schema, operation), 0, None, stride):
                self.send(self._aimed(case, lambda values: values[0]))
            self._explore(operation, GenerationMode.POSITIVE, examples=examples, number=number)
            # a path takes any text, so there is nothing wrong to send it
            if operation.body or operation.query:
                self._explore(operation, GenerationMode.NEGATIVE, examples=examples, number=number)

    def send(self, case: Case[Any]) -> None:
        """Send one request and check its answer."""
        answer = case.call(self.target.address, self.session, timeout=TIMEOUT)
        self.sent[case.operation.label, answer.status_code] += 1
        case.validate_response(answer, checks(), transport_kwargs={"timeout": TIMEOUT})

    def _explore(self, operation: Any, mode: GenerationMode, *, examples: int, number: int) -> None:
        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def explore(case: Case[Any], data: st.DataObject) -> None:
            # what the service does not know of a query it passes over, as HTTP would have it;
            # schemathesis knows that, but not of a parameter without a name
            assume("" not in case.query)

            def pick(values: Sequence[Any]) -> Any:
                return data.draw(st.sampled_from(values))

            aimed = mode is GenerationMode.POSITIVE and pick([True, True, True, False])
            self.send(self._aimed(case, pick) if aimed else case)

        explore()

    def _aimed(self, case: Case[Any], pick: Pick) -> Case[Any]:
        """Let the request name what exists, where it would name anything."""
        if "job_id" in case.path_parameters:
            case.path_parameters["job_id"] = pick(self._ids(case.path))
        if "delivery_id" in case.path_parameters:
            job_id, deliveries = self.target.told
            case.path_parameters |= {"job_id": job_id, "delivery_id": pick(deliveries)}
        wellformed = case.meta and case.meta.generation.mode.is_positive
        # of what is offered nothing but a submission tells
        if case.path == "/v1/jobs" and isinstance(case.body, dict) and wellformed:
            case.body |= {name: pick(values) for name, values in self.target.offered.items()}
        if pick([True, False]):  # or most would be refused as another job's
            case.headers.pop("idempotency-key", None)
        for sent in (case.query, case.headers):
            for name in {*sent} & {*self.target.known}:
                sent[name] = pick([sent[name], *self.target.known[name]])
        return case

    def _ids(self, path: str) -> Sequence[str]:
        """Return the jobs to ask of, those first of which there is something to have."""
        if path.endswith("/events"):
            return self.target.ended
        if path.endswith(("/cancel", "/priority")):
            return [*self.target.waiting, *self.target.jobs]
        return self.target.jobs


def operations(schema: BaseSchema) -> Iterator[Any]:
    """Yield every operation of the document."""
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def boundaries(schema: BaseSchema, operation: Any) -> Iterator[Case[Any]]:
    """Yield a case for every bound that the document states, kept and broken."""
    yield from schema.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=schema.config.generation_for(operation=operation),
    )


def checks() -> list[Any]:
    """Return what every answer is checked for."""
    load_all_checks()
    return [check for check in CHECKS.get_all() if check.__name__ != LEFT_OUT]


def table(sent: Counter[tuple[str, int]]) -> str:
    """Return how many requests were sent, by route, and how they were answered."""
    lines = []
    for label in dict.fromkeys(name for name, _ in sent):
        by_status = {status: count for (name, status), count in sent.items() if name == label}
        told = ", ".join(f"{count:,} x {status}" for status, count in sorted(by_status.items()))
        lines.append(f"{sum(by_status.values()):>7,}  {label:<36} {told}")
    return "\n".join([*lines, f"{sent.total():>7,}  requests"])
