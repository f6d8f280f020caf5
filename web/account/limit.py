"""How often one address may try to sign in, whatever the accounts; the runtime counts wrong passwords besides."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import TooManyRequests

from web.state import web

if TYPE_CHECKING:
    from limits.strategies import RateLimiter

MOST = 30
SECONDS = 60


class SignInLimit:
    """Counts in Redis where the site has one, so that all processes count together; else each counts for itself."""

    def __init__(self) -> None:
        self._limiter: RateLimiter | None = None
        self._lock = Lock()

    def __call__(self) -> None:
        """Before a request: raises 429 where a POST is one too many."""
        if request.method != "POST":
            return
        from limits import RateLimitItemPerSecond  # late: most requests are of somebody signed in

        item, limiter = RateLimitItemPerSecond(MOST, SECONDS), self._of_site()
        key = (request.endpoint or "", request.remote_addr or "")
        if not limiter.hit(item, *key):
            again = limiter.get_window_stats(item, *key).reset_time - time.time()
            raise TooManyRequests(retry_after=max(1, int(again) + 1))

    def _of_site(self) -> RateLimiter:
        from limits.storage import storage_from_string as storage_at
        from limits.strategies import FixedWindowRateLimiter

        with self._lock:
            if self._limiter is None:
                url = web().site.settings.redis_url or "memory://"
                self._limiter = FixedWindowRateLimiter(storage_at(url))
            return self._limiter
