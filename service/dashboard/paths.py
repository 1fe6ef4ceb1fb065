"""Which paths are the dashboard's; apart from it, since it takes seconds to load."""


def owns(path: str) -> bool:
    """Tell whether the path is the dashboard's to answer."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first in {
        "",
        "api",
        "artifacts",
        "csv",
        "dashboard",
        "favicon.ico",
        "incompatible-rdb-schema",
        "static",
    }
