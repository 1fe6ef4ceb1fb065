"""Turns whatever a request raised into a problem document, by the table."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import cast

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Match

from service.api import headers
from service.api import problems
from service.api import request_ids
from service.api import validation
from service.api.errors import UnknownRoute

_log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """Make every answer that is an error a problem document."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in problems.TABLE:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(Exception, _unexpected)


def _known(request: Request, error: Exception) -> Response:
    answer = problems.of(error)
    if answer.status_code >= 500:  # noqa: PLR2004 - ours, not the client's
        _log.warning("cannot serve", path=request.url.path, error=str(error))
    return answer


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("request failed", path=request.url.path, exc_info=error)
    answer = _internal()
    # answered outside all middleware
    headers.add(answer.headers)
    request_ids.add(answer.headers, request.scope)
    return answer


def _internal() -> Response:
    return problems.response(problems.INTERNAL, problems.INTERNAL.detail or "")


def _invalid(_request: Request, error: Exception) -> Response:
    invalid = cast(RequestValidationError, error)
    errors = invalid.errors()
    if errors and errors[0]["type"] == "json_invalid":
        where = errors[0]["loc"][-1]
        why = errors[0]["ctx"]["error"]
        return problems.response(problems.NOT_JSON, f"{why} at character {where}")
    if isinstance(invalid.body, bytes):
        # FastAPI parses a body only where the request says that it is JSON
        return problems.response(
            problems.WRONG_MEDIA_TYPE, "send the body with `Content-Type: application/json`"
        )
    found = validation.field_errors(errors)
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in found[:3])
    return problems.response(problems.INVALID, detail, members={"errors": found})


def _http(request: Request, error: Exception) -> Response:
    """Answer what the framework raised by itself."""
    http = cast(HTTPException, error)
    path = request.url.path
    match http.status_code:
        case 400:
            return problems.response(problems.NOT_JSON, "the body cannot be read as JSON")
        case 403 | 404:  # the dashboard forbids names that lead out of its files
            return problems.of(UnknownRoute(path))
        case 405:
            answer = problems.response(
                problems.WRONG_METHOD, f"{request.method} is not allowed at {path[:200]}"
            )
            answer.headers["Allow"] = ", ".join(_allowed(request))
            return answer
        case 408:
            return problems.response(problems.TOO_SLOW, str(http.detail))
        case 413:
            return problems.response(problems.TOO_LARGE, str(http.detail))
        case _:
            _log.error("request failed", path=path, status=http.status_code)
            return _internal()


def _allowed(request: Request) -> list[str]:
    """Return every method of the path; the framework names those of its first route only."""
    every = _flat(request.app.routes)
    routes = [route for route in every if route.matches(request.scope)[0] != Match.NONE]
    return sorted({method for route in routes for method in getattr(route, "methods", ())})


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        # a router that was included stays one
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from _flat(included.routes)
