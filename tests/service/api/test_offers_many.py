"""A deployment with more models than a sentence can list."""

import httpx
from sqlalchemy import Engine

from search.nearest import CLOSEST
from service.api.app import create_app
from service.store import catalog
from service.store.values import Offer
from tests.service.api import deployment
from tests.service.api.deployment import BODY
from tests.service.api.deployment import client_of
from tests.service.api.deployment import problem_of

MANY = tuple(
    Offer(
        kind="model",
        name=f"torchvision/net{number}",
        details={
            "source": "torchvision",
            "summary": f"net{number}",
            "input_shape": [3, 224, 224],
            "classes": 1000,
            "weights": ["IMAGENET1K_V1", f"net{number}.safetensors"],
        },
    )
    for number in range(120)
)


def test_all_models_are_listed_by_name_with_their_details(engine: Engine) -> None:
    deployment.announce(engine)
    catalog.announce(engine, MANY)
    with client_of(create_app(engine)) as client:
        items = client.get("/v1/models").json()["items"]
    assert [item["name"] for item in items] == sorted([*(o.name for o in MANY), "tiny"])
    assert {**MANY[7].details, "name": MANY[7].name} in items


def test_an_unknown_name_is_answered_with_the_closest_and_where_all_are(engine: Engine) -> None:
    deployment.announce(engine)
    catalog.announce(engine, MANY)
    with client_of(create_app(engine)) as client:
        answer = client.post("/v1/jobs", json=BODY | {"model": "net17"})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    error = problem_of(answer, status=422, code="unknown-name")["errors"][0]
    assert error["field"] == "model"
    assert error["known"][0] == "torchvision/net17"
    assert len(error["known"]) <= CLOSEST
    assert "offered are 121 names, closest torchvision/net17, " in error["message"]
    assert error["message"].endswith("GET /v1/models lists all")
    assert len(error["message"]) < 250


def test_weights_come_back_as_they_were_said(engine: Engine) -> None:
    deployment.announce(engine)
    with client_of(create_app(engine)) as client:
        said = client.post("/v1/jobs", json=BODY | {"weights": "team/tiny.safetensors"}).json()
        silent = client.post("/v1/jobs", json=BODY).json()
        wrong = client.post("/v1/jobs", json=BODY | {"weights": 7})
    assert said["spec"]["weights"] == "team/tiny.safetensors"
    assert silent["spec"]["weights"] is None
    assert wrong.status_code == httpx.codes.UNPROCESSABLE_ENTITY
