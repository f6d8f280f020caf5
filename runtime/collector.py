"""The garbage collector while a job makes and drops records by the thousand."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (20_000, 20, 20)  # Python's own 700 would look at every batch of records a dozen times


@contextmanager
def at_rest() -> Iterator[None]:
    """What is in memory now is not looked at until the end, and what comes is looked at seldom.

    The published application alone is some hundred thousand objects. A process that has frozen them itself, or another
    such job in it, is left as it is.
    """
    if gc.get_freeze_count():
        yield
        return
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
