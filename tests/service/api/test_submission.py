"""What may be submitted, and how each refusal reads."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from search import cost
from search import spec
from search.spec import JobSpec
from search.splits import Splits
from service.api.app import create_app
from service.api.submission import JobSubmission
from service.store import jobs
from tests.service.api.deployment import BODY
from tests.service.api.deployment import client_of
from tests.service.api.deployment import problem_of

JSON = {"Content-Type": "application/json"}
SCHEMA = JobSubmission.model_json_schema()


class TestSubmit:
    def test_a_job_is_queued_and_located(self, client: httpx.Client, engine: Engine) -> None:
        answer = client.post("/v1/jobs", json=BODY | {"labels": {"team": "vision"}})
        assert answer.status_code == 202
        job = answer.json()
        assert answer.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
        assert job["state"] == "queued"
        assert job["spec"]["bit_widths"] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert jobs.get(engine, job["id"]).submission.labels == {"team": "vision"}

    def test_rules_for_points_come_back_as_they_were_sent(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        rules = {
            "features.0": {"bit_widths": [8]},
            "classifier.*": {"exclude": True},
            "features.3": {"upper_bound": 6.5},
            "*": {"quantizers": ["affine"], "bit_widths": [4, 2], "exclude": False},
        }
        job = client.post("/v1/jobs", json=BODY | {"points": rules}).json()
        assert list(job["spec"]["points"].items()) == list(rules.items())
        resubmitted = client.post("/v1/jobs", json=job["spec"]).json()
        stored = [jobs.get(engine, one["id"]).submission.spec for one in (job, resubmitted)]
        assert stored[0] == stored[1]
        assert [pattern for pattern, _ in stored[0].points] == [*rules]

    def test_what_is_said_about_images_comes_back_and_is_stored(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        said = {
            "metric": "top5",
            "splits": {"calibration": 64, "search": None, "certification": 900},
            "preprocessing": {
                "resize": 146,
                "crop": 128,
                "mean": [0, 0.456, 0.406],
                "std": [0.229, 0.224, 0.225],
                "interpolation": "bicubic",
            },
        }
        job = client.post("/v1/jobs", json=BODY | said).json()
        assert {name: job["spec"][name] for name in said} == said
        spec = jobs.get(engine, job["id"]).submission.spec
        assert spec.splits == Splits(calibration=64, certification=900)
        assert spec.preprocessing is not None
        assert spec.preprocessing.mean == (0.0, 0.456, 0.406)
        again = client.post("/v1/jobs", json=job["spec"]).json()
        assert jobs.get(engine, again["id"]).submission.spec == spec

    @pytest.mark.parametrize(
        "said, field",
        [
            ({"metric": "top3"}, "metric"),
            ({"splits": {"calibration": 1}}, "splits.calibration"),
            ({"splits": {"training": 9}}, "splits.training"),
            ({"preprocessing": {"crop": 0}}, "preprocessing.crop"),
            ({"preprocessing": {"mean": [0.5]}}, "preprocessing"),
            ({"preprocessing": {"mean": [0.5], "std": [0]}}, "preprocessing.std.0"),
            ({"preprocessing": {"interpolation": "nearest"}}, "preprocessing.interpolation"),
        ],
    )
    def test_what_cannot_be_said_about_images_is_named(
        self, client: httpx.Client, said: dict[str, Any], field: str
    ) -> None:
        answer = client.post("/v1/jobs", json=BODY | said)
        (error,) = problem_of(answer, status=422, code="validation-failed")["errors"]
        assert error["field"] == field

    def test_a_quantizer_that_only_a_rule_names_must_be_known_too(
        self, client: httpx.Client
    ) -> None:
        body = BODY | {"points": {"features.*": {"quantizers": ["ternary"]}}}
        error = problem_of(client.post("/v1/jobs", json=body), status=422, code="unknown-name")[
            "errors"
        ][0]
        assert error["field"] == "points.features.*.quantizers"

    def test_what_is_quantized_and_proved_comes_back_and_is_stored(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        said = {
            "target": "both",
            "tie": "join",
            "objective": "bit_operations",
            "goal": "front",
            "confidence": 0.99,
        }
        job = client.post("/v1/jobs", json=BODY | said).json()
        assert {name: job["spec"][name] for name in said} == said
        spec = jobs.get(engine, job["id"]).submission.spec
        assert {name: getattr(spec, name) for name in said} == said

    def test_left_out_they_get_the_defaults_of_the_search(
        self, client: httpx.Client, engine: Engine
    ) -> None:
        job = client.post("/v1/jobs", json=BODY).json()
        assert jobs.get(engine, job["id"]).submission.spec == JobSpec(**BODY)
        assert job["spec"]["objective"] is None

    def test_an_objective_that_the_target_does_not_touch_comes_with_the_remedy(
        self, client: httpx.Client
    ) -> None:
        body = BODY | {"target": "weights", "objective": "peak_activation_memory"}
        answer = client.post("/v1/jobs", json=body)
        (error,) = problem_of(answer, status=422, code="validation-failed")["errors"]
        assert error["field"] == "objective"
        assert "choose another target" in error["message"]

    def test_one_key_is_one_job(self, client: httpx.Client) -> None:
        headers = {"Idempotency-Key": "nightly-7"}
        first = client.post("/v1/jobs", json=BODY, headers=headers)
        again = client.post("/v1/jobs", json=BODY, headers=headers)
        other = client.post("/v1/jobs", json=BODY | {"seed": 1}, headers=headers)
        assert (first.status_code, again.status_code) == (202, 200)
        assert first.json()["id"] == again.json()["id"]
        assert again.headers["location"] == first.headers["location"]
        conflict = problem_of(other, status=409, code="idempotency-conflict")
        assert conflict["job"] == first.json()["id"]

    @pytest.mark.parametrize(
        "change",
        [{"fresh": True}, {"priority": 3}, {"labels": {"team": "x"}}, {"tolerance": 0.021}],
        ids=lambda change: next(iter(change)),
    )
    def test_one_key_stands_for_one_body_whatever_field_it_differs_in(
        self, client: httpx.Client, change: dict[str, Any]
    ) -> None:
        headers = {"Idempotency-Key": "nightly-8"}
        assert client.post("/v1/jobs", json=BODY, headers=headers).status_code == 202
        other = client.post("/v1/jobs", json=BODY | change, headers=headers)
        problem_of(other, status=409, code="idempotency-conflict")
        # and either way round
        headers = {"Idempotency-Key": "nightly-9"}
        assert client.post("/v1/jobs", json=BODY | change, headers=headers).status_code == 202
        other = client.post("/v1/jobs", json=BODY, headers=headers)
        problem_of(other, status=409, code="idempotency-conflict")

    def test_any_text_a_label_may_hold_comes_back(self, client: httpx.Client) -> None:
        labels = {"team/a.b_c-d": "Größe: 3 %\u2028'\"; --", "empty": ""}
        job = client.post("/v1/jobs", json=BODY | {"labels": labels}).json()
        assert job["labels"] == labels
        found = client.get("/v1/jobs", params={"label": "team/a.b_c-d:" + labels["team/a.b_c-d"]})
        assert [one["id"] for one in found.json()["items"]] == [job["id"]]

    @pytest.mark.parametrize("key", ["", "k" * 201, "caf\u00e9"], ids=["empty", "long", "accent"])
    def test_a_key_must_be_short_plain_text(self, client: httpx.Client, key: str) -> None:
        answer = client.post("/v1/jobs", json=BODY, headers={b"Idempotency-Key": key.encode()})
        found = problem_of(answer, status=422, code="validation-failed")
        assert found["errors"][0]["field"] == "idempotency-key"

    def test_without_any_worker_the_answer_is_to_come_back(self, engine: Engine) -> None:
        with client_of(create_app(engine)) as client:
            answer = client.post("/v1/jobs", json=BODY)
        problem_of(answer, status=503, code="no-worker-yet")
        assert int(answer.headers["retry-after"]) > 0

    @pytest.mark.parametrize(
        "field, value, known",
        [
            ("model", "resnet", "tiny"),
            ("dataset", "imagenet", "digits"),
            ("quantizers", ["affine", "ternary"], "codebook_bounded"),
            ("sampler", "nsga", "random"),
        ],
    )
    def test_an_unknown_name_is_told_with_the_known_ones(
        self, client: httpx.Client, *, field: str, value: Any, known: str
    ) -> None:
        answer = client.post("/v1/jobs", json=BODY | {field: value})
        error = problem_of(answer, status=422, code="unknown-name")["errors"][0]
        assert error["field"] == field
        assert known in error["known"]
        assert known in error["message"]


class TestChoices:
    @pytest.mark.parametrize(
        "field, offered",
        [
            ("target", tuple(spec.TARGETS)),
            ("tie", spec.TIES),
            ("goal", spec.GOALS),
            ("metric", tuple(spec.METRICS)),
        ],
    )
    def test_they_are_those_that_the_search_knows(
        self, field: str, offered: tuple[str, ...]
    ) -> None:
        assert SCHEMA["properties"][field]["enum"] == [*offered]

    def test_so_are_the_objectives(self) -> None:
        either = SCHEMA["properties"]["objective"]["anyOf"]
        assert either[0]["enum"] == [*cost.OFFERED]


class TestFields:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """Whatever the database: nothing of this reaches it."""
        return sqlite_url

    @pytest.mark.parametrize(
        "field, value, named",
        [
            ("tolerance", -0.01, "tolerance"),
            ("tolerance", 1, "tolerance"),
            ("tolerance", "0.1", "tolerance"),
            ("tolerance", None, "tolerance"),
            ("bit_widths", [], "bit_widths"),
            ("bit_widths", [0], "bit_widths.0"),
            ("bit_widths", [4, 17], "bit_widths.1"),
            ("bit_widths", [4.5], "bit_widths.0"),
            ("bit_widths", [True], "bit_widths.0"),
            ("bit_widths", 4, "bit_widths"),
            ("bit_widths", [4, 4], "bit_widths"),
            ("objective", "beauty", "objective"),
            ("objective", "weight_memory", "objective"),
            ("target", "gradients", "target"),
            ("target", None, "target"),
            ("tie", "all", "tie"),
            ("tie", True, "tie"),
            ("goal", "ceiling", "goal"),
            ("confidence", 0.49, "confidence"),
            ("confidence", 1, "confidence"),
            ("confidence", "0.95", "confidence"),
            ("confidence", None, "confidence"),
            ("points", [], "points"),
            ("points", {"": {"exclude": True}}, "points..[key]"),
            ("points", {"a.*": {}}, "points.a.*"),
            ("points", {"a.*": None}, "points.a.*"),
            ("points", {"a.*": {"bits": [8]}}, "points.a.*.bits"),
            ("points", {"a.*": {"bit_widths": [17]}}, "points.a.*.bit_widths.0"),
            ("points", {"a.*": {"bit_widths": []}}, "points.a.*.bit_widths"),
            ("points", {"a.*": {"bit_widths": [8, 8]}}, "points.a.*.bit_widths"),
            ("points", {"a.*": {"quantizers": "affine"}}, "points.a.*.quantizers"),
            ("points", {"a.*": {"exclude": 1}}, "points.a.*.exclude"),
            ("points", {"a.*": {"upper_bound": 0}}, "points.a.*.upper_bound"),
            ("points", {"a.*": {"upper_bound": "6"}}, "points.a.*.upper_bound"),
            ("quantizers", [], "quantizers"),
            ("quantizers", ["affine", "affine"], "quantizers"),
            ("quantizers", "affine", "quantizers"),
            ("quantizers", [""], "quantizers.0"),
            ("model", "", "model"),
            ("model", "m" * 201, "model"),
            ("model", 7, "model"),
            ("budget", 0, "budget"),
            ("budget", 100_001, "budget"),
            ("budget", 10**300, "budget"),
            ("seed", -1, "seed"),
            ("seed", 2**32, "seed"),
            ("seed", False, "seed"),
            ("trial_timeout", 0, "trial_timeout"),
            ("trial_timeout", 1e9, "trial_timeout"),
            ("priority", 1001, "priority"),
            ("labels", [], "labels"),
            ("labels", {"team": 1}, "labels.team"),
            ("labels", {"team": "a\x00b"}, "labels.team"),
            ("labels", {"team": "a\nb"}, "labels.team"),
            ("labels", {"team": "x" * 256}, "labels.team"),
            ("labels", {"a:b": "x"}, "labels.a:b.[key]"),
            ("labels", {"": "x"}, "labels..[key]"),
            ("labels", {"k" * 64: "x"}, f"labels.{'k' * 64}.[key]"),
            ("labels", {f"k{n}": "" for n in range(33)}, "labels"),
            ("toleranse", 0.1, "toleranse"),
        ],
    )
    def test_a_value_that_cannot_be_used_is_named(
        self, client: httpx.Client, *, field: str, value: Any, named: str
    ) -> None:
        answer = client.post("/v1/jobs", json=BODY | {field: value})
        errors = problem_of(answer, status=422, code="validation-failed")["errors"]
        assert [error["field"] for error in errors] == [named]
        assert errors[0]["message"]

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    @pytest.mark.parametrize("field", ["tolerance", "trial_timeout", "seed"])
    def test_numbers_that_are_not_finite_are_refused(
        self, client: httpx.Client, *, field: str, number: str
    ) -> None:
        rest = json.dumps({key: value for key, value in BODY.items() if key != field})
        text = rest[:-1] + f', "{field}": {number}}}'
        answer = client.post("/v1/jobs", content=text, headers=JSON)
        errors = problem_of(answer, status=422, code="validation-failed")["errors"]
        assert errors[0]["field"] == field

    def test_text_that_is_no_unicode_is_refused(self, client: httpx.Client) -> None:
        text = json.dumps(BODY)[:-1] + ', "labels": {"team": "\\ud800"}}'
        answer = client.post("/v1/jobs", content=text, headers=JSON)
        problem_of(answer, status=422, code="validation-failed")

    def test_every_wrong_field_is_told_at_once(self, client: httpx.Client) -> None:
        answer = client.post("/v1/jobs", json={"tolerance": 2, "budget": 0})
        errors = problem_of(answer, status=422, code="validation-failed")["errors"]
        assert {error["field"] for error in errors} == {"model", "dataset", "tolerance", "budget"}
        messages = {error["field"]: error["message"] for error in errors}
        assert messages["model"] == "field required; add it"

    @pytest.mark.parametrize("body", [[], "text", 7, None])
    def test_a_body_must_be_an_object(self, client: httpx.Client, body: Any) -> None:
        answer = client.post("/v1/jobs", content=json.dumps(body), headers=JSON)
        problem_of(answer, status=422, code="validation-failed")


class TestBody:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """Whatever the database: nothing of this reaches it."""
        return sqlite_url

    @pytest.mark.parametrize(
        "text",
        [b"{", b"model=tiny", b'{"a": 1,}', b"\xff\xfe", b"[" * 100_000, b"1" * 5_000],
        ids=["cut", "form", "comma", "no utf-8", "deep", "digits"],
    )
    def test_what_is_not_json_is_told_so(self, client: httpx.Client, text: bytes) -> None:
        problem_of(client.post("/v1/jobs", content=text, headers=JSON), status=400, code="not-json")

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}],
    )
    def test_a_body_must_be_declared_as_json(
        self, client: httpx.Client, headers: dict[str, str]
    ) -> None:
        # also what keeps other sites' forms out: a browser asks first before it declares JSON
        answer = client.post("/v1/jobs", content=json.dumps(BODY), headers=headers)
        problem_of(answer, status=415, code="unsupported-media-type")

    def test_a_missing_body_is_told_so(self, client: httpx.Client) -> None:
        problem_of(client.post("/v1/jobs", headers=JSON), status=422, code="validation-failed")

    def test_a_declared_length_above_the_limit_is_refused(self, client: httpx.Client) -> None:
        body = b" " * (1024 * 1024 + 1)
        answer = client.post("/v1/jobs", content=body, headers=JSON)
        problem_of(answer, status=413, code="body-too-large")

    def test_so_is_a_body_of_undeclared_length(self, client: httpx.Client) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(17):
                yield b" " * (64 * 1024)

        answer = client.post("/v1/jobs", content=chunks(), headers=JSON)
        assert "content-length" not in answer.request.headers
        problem_of(answer, status=413, code="body-too-large")

    def test_a_body_of_exactly_the_limit_is_read(self, client: httpx.Client) -> None:
        text = json.dumps(BODY).encode()
        answer = client.post("/v1/jobs", content=text.ljust(1024 * 1024), headers=JSON)
        assert answer.status_code == 202
