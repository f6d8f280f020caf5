"""Tells workers that there is something to do. Only a hint: a worker that hears nothing looks by itself."""

from __future__ import annotations

import contextlib
import logging
import os
from threading import Event, Lock

_log = logging.getLogger("octavo.jobs")


class Bell:
    """Wakes the worker of this process; the process beside it that runs the jobs; with Redis, the workers elsewhere."""

    def __init__(self, redis_url: str = "") -> None:
        self._event = Event()
        self._redis_url = redis_url
        self._noted: list[int] = []
        self._lock = Lock()
        self._line: int | None = None

    def connect(self, line: int) -> None:
        """Rings are heard at the other end of this pipe, too. It must not block: when it is full, a ring is waiting."""
        os.set_blocking(line, False)
        self._line = line

    def note(self, job_id: int | None) -> None:
        """A job that the next ring is about."""
        if self._redis_url and job_id is not None:
            with self._lock:
                self._noted.append(job_id)

    def ring(self) -> None:
        self._event.set()
        if self._line is not None:
            with contextlib.suppress(OSError):  # full, or nobody is left to hear it: workers look by themselves
                os.write(self._line, b"\n")
        if not self._redis_url:
            return
        with self._lock:
            noted, self._noted = self._noted, []
        from runtime.jobs.relay import ring_redis  # late: Redis is loaded where it is used

        try:
            ring_redis(self._redis_url, noted)
        except Exception as error:  # Redis away: the sweep of the scheduler rings again
            _log.warning("the queue could not be rung: %s", error)

    def wait(self, seconds: float) -> bool:
        """Waits for a ring at most this long."""
        rung = self._event.wait(seconds)
        self._event.clear()
        return rung
