"""Every route of the OpenAPI document does what the document says, and the document says all."""

from typing import Any

import httpx
import jsonschema
import pytest
from sqlalchemy import Engine
from sqlalchemy import create_engine

from service.api.app import create_app
from service.api.options import Options
from service.store import leases
from tests.service.api import deployment
from tests.service.api import hooks

DOCUMENT: dict[str, Any] = create_app(create_engine("sqlite://")).openapi()
OPERATIONS = [
    pytest.param(path, method, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
]
PROMISED = {
    "POST /v1/jobs",
    "GET /v1/jobs",
    "GET /v1/jobs/{job_id}",
    "POST /v1/jobs/{job_id}/cancel",
    "POST /v1/jobs/{job_id}/priority",
    "GET /v1/jobs/{job_id}/trials",
    "GET /v1/jobs/{job_id}/front",
    "GET /v1/jobs/{job_id}/best",
    "GET /v1/jobs/{job_id}/events",
    "GET /v1/jobs/{job_id}/report",
    "GET /v1/jobs/{job_id}/deliveries",
    "POST /v1/jobs/{job_id}/deliveries/{delivery_id}/resend",
    "GET /v1/models",
    "GET /v1/datasets",
    "GET /v1/quantizers",
    "GET /v1/samplers",
    "GET /livez",
    "GET /readyz",
    "GET /metrics",
}


BODIES = {"/v1/jobs": deployment.BODY, "/v1/jobs/{job_id}/priority": {"priority": 1}}


def schema_of(operation: dict[str, Any], status: int) -> dict[str, Any]:
    content = operation["responses"][str(status)]["content"]
    # references are to the document's own components
    return {**next(iter(content.values()))["schema"], "components": DOCUMENT["components"]}


def operation_of(path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]
    return found


def test_it_lists_the_whole_contract_and_nothing_else() -> None:
    assert {f"{m.upper()} {p}" for p, ms in DOCUMENT["paths"].items() for m in ms} == PROMISED


@pytest.mark.parametrize("path, method", OPERATIONS)
class TestEveryRoute:
    def test_it_is_described(self, path: str, method: str) -> None:
        operation = operation_of(path, method)
        assert operation["description"]
        assert operation["tags"]

    def test_its_problems_have_examples(self, path: str, method: str) -> None:
        errors = {
            int(status): answer
            for status, answer in operation_of(path, method)["responses"].items()
            if int(status) >= 400
        }
        assert 500 in errors
        for status, answer in errors.items():
            assert list(answer["content"]) == ["application/problem+json"]
            examples = answer["content"]["application/problem+json"]["examples"]
            for code, example in examples.items():
                assert example["value"]["status"] == status
                assert example["value"]["type"].endswith(f":{code}")
                jsonschema.validate(example["value"], schema_of(operation_of(path, method), status))

    def test_asked_for_what_is_not_there_it_answers_as_documented(
        self, path: str, method: str, client: httpx.Client
    ) -> None:
        url = path.replace("{job_id}", "nothing")
        answer = client.request(method, url)
        operation = operation_of(path, method)
        assert str(answer.status_code) in operation["responses"]
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        text = answer.headers["content-type"].startswith("text/plain")
        told = answer.text if text else answer.json()
        jsonschema.validate(told, schema_of(operation, answer.status_code))

    def test_asked_for_a_finished_job_it_answers_as_documented(
        self, path: str, method: str, *, engine: Engine
    ) -> None:
        deployment.announce(engine)
        deployment.enqueue(engine, webhook=hooks.WEBHOOK)
        lease = deployment.start(engine)
        deployment.record(engine, lease, *deployment.MIXED)
        leases.succeed(engine, lease, deployment.BEST_DOCUMENT)
        body = BODIES.get(path) if method == "post" else None
        url = path.format(job_id=lease.job_id, delivery_id=hooks.tried(engine).id)
        options = Options(poll_seconds=0.05, webhook_hosts=hooks.HOSTS)
        with deployment.client_of(create_app(engine, options)) as client:
            answer = client.request(method, url, json=body)
        operation = operation_of(path, method)
        assert str(answer.status_code) in operation["responses"]
        assert answer.status_code < 400 or path.endswith(("/cancel", "/priority"))
        documented = operation["responses"][str(answer.status_code)]["content"]
        assert answer.headers["content-type"].split(";")[0] in documented
        if answer.headers["content-type"] == "application/json":
            jsonschema.validate(answer.json(), schema_of(operation, answer.status_code))
