"""Where the HTTP server's own log goes: stderr; stdout is for the addresses."""

from copy import deepcopy
from typing import Any

import uvicorn


def of_uvicorn() -> dict[str, Any]:
    """Return uvicorn's own logging configuration with every stream moved to stderr."""
    config = deepcopy(uvicorn.config.LOGGING_CONFIG)
    for handler in config["handlers"].values():
        handler["stream"] = "ext://sys.stderr"
    return config
