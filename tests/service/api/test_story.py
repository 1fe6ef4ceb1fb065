"""The OpenAPI document shows an example of all that goes over, and every one of them is true."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import httpx
import jsonschema
import pytest
from sqlalchemy import Engine
from sqlalchemy import create_engine

from service.api import answer_examples
from service.api import request_examples
from service.api import story
from service.api.app import create_app
from service.api.examples import JOB_ID
from service.api.options import Options
from service.store import catalog
from service.store import leases
from service.store import starts
from service.store.values import Offer
from tests.service.api import deployment
from tests.service.api import hooks

DOCUMENT: dict[str, Any] = create_app(create_engine("sqlite://")).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
#: what the examples name
NAMED = (
    *deployment.OFFERS,
    *(Offer(kind="model", name=n, details={}) for n in ("digits-vgg", "torchvision/resnet18")),
    Offer(kind="dataset", name="folder/products", details={}),
    *(Offer(kind="quantizer", name=n, details={}) for n in ("affine", "affine_mse")),
)
BODIES = [
    pytest.param(operation, body, id=f"{operation} {name}")
    for operation, bodies in request_examples.BODIES.items()
    for name, (_, body) in bodies.items()
]


def answers(operation: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (status, media type, what the document says of it) of answers that are no problems."""
    for status, answer in OPERATIONS[operation]["responses"].items():
        if int(status) < 400:
            yield from ((status, kind, told) for kind, told in answer.get("content", {}).items())


def closed(schema: Any) -> Any:
    """Return the schema so that what it does not name is an error."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(part) for name, part in schema.items()}
    if "properties" in inner and "additionalProperties" not in inner:
        inner["additionalProperties"] = False
    return inner


def validate(value: object, schema: Mapping[str, Any]) -> None:
    """Raise unless the value is what the schema says, with nothing left out and nothing added."""
    components = closed(DOCUMENT["components"])
    jsonschema.validate(value, {**closed(dict(schema)), "components": components})


class TestStory:
    def test_every_operation_has_its_place_in_it(self) -> None:
        missing = OPERATIONS.keys() - story.OPERATIONS.keys()
        assert not missing, f"say where {missing} belong, in OPERATIONS of service/api/story.py"
        assert story.OPERATIONS.keys() - OPERATIONS.keys() == set()
        assert {tag for tag, _ in story.OPERATIONS.values()} == {*story.TAGS}

    def test_the_document_is_in_its_order(self) -> None:
        assert [tag["name"] for tag in DOCUMENT["tags"]] == [*story.TAGS]
        for tag in story.TAGS:
            told = [name for name, (of, _) in story.OPERATIONS.items() if of == tag]
            assert [name for name in OPERATIONS if OPERATIONS[name]["tags"] == [tag]] == told

    def test_it_begins_with_a_walk_whose_paths_exist(self) -> None:
        walk = story.DESCRIPTION.partition("```sh")[2].partition("```")[0]
        paths = [word.removeprefix("$api") for word in walk.split() if word.startswith("$api")]
        known = {name.partition(" ")[2].replace("{job_id}", "$id") for name in OPERATIONS}
        assert len(paths) == 6
        assert {*paths} <= known


@pytest.mark.parametrize("name", OPERATIONS)
class TestEveryOperation:
    def test_its_answers_have_examples_that_fit(self, name: str) -> None:
        for status, kind, told in answers(name):
            assert "example" in told, f"give {name} {status} {kind} one in answer_examples.py"
            if kind == "application/json":
                validate(told["example"], told["schema"])
            else:
                assert isinstance(told["example"], str)
        shown = {(status, kind) for status, kind, _ in answers(name)}
        listed = answer_examples.ANSWERS[name]
        assert shown == {(str(status), kind) for status in listed for kind in listed[status]}

    def test_its_parameters_have_examples_that_fit(self, name: str) -> None:
        for parameter in OPERATIONS[name].get("parameters", ()):
            told = f"give {parameter['name']} one in PARAMETERS of request_examples.py"
            assert "example" in parameter, told
            validate(parameter["example"], parameter["schema"])

    def test_its_body_has_examples(self, name: str) -> None:
        if "requestBody" in OPERATIONS[name]:
            assert request_examples.BODIES.get(name), f"give {name} one in request_examples.py"

    def test_its_headers_have_examples(self, name: str) -> None:
        for status, answer in OPERATIONS[name]["responses"].items():
            for header, told in answer.get("headers", {}).items():
                assert told["example"], (status, header)
                assert told["description"], (status, header)

    def test_every_status_is_described_in_its_own_words(self, name: str) -> None:
        told = [answer["description"] for answer in OPERATIONS[name]["responses"].values()]
        assert "Successful Response" not in told
        assert OPERATIONS[name]["summary"] == story.OPERATIONS[name][1]


@pytest.fixture
def offered(engine: Engine) -> Iterator[httpx.Client]:
    """Return a connection to a service that offers what the examples name."""
    catalog.announce(engine, NAMED)
    options = Options(webhook_hosts=hooks.HOSTS)
    with deployment.client_of(create_app(engine, options)) as client:
        yield client


class TestExamples:
    @pytest.mark.parametrize("operation, body", BODIES)
    def test_a_body_is_taken_as_it_stands(
        self, operation: str, body: dict[str, Any], *, offered: httpx.Client, engine: Engine
    ) -> None:
        if body.get("from_job") == JOB_ID:
            alike = {name: value for name, value in body.items() if name != "from_job"}
            body = body | {"from_job": ended(engine, offered, body=alike)}
        method, path = operation.split(" ")
        waiting = offered.post("/v1/jobs", json=deployment.BODY | {"seed": 5}).json()["id"]
        answer = offered.request(method, path.replace("{job_id}", waiting), json=body)
        assert answer.status_code in (200, 202), answer.text

    @pytest.mark.parametrize(
        "name", [name for name in OPERATIONS if "json" in str([*answers(name)])]
    )
    def test_an_answer_has_the_fields_of_a_real_one(
        self, name: str, offered: httpx.Client, *, engine: Engine
    ) -> None:
        body = deployment.BODY | {"webhook": {"url": hooks.WEBHOOK.url}}
        finished = ended(engine, offered, body=body)
        told = hooks.tried(engine)
        waiting = offered.post("/v1/jobs", json=deployment.BODY | {"seed": 5}).json()["id"]
        method, path = name.split(" ")
        job = waiting if path.endswith(("/cancel", "/priority")) else finished
        body = deployment.BODY if path == "/v1/jobs" else {"priority": 3}
        url = path.format(job_id=job, delivery_id=told.id)
        answer = offered.request(method, url, json=body if method == "POST" else None)
        example = answer_examples.ANSWERS[name][answer.status_code]["application/json"]
        # what a worker writes is held against the example where it is written
        assert {*example} == {*answer.json()} or name.endswith("/best")


def ended(engine: Engine, offered: httpx.Client, *, body: Mapping[str, Any]) -> str:
    """Return the id of a job of this body that has succeeded."""
    assert offered.post("/v1/jobs", json=body).status_code == 202
    lease = deployment.start(engine)
    starts.stand_on(engine, lease, {"model": "a digest"})
    deployment.record(engine, lease, *deployment.MIXED)
    leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
    return lease.job_id
