"""/docs: Swagger UI from this machine's own files, for it may have no internet."""

from collections.abc import Callable
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from fastapi.responses import Response

from service.api import headers

router = APIRouter(include_in_schema=False)

# only its files are used: Swagger UI as released, with a license that lets us serve it
_ASSETS = files("fastapi_offline") / "static"
_DAY = "public, max-age=86400"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>bitfloor API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""


@router.get("/docs")
def docs() -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": headers.DOCS})


@router.get("/docs/start.js")
def start() -> Response:
    """Return what starts Swagger UI; apart from the page, so that no inline script is needed."""
    return Response(_START, media_type="text/javascript", headers={"Cache-Control": _DAY})


def _serve(name: str, media_type: str) -> None:
    content = (_ASSETS / name).read_bytes()

    def asset() -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": _DAY})

    endpoint: Callable[[], Response] = asset
    router.add_api_route(f"/docs/{name}", endpoint)


_serve("swagger-ui.css", "text/css")
_serve("swagger-ui-bundle.js", "text/javascript")
