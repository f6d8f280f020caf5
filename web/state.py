"""What one request knows: who asks, in which language, and the session of the runtime it works in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app, g, request

from runtime.errors import Forbidden, NotSignedIn
from runtime.site import Session, Site
from web.catalogue import Catalogue
from web.static_files import StaticFiles

EXTENSION = "octavo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What the application shares between requests: all of it immutable or safe for threads."""

    site: Site
    files: StaticFiles
    catalogue: Catalogue


@dataclass(slots=True, kw_only=True)
class State:
    """`user_id` is None for somebody who has not signed in."""

    request_id: str
    language: str = "zh"
    theme: str = "auto"
    chosen_language: str | None = None  # by a cookie of this browser; wins over what the person keeps
    chosen_theme: str | None = None
    user_id: int | None = None
    seen_as: int | None = None  # whose eyes an administrator looks through
    token: str = ""
    session: Session | None = None
    connection: Any = None  # the transaction in which a request that only reads does so
    stack: ExitStack = field(default_factory=ExitStack)


def web() -> Web:
    return cast(Web, current_app.extensions[EXTENSION])


def state() -> State:
    return cast(State, g.octavo)


def connection() -> Any:
    """The transaction of a request that only reads, begun at first use; None for one that may write."""
    now: State | None = g.get("octavo")  # the API also serves without the pages
    if now is None:
        return None
    if now.connection is None and request.method in ("GET", "HEAD"):
        now.connection = now.stack.enter_context(web().site.reading())
    return now.connection


def reading() -> Session:
    """The session this request reads in, opened at first use and closed when the answer is made."""
    now = state()
    if now.session is None:
        if now.user_id is None:
            raise NotSignedIn
        now.session = now.stack.enter_context(_open(write=False))
        now.language = now.session.language
        now.theme = now.chosen_theme or now.session.user.theme or now.theme
    return now.session


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that is kept when the block ends well. Ends the reading session first: its view is old then."""
    end_reading()
    if state().user_id is None:
        raise NotSignedIn
    if state().seen_as is not None:
        raise Forbidden("view_as.read_only")
    with _open(write=True) as session:
        yield session


def end_reading() -> None:
    now = state()
    now.session = now.connection = None
    now.stack.close()


def unwind(error: BaseException) -> None:
    """Ends the reading session with the error that broke it off; raises what the runtime makes of that error."""
    now = state()
    now.session = now.connection = None
    stack, now.stack = now.stack, ExitStack()
    stack.__exit__(type(error), error, error.__traceback__)


def _open(*, write: bool) -> AbstractContextManager[Session]:
    now = state()
    return web().site.session(
        now.seen_as or now.user_id,
        write=write,
        language=now.chosen_language,
        channel="form",
        request_id=now.request_id,
        connection=None if write else now.connection,
    )
