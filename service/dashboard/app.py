"""Optuna Dashboard over our rows: an ASGI application that only ever reads."""

from typing import Any
from typing import NoReturn
from typing import cast

from a2wsgi import WSGIMiddleware
from bottle import Bottle
from bottle import HTTPError
from bottle import request
from optuna.trial import FrozenTrial
from optuna_dashboard._app import create_app
from optuna_dashboard._bottle_util import json_api_view
from optuna_dashboard._serializer import serialize_study_detail
from sqlalchemy import Engine
from starlette.types import ASGIApp

from service.dashboard.notes import add_notes
from service.dashboard.storage import JobStorage

_THREADS = 4


def dashboard(engine: Engine, tenant: str | None = None) -> ASGIApp:
    """Return the dashboard of one tenant's jobs, of all for None.

    For GET and HEAD at the paths that are its own.
    """
    application = WSGIMiddleware(bottle_app(JobStorage(engine, tenant)), workers=_THREADS)
    return cast(ASGIApp, application)  # a2wsgi spells the same types out its own way


def bottle_app(storage: JobStorage) -> Bottle:
    """Return Optuna's application with the routes replaced that would mislead or not scale."""
    app = create_app(storage)

    def study_detail(study_id: int) -> dict[str, Any]:
        after = request.params.get("after", "0")
        if not after.isdecimal():
            raise HTTPError(400, "`after` counts the trials to leave out, from 0.")
        return _detail(storage, study_id, after=int(after))

    # a route registered again replaces the first one
    app.route("/api/studies/<study_id:int>", "GET", json_api_view(study_detail))
    app.route("/api/studies/<_:int>/plot/<_type>", "GET", json_api_view(_plot))
    app.route("/api/meta", "GET", json_api_view(_meta))
    app.add_hook("before_request", _state_an_encoding)
    return app


def _detail(storage: JobStorage, study_id: int, *, after: int) -> dict[str, Any]:
    """Return what Optuna's own route returns, but for three things.

    The best trials are feasible: Optuna Dashboard 0.21 ignores constraints there. What is known of
    the search beforehand is not worked out anew from every trial at every poll. And the plots, kept
    by others among the study's attributes in pieces, are passed on whole and in their order.
    """
    try:
        study = storage.get_study(study_id)
    except KeyError:
        raise HTTPError(404, f"study_id={study_id} is not found") from None
    trials = storage.get_all_trials(study_id, deepcopy=False)
    space = sorted(storage.get_search_space(study_id).items())
    detail: dict[str, Any] = serialize_study_detail(
        study,
        storage.get_front(study_id),
        trials[after:],
        space,
        space,
        _user_attrs(trials),
        False,  # noqa: FBT003 - no intermediate values
        storage.get_plots(study_id),
        [],
    )
    for listed in ("trials", "best_trials"):
        add_notes(detail[listed], trials)
    return detail


def _user_attrs(trials: list[FrozenTrial]) -> list[tuple[str, bool]]:
    # every trial has the same; numbers can be sorted by
    attrs = trials[0].user_attrs if trials else {}
    return [(name, not isinstance(value, str)) for name, value in attrs.items()]


def _plot(**_: object) -> NoReturn:
    # for the server to draw a contour of 50 points would hold a thread for minutes
    raise HTTPError(404, "Plots are drawn in the browser.")


def _meta() -> dict[str, bool]:
    return {
        "artifact_is_available": False,
        "llm_is_available": False,
        "plotlypy_is_available": False,
        "allow_unsafe": False,
    }


def _state_an_encoding() -> None:
    # the file routes fail with KeyError for a client that states none, and send the icon zipped
    # without saying so
    if request.path == "/favicon.ico" or "HTTP_ACCEPT_ENCODING" not in request.environ:
        request.environ["HTTP_ACCEPT_ENCODING"] = "identity"
