"""A site (settings, database, published application) and a session on it (user, transaction, moment, language).

There is no module-level state: two sites live in one process, and everything is reached from a session passed on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from metadata.model import Application
from rules.calendar import Calendar
from rules.evaluate import Environment, Values
from runtime import database
from runtime.bell import Bell
from runtime.clock import Clock, SystemClock
from runtime.environment import FACTS, Rates, environment_of
from runtime.errors import Busy, NotSignedIn, Outdated
from runtime.people import SYSTEM, User, expand_roles, load_user
from runtime.publishing import store
from runtime.schema.tables import Tables
from runtime.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from metadata.packages import Layer  # the reader of documents is loaded when one is read

LAYERS_SECONDS = 300.0  # how long documents that were read are kept: 8 MiB
FRESH_SECONDS = 0.5  # how old the knowledge of version and people may be
PATIENCE_OF = frozenset({"form", "api"})  # channels where somebody waits: their statements are limited in time
PEOPLE = frozenset({"user", "user_role", "unit", "team"})  # writing these changes who may do what
_log = logging.getLogger("octavo.site")


@dataclass(frozen=True, slots=True)
class Published:
    """A published version, ready to serve."""

    number: int
    app: Application
    tables: Tables


class Site:
    """Open one with `Site.open`; thread-safe. Close it to give the connections back."""

    def __init__(self, settings: Settings, clock: Clock | None = None, *, limited: bool = False) -> None:
        self.settings = settings
        self.limited = limited and settings.query_seconds > 0
        self.clock: Clock = clock or SystemClock()
        self.zone: ZoneInfo = settings.zone
        self.engine = database.create_engine(settings, limited=limited)
        self.dialect = database.dialect_of(self.engine)
        self.bell = Bell(settings.redis_url)
        self._published: Published | None = None
        self._layers: tuple[float, tuple[Layer, ...]] = (0.0, ())
        self._outdated: tuple[int, Outdated] | None = None  # the version this program cannot serve, and why
        self._checked = 0.0
        self._lock = RLock()
        self._users: dict[int, tuple[float, int, User | None]] = {}
        self._users_lock = Lock()
        self.cache: dict[Any, Any] = {}  # for what others derive from the published version: cleared with it
        self.facts: tuple[float, tuple[Calendar, Rates]] | None = None  # calendar and rates, see runtime.environment

    @classmethod
    def open(
        cls,
        folder: Path | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        *,
        limited: bool = False,
    ) -> Site:
        """The site in `folder`; `limited` where people wait: `query_seconds` holds for pages and calls.

        Raises `SettingsError` where there is none, or its code packages do not fit.
        """
        site = cls(settings or load_settings(folder), clock, limited=limited)
        with database.answering():
            if not sa.inspect(site.engine).has_table("octavo_version"):
                site.close()
                raise SettingsError("数据库是空的，请先运行 octavo init。 The database is empty: run “octavo init”.")
        return site

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        return self.settings.folder

    # --- the published version ---------------------------------------------------------------------------------

    def application(self) -> Application:
        """The newest published application; the database is asked at most every half second."""
        return self.published().app

    @property
    def tables(self) -> Tables:
        return self.published().tables

    @property
    def version(self) -> int:
        """The number of the version being served."""
        return self.published().number

    def published(self) -> Published:
        found = self._published
        if found is not None and time.monotonic() - self._checked < FRESH_SECONDS:
            return found
        with database.answering(), database.glance(self.engine) as connection:
            return self._pin(connection)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The documents as read last: whoever publishes publishes again soon. Forgotten after some minutes."""
        return self._layers[1]

    @layers.setter
    def layers(self, layers: tuple[Layer, ...]) -> None:
        self._layers = (time.monotonic(), layers)

    @property
    def is_compiled(self) -> bool:
        """Whether the newest version is served or read without compiling it."""
        with database.answering(), self.engine.connect() as connection:
            number = store.newest(connection)
            return number is not None and store.is_kept(connection, number, self.settings)

    def refresh(self, number: int | None = None) -> Published:
        """Serves version `number` if it is newer than what is served; asks the database where no number is given."""
        found = self._published
        if found is not None and number is not None and number <= found.number:
            self._checked = time.monotonic()
            return found
        self._checked = 0.0
        return self.published()

    def serve(self, published: Published) -> None:
        """Serves a version that this process has just committed, without reading it back."""
        with self._lock:
            if self._published is None or self._published.number < published.number:
                self._published = published
                self.cache.clear()
            self._checked = time.monotonic()

    def adopt(self, published: Published) -> None:
        """Serves what another process has loaded and this one was born with, if it is still the newest version."""
        with database.answering(), self.engine.connect() as connection:
            if store.newest(connection) == published.number:
                self.serve(published)

    def _pin(self, connection: sa.Connection, number: int | None = None) -> Published:
        """The newest version as seen by this transaction, which is `number` where that is known."""
        number = number or store.newest(connection)
        found = self._published
        if self._layers[1] and time.monotonic() - self._layers[0] > LAYERS_SECONDS:
            self.layers = ()
        if found is not None and found.number == number:
            self._checked = time.monotonic()
            return found
        with self._lock:  # one thread compiles, the others wait for it
            found = self._published
            if found is None or found.number != number:
                found = self._load(connection, number)
                self._published = found
                self.cache.clear()
            self._checked = time.monotonic()
            return found

    def _load(self, connection: sa.Connection, number: int | None) -> Published:
        if number is None:
            raise SettingsError("尚未发布，请先运行 octavo init。 Nothing is published: run “octavo init”.")
        if self._outdated is not None and self._outdated[0] == number:
            raise self._outdated[1]
        started = time.monotonic()
        try:
            app = store.load_application(connection, number, self.settings)
        except Outdated as answer:
            self._outdated = (number, answer)  # found out once, not at every request
            raise
        _log.info("version %s ready in %.2f s", number, time.monotonic() - started)
        return Published(number, app, Tables(app, self.dialect))

    # --- sessions ----------------------------------------------------------------------------------------------

    @contextmanager
    def session(
        self,
        user_id: int | None = None,
        *,
        write: bool = False,
        language: str | None = None,
        channel: str = "internal",
        request_id: str | None = None,
        connection: sa.Connection | None = None,
    ) -> Iterator[Session]:
        """A transaction on behalf of a user (None: the system itself); a reading one may share `connection`.

        A writing session commits at the end and rolls back on an exception; a reading one never writes.
        Raises `NotSignedIn` for a user who is gone, `Busy` and `DiskFull` for a database that cannot serve.
        """
        if write:
            self.published()  # a new version is read and put together before the lock of a writer is held, not under it
        own = Transaction(self, write, channel in PATIENCE_OF)
        with database.answering(), nullcontext(connection) if connection else own as connection:
            published = self._pin(connection, own.newest) if write else self.published()
            session = Session(
                site=self,
                published=published,
                connection=connection,
                user=self._user(connection, published, user_id),
                write=write,
                language=language,
                channel=channel,
                request_id=request_id,
            )
            try:
                yield session
            except sa.exc.DBAPIError as error:
                if database.is_undefined(error) and self.refresh().number != published.number:
                    raise Busy("version_changed") from error
                raise
        if write:
            session._committed()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that reads, for several sessions in a row: who asks, then what was asked for."""
        with database.answering(), Transaction(self, False, True) as connection:
            yield connection

    def _user(self, connection: sa.Connection, published: Published, user_id: int | None) -> User:
        if user_id is None:
            return SYSTEM
        known = self._users.get(user_id)
        if known is None or known[1] != published.number or time.monotonic() - known[0] > FRESH_SECONDS:
            known = (time.monotonic(), published.number, load_user(connection, published.tables, user_id))
            with self._users_lock:
                if len(self._users) > 10_000:
                    self._users.clear()
                self._users[user_id] = known
        if known[2] is None:
            raise NotSignedIn("account_inactive")
        return known[2]

    def system_session(self, connection: sa.Connection) -> Session:
        """A session of the system on a transaction that somebody else has begun and will end."""
        return Session(site=self, published=self._pin(connection), connection=connection, user=SYSTEM, write=True)

    def forget_people(self) -> None:
        """Roles, units or teams have changed: the next session reads them anew (other processes in half a second)."""
        with self._users_lock:
            self._users.clear()


class Transaction:
    """A connection of the site in a transaction: kept at the end if it writes, given up if it reads or breaks off.

    `waited`: for a page or a call, which is limited in time.
    """

    __slots__ = ("_begun", "_plain", "_site", "_waited", "_write", "newest")

    def __init__(self, site: Site, write: bool, waited: bool) -> None:
        self._site = site
        self._write = write
        self._waited = waited
        self.newest: int | None = None  # the version published last, for one that writes

    def __enter__(self) -> sa.Connection:
        if self._write and self._site.dialect == "sqlite":
            database.give_way()
        plain = self._plain = self._site.engine.connect()
        try:
            if self._site.dialect == "postgresql":
                return self._enter_postgresql(plain)
            connection = plain.execution_options(**{database.WRITE: True}) if self._write else plain
            self._begun = connection.begin()
            if self._site.limited:
                database.begin_limit(connection, self._site.settings.query_seconds if self._waited else 0)
            if self._write:
                self.newest = store.enter_writer(connection)
            return connection
        except BaseException:
            plain.close()
            raise

    def _enter_postgresql(self, plain: sa.Connection) -> sa.Connection:
        """Each statement sees its own moment there, in a transaction or not: what somebody waits for reads in none.

        What writes is begun in one message with the lock and the version, for which the driver must not begin it.
        """
        unlimited = self._site.limited and not self._waited
        if not self._write and not self._waited:
            connection = plain.execution_options(postgresql_readonly=True)
            self._begun = connection.begin()
            if unlimited:
                database.begin_limit(connection, 0)
            return connection
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        self._begun = connection.begin()
        if self._write:
            self.newest = store.enter_writer(connection, *database.begun(unlimited))
        return connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            if self._write or (kind is None and self._site.dialect == "postgresql"):
                # reads change nothing there; with ROLLBACK the driver would forget what it has prepared
                self._begun.__exit__(kind, error, trace)
            else:
                self._begun.rollback()
        finally:
            if self._write and self._site.dialect == "sqlite":
                database.gave_back()
            if self._site.limited and self._site.dialect == "sqlite" and not self._plain.invalidated:
                database.begin_limit(self._plain, 0)  # whoever has the connection next begins with none
            self._plain.close()


class Session:
    """One transaction of one user at one moment on one published version. Made by `Site.session`."""

    def __init__(
        self,
        *,
        site: Site,
        published: Published,
        connection: sa.Connection,
        user: User,
        write: bool,
        language: str | None = None,
        channel: str = "internal",
        request_id: str | None = None,
    ) -> None:
        self.site = site
        self.version = published.number
        self.app = published.app
        self.tables = published.tables
        self.connection = connection
        self.user = user
        self.write = write
        self.language = language or user.language or site.settings.language
        self.channel = channel
        self.request_id = request_id
        self.cause: str | None = None  # the rule that made the change, such as `workflow:won`; see `sub`
        self.depth = 0  # how many rules lead to this change, one causing the other
        self.chain: tuple[str, ...] = ()  # those of them that remember what they acted on: `workflow:won:12`
        self.now: datetime = site.clock.now()
        self.zone = site.zone
        self.today: date = self.now.astimezone(site.zone).date()
        self.cache: dict[Any, Any] = {}  # what was derived for this session alone
        self._touched: set[str] = set()
        self._after_commit: list[Callable[[], None]] = []

    def table(self, entity: str) -> sa.Table:
        return self.tables.table(entity)

    def touch(self, entity: str) -> None:
        """Records of this entity were written; the record layer says so."""
        self._touched.add(entity)

    def take_time(self) -> None:
        """What follows may keep the database as long as it needs: files of every row, work in batches."""
        if self.site.limited:
            database.begin_limit(self.connection, 0)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Called once the transaction is durable, in order; what must not get lost belongs into a job instead."""
        self._after_commit.append(action)

    def sub(self, user_id: int | None = None, *, cause: str | None = None, channel: str = "rule") -> Session:
        """A session for what a rule does, as the system or as somebody: the same transaction, moment and version.

        `cause` names the rule and goes into audit and stage log; `depth` of the result is one more than here, so that
        rules that cause each other can be stopped. Raises `NotSignedIn` for a user who is gone.
        """
        published = Published(self.version, self.app, self.tables)
        found = Session(
            site=self.site,
            published=published,
            connection=self.connection,
            user=self.site._user(self.connection, published, user_id),
            write=self.write,
            language=None if user_id is not None else self.language,
            channel=channel,
            request_id=self.request_id,
        )
        found.now, found.today, found.zone = self.now, self.today, self.zone
        found.cause, found.depth, found.chain = cause or self.cause, self.depth + 1, self.chain
        found._touched, found._after_commit = self._touched, self._after_commit
        return found

    def guest(self, role: str, *, name: str, cause: str, channel: str) -> Session:
        """A session for somebody outside, with the rights of a role and nothing else: no person, no sign-in."""
        found = self.sub(cause=cause, channel=channel)
        found.user = User(
            id=None, name=name, login=cause, roles=expand_roles(self.app, [role]), given=frozenset({role})
        )
        return found

    def environment(self, **more: Any) -> Environment:
        """What expressions know in this session. Overrides: old, changed, parameters, user."""
        if "user" not in more:
            more["user"] = self._person()
        return environment_of(self, **more)

    def _person(self) -> Values | None:
        """The user as expressions read them: `user.unit`, `user.manager.name`."""
        if self.user.id is None:
            return None
        if "person" not in self.cache:
            from runtime.records.plan import plan_of  # late: records are built on sessions
            from runtime.records.values import Loader

            loader = Loader(self, environment_of(self))
            loader.put("user", plan_of(self, "user").row(tuple(self.user.values.values())))
            self.cache["person"] = loader.record("user", self.user.id)
        found: Values | None = self.cache["person"]
        return found

    def _committed(self) -> None:
        if self._touched & PEOPLE:
            self.site.forget_people()
        if self._touched & FACTS:
            self.site.facts = None
        for action in self._after_commit:
            try:
                action()
            except Exception:  # the work is committed: a failing bell must not turn it into an error
                _log.exception("an action after the commit failed")
