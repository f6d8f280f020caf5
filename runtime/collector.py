"""The garbage collector while a job makes objects by the thousand and drops or keeps them all."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_SELDOM = (20_000, 20, 20)  # Python's own 700 would look at every batch of records a dozen times
_lock = Lock()
_jobs: list[tuple[tuple[int, int, int], bool]] = []  # what the first of the jobs at work found: thresholds, frozen


@contextmanager
def at_rest() -> Iterator[None]:
    """What is in memory now is not looked at until the end, and what comes is looked at seldom.

    The published application alone is some ten thousand objects. What a process has frozen itself stays so. Several
    jobs at once, in threads, are as one: the last to end brings back what the first has found.
    """
    with _lock:
        found = _jobs[0] if _jobs else (gc.get_threshold(), gc.get_freeze_count() > 0)
        if not _jobs:
            if not found[1]:
                gc.freeze()
            gc.set_threshold(*_SELDOM)
        _jobs.append(found)
    try:
        yield
    finally:
        with _lock:
            threshold, frozen = _jobs.pop()
            if not _jobs:
                gc.set_threshold(*threshold)
                if not frozen:
                    gc.unfreeze()
