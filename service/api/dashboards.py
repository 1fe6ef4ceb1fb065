"""One dashboard a tenant, made when it is first asked for; the least recently used one goes."""

import threading
from collections import OrderedDict

from sqlalchemy import Engine
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

MOST = 32  # tenants whose dashboards are kept: each has four threads and a list of its jobs


class Dashboards:
    """Optuna's dashboard shows whatever its storage holds, so each tenant has a storage."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: OrderedDict[str | None, ASGIApp] = OrderedDict()

    def of(self, tenant: str | None) -> ASGIApp:
        """Return the dashboard of one tenant's jobs, of all for None."""
        # Optuna's dashboard loads scikit-learn: more than all the rest of the service
        from service.dashboard.app import dashboard  # noqa: PLC0415 - loaded when it is asked for

        with self._lock:
            if tenant not in self._kept:
                own = dashboard(self._engine, tenant)
                self._kept[tenant] = GZipMiddleware(own, compresslevel=4)
            self._kept.move_to_end(tenant)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
            return self._kept[tenant]
