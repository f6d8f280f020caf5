"""Keeps what was bound to a published version, so that a request finds it ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from runtime.site import Session

T = TypeVar("T")
MOST = 4000


def kept(session: Session, key: tuple[Any, ...], bind: Callable[[], T]) -> T:
    """The view for `key` in the version of this session, bound where there is none yet.

    The site drops its cache with every new version; two threads may bind the same view once each, harmlessly.
    """
    cache = session.site.cache
    full = ("view", session.version, *key)
    found = cache.get(full)
    if found is None:
        found = bind()
        if len(cache) >= MOST:
            cache.clear()
        cache[full] = found
    return found
