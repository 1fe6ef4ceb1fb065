"""Says in the OpenAPI document which problems each route can answer with."""

from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from service.api import problems
from service.api import schemas
from service.api.door import is_public
from service.api.door import scope_of
from service.api.errors import NoAnswerInTime
from service.api.errors import ScopeMissing
from service.api.errors import TooManyRequests
from service.api.errors import Unauthenticated
from service.api.errors import WrongHost
from service.api.illustrated import illustrate
from service.api.problems import Problem
from service.store.errors import DatabaseBusy
from service.store.errors import DatabaseFull
from service.store.errors import DatabaseUnreachable
from service.store.errors import SchemaOutdated

Responses = dict[int | str, dict[str, Any]]

_REF = "#/components/schemas/{model}"
_FASTAPI_S = "Successful Response"
_EVERYWHERE = (WrongHost, NoAnswerInTime)
_AT_THE_DOOR = (Unauthenticated, ScopeMissing, TooManyRequests)
_DATABASE = (DatabaseUnreachable, DatabaseBusy, DatabaseFull, SchemaOutdated)

_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "From `bitfloor token create`; a service on loopback may ask for none.",
}


def responses(
    *kinds: type[Exception] | Problem, database: bool = True, public: bool = False
) -> Responses:
    """Return the documentation of these problems, and of what can go wrong with any route.

    `public`: no token is asked for.
    """
    rows = [kind if isinstance(kind, Problem) else problems.TABLE[kind] for kind in kinds]
    rows += [problems.TABLE[kind] for kind in _EVERYWHERE]
    rows += [problems.TABLE[kind] for kind in _DATABASE] if database else []
    rows += [] if public else [problems.TABLE[kind] for kind in _AT_THE_DOOR]
    rows.append(problems.INTERNAL)
    by_status: dict[int, list[Problem]] = defaultdict(list)
    for row in rows:
        by_status[row.status].append(row)
    return {status: _response(alike) for status, alike in sorted(by_status.items())}


def headers(*names: str) -> dict[str, Any]:
    """Return the documentation of these headers of an answer."""
    return {name: {"schema": {"type": "string"}} for name in names}


def install(app: FastAPI) -> None:
    """Serve an OpenAPI document that knows the problem document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    _, definitions = models_json_schema([(schemas.Problem, "serialization")], ref_template=_REF)
    known = document["components"]["schemas"]
    known.update(definitions["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        known.pop(name, None)
    document["components"]["securitySchemes"] = {"token": _TOKEN}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _drop_framework_errors(operation["responses"])
            _name_answers(operation["responses"])
            if not is_public(path):
                # OpenAPI 3.1 lets any scheme name what it needs
                operation["security"] = [{"token": [scope_of(method.upper(), path).value]}]
    illustrate(document)
    return document


def _name_answers(answers: dict[str, Any]) -> None:
    for answer in answers.values():
        if answer["description"] == _FASTAPI_S:
            answer["description"] = "As asked for"


def _drop_framework_errors(answers: dict[str, Any]) -> None:
    # FastAPI adds its own form of a 422 wherever there is a parameter; where we did not replace
    # it, any text will do for the parameter, and no answer has that form
    if "application/json" in answers.get("422", {}).get("content", {}):
        del answers["422"]


def _response(alike: list[Problem]) -> dict[str, Any]:
    examples = {
        row.code: {
            "summary": row.title,
            "value": problems.document(row, row.detail or row.title, members=row.example),
        }
        for row in alike
    }
    told = sorted({name for row in alike for name in (*row.headers, *row.also)})
    return {
        "description": "; ".join(row.title for row in alike),
        **({"headers": headers(*told)} if told else {}),
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"$ref": _REF.format(model="Problem")},
                "examples": examples,
            }
        },
    }
