"""/login and /logout: a browser shows its token once and then sees the dashboard."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Form
from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.responses import RedirectResponse
from fastapi.responses import Response

from service.api import headers
from service.api.credentials import COOKIE
from service.api.credentials import Credentials
from service.api.credentials import address_of
from service.api.errors import TooManyRequests
from service.api.errors import Unauthenticated
from service.api.login_page import render
from service.api.parameters import Database
from service.store import sessions
from service.store.access import Scope

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Form(max_length=1_000)]
Next = Annotated[str, Form(alias="next", max_length=2_000)]


@router.get("/login")
def ask(engine: Database, request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002 - in the URL
    """Return the page that asks for a token, or says who is signed in."""
    secret = request.cookies.get(COOKIE)
    known = sessions.principal(engine, secret) if secret else None
    return _page(render(there=local(next), principal=known))


@router.post("/login")
def sign_in(
    engine: Database, request: Request, *, token: Token = "", there: Next = "/"
) -> Response:
    """Begin a session where the token may read, and go where the browser wanted to."""
    options = request.app.state.options
    credentials: Credentials = request.app.state.credentials
    try:
        principal = credentials.of_token(token.strip(), address=address_of(request.scope))
    except Unauthenticated:
        return _page(render(there=local(there), complaint=_UNKNOWN), status=401)
    except TooManyRequests as error:
        return _page(render(there=local(there), complaint=str(error)), status=429)
    if not principal.may(Scope.READ) or principal.token_id is None:
        return _page(render(there=local(there), complaint=_NO_READING), status=403)
    secret = sessions.begin(engine, principal.token_id, seconds=options.session_seconds)
    answer = RedirectResponse(local(there), status_code=303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=round(options.session_seconds),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
def sign_out(engine: Database, request: Request) -> RedirectResponse:
    """End the session, and ask for a token again."""
    secret = request.cookies.get(COOKIE)
    if secret:
        sessions.end(engine, secret)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def local(there: str) -> str:
    """Return the path if it is one of this service, else the dashboard's."""
    # browsers read a backslash as a slash, and // as another host
    printable = there.isascii() and there.isprintable() and "\\" not in there
    return there if printable and there.startswith("/") and not there.startswith("//") else "/"


def _page(content: str, *, status: int = 200) -> HTMLResponse:
    policy = {"Content-Security-Policy": headers.LOGIN, "Cache-Control": "no-store"}
    return HTMLResponse(content, status_code=status, headers=policy)


_UNKNOWN = "This token is unknown, revoked or expired."
_NO_READING = "This token may not read; one with the scope `read` is needed here."
