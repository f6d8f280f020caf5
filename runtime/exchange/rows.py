"""What an import would do with each row of a batch: create, update, leave alone, or refuse with a reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from metadata.fields import Rejection, field_type
from metadata.fields.base import Coercion
from metadata.model import Application, Entity, Field
from runtime.errors import Answer, RecordProblem
from runtime.exchange.lookup import existing, ids_by, stored_values, titles
from runtime.exchange.mapping import Column
from runtime.exchange.source import Row
from runtime.records import create
from runtime.records.input import coercion

if TYPE_CHECKING:
    from runtime.site import Session

MODES = ("both", "add", "update")
EMPTY, CREATE = "", "+"  # what a text of a cell may stand for besides a choice or a record


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An import as asked for. `match` names the fields that tell whether a record is there already; with `clear` an
    empty cell empties the field of such a record, otherwise it leaves it alone. `mode` says what lands: both, only new
    records (add), only those already there (update). `values` maps texts of a field's cells to what they stand for: a
    choice, the id of a record, `EMPTY`, or `CREATE` a record called so. `within` names the fields by which a related
    record is found within its record, by the field that relates it; what is not said is guessed."""

    app: Application
    entity: Entity
    columns: tuple[Column, ...]
    width: int  # columns of the header
    match: tuple[str, ...] = ()
    clear: bool = False
    mode: str = "both"
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def header_of(self, name: str | None) -> str | None:
        """The column that fills a field, one of lines as `lines.field`; the record as a whole has none."""
        return next((c.header for c in self.columns if c.target == name), None) if name else None


@dataclass(slots=True, eq=False)
class RowPlan:
    """One row on its way: `action` is create, update, same (nothing would change), skip (not asked for) or error.

    Of a record with lines it is the first row; `below` are the others, `lines` the plans of the rows that hold a line,
    by field, `members` those of related records, and `elsewhere` the problems of rows below. Where `guarded`, the
    record must still be of `version`.
    """

    number: int
    cells: list[Any]
    values: dict[str, Any] = field(default_factory=dict)
    action: str = "create"
    record_id: int | None = None
    version: int = 0
    before: dict[str, Any] | None = None  # of what an update changes, as JSON
    problems: list[RecordProblem] = field(default_factory=list)
    below: list[Row] = field(default_factory=list)
    lines: dict[str, list[RowPlan]] = field(default_factory=dict)
    members: dict[str, list[RowPlan]] = field(default_factory=dict)
    elsewhere: list[tuple[int, RecordProblem]] = field(default_factory=list)
    guarded: bool = False
    dropped: int = 0  # lines that go

    @property
    def last(self) -> int:
        """The number of the last row that belongs to the record."""
        return self.below[-1][0] if self.below else self.number

    @property
    def rows(self) -> int:
        return 1 + len(self.below)

    def take(self, number: int, problem: RecordProblem) -> None:
        """Refuses the record for a problem of one of its rows."""
        self.elsewhere.append((number, problem))
        self.action = "error"

    def refuse_at(self, number: int, code: str, name: str | None = None, **params: object) -> None:
        self.take(number, RecordProblem(code=code, field=name, params={k: str(v) for k, v in params.items()}))

    def refuse(self, code: str, name: str | None = None, **params: object) -> None:
        self.problems.append(RecordProblem(code=code, field=name, params={k: str(v) for k, v in params.items()}))
        self.action = "error"


class Planner:
    """Plans batch after batch of one import; remembers the keys seen, since a file may name a record twice.

    In a dry run nothing stays from one batch to the next, so the texts that later rows may refer to, or must not
    repeat, are remembered as well.
    """

    together: Callable[[Row, Row], bool] | None = None  # whether a row belongs to the record another begins

    def __init__(self, task: Task, *, dry_run: bool = False) -> None:
        self.task = task
        self.dry_run = dry_run
        self.seen: dict[int, int] = {}  # hash of the key -> row
        self._texts: set[int] = set()  # hashes of (field, text) of rows that would be created
        self._used = _used(task)

    def renew(self, task: Task) -> None:
        """Goes on with the same file on a newer published version."""
        for derived in ("_named", "_fields", "_may_create", "_places", "_texts_of"):
            self.__dict__.pop(derived, None)
        self.task = task
        self._used = _used(task)

    def plan(self, session: Session, rows: Sequence[Row]) -> list[RowPlan]:
        """The plans of the rows, in their order."""
        batch = [self.read(number, cells) for number, cells in rows]
        self.link(session, batch)
        if self.task.match:
            self._match(session, batch)
        self.repeated(batch)
        self.explain(session, [plan for plan in batch if plan.action == "error"])
        return batch

    def link(self, session: Session, batch: Sequence[RowPlan]) -> None:
        """Cells that name records of other entities, looked up together."""
        self._create_named(session, batch)
        self._link_by_key(session, batch)
        self._announce_titles(session, batch)

    def parts(self, rows: Sequence[Row]) -> list[Sequence[Row]]:
        """The rows, cut before each that names another since the last cut: that one is looked up, so it must be there.

        Only an entity with links to itself needs that.
        """
        links = [
            c.index for c in self._used if c.field and self.task.entity.fields[c.field].to == self.task.entity.name
        ]
        if not links:
            return [rows]
        named = [c.index for c in self._used if c.field and self._may_name(c.field)]
        parts: list[Sequence[Row]] = []
        start, above = 0, set[str]()
        for place, (_, cells) in enumerate(rows):
            if any(_cell(cells, index) in above for index in links):
                parts.append(rows[start:place])
                start = place
                above.clear()
            above.update(text for index in named if (text := _cell(cells, index)))
        return [*parts, rows[start:]]

    def _may_name(self, name: str) -> bool:
        """Whether a link may be given by this field: text that is no long text, or a number."""
        return self.task.entity.fields[name].storage == "text"

    def explain(self, session: Session, refused: Sequence[RowPlan]) -> None:
        """A row refused for one cell is told at once what is wrong with its others."""
        context = coercion(session)
        for plan in refused:
            named = {problem.field for problem in plan.problems}
            for name, raw in plan.values.items():
                spec = self.task.entity.fields[name]
                if name in named or raw is None or not spec.writable:
                    continue
                try:
                    field_type(spec.type).coerce(raw, spec, context)
                except Rejection as rejection:
                    plan.refuse(rejection.code, name, **rejection.params)

    def would_create(self, batch: Sequence[RowPlan]) -> None:
        """Tells a dry run which rows would be there for the batches that follow."""
        for plan in batch:
            if plan.action == "create":
                given = {name: plan.values.get(name) for name in self._named}
                self._texts.update(hash((name, _text(v))) for name, v in given.items() if v is not None)

    @cached_property
    def _named(self) -> tuple[str, ...]:
        """Fields by which a row may be referred to, or that must not repeat."""
        fields = (self.task.entity.fields[c.field] for c in self._used if c.field)
        return tuple(f.name for f in fields if f.unique or f.name == self.task.entity.title)

    def repeated(self, batch: Sequence[RowPlan]) -> None:
        """Refuses in a dry run what repeats a unique value of rows that would be there; in earnest they are there."""
        if not self.dry_run:
            return
        unique = [name for name in self._named if self.task.entity.fields[name].unique]
        for plan in batch:
            for name in unique:
                if plan.action == "create" and hash((name, _text(plan.values.get(name)))) in self._texts:
                    plan.refuse("unique", name)

    def skip(self, session: Session, rows: Sequence[Row]) -> None:
        """Rows dealt with before the import was interrupted: only their keys matter."""
        if self.task.match:
            for plan in [self.read(number, cells) for number, cells in rows]:
                self._key(session, plan)

    def read(self, number: int, cells: list[Any]) -> RowPlan:
        plan = RowPlan(number, cells)
        width, values = len(cells), plan.values
        if self._texts_of is not None and width == self.task.width:
            names, pick = self._texts_of
            try:
                plan.values = {n: c for n, c in zip(names, pick(cells)) if not c.isspace() and c}
                return plan
            except AttributeError:
                pass  # not texts alone
        for index, name in self._places:
            raw = cells[index] if index < width else None
            if raw is not None and (not isinstance(raw, str) or (raw and not raw.isspace())):
                meant = raw if name not in self.task.values else self._stands_for(name, raw)
                if meant is not None or self.task.clear:
                    values[name] = meant
            elif self.task.clear and name not in self.task.match:
                values[name] = None
        if width > self.task.width and any(cell not in (None, "") for cell in cells[self.task.width :]):
            plan.refuse("import.too_many_cells")
        return plan

    @cached_property
    def _places(self) -> tuple[tuple[int, str], ...]:
        return tuple((column.index, column.field) for column in self._used if column.field)

    @cached_property
    def _texts_of(self) -> tuple[tuple[str, ...], Callable[[list[Any]], tuple[Any, ...]]] | None:
        """The fields and what picks their cells, for rows of nothing but texts, as in CSV: most cells of an import."""
        if self.task.clear or self.task.values or len(self._places) < 2:
            return None
        return tuple(name for _, name in self._places), itemgetter(*(index for index, _ in self._places))

    def _stands_for(self, name: str, raw: Any) -> Any:
        """What a person said that this text of the field's cells means."""
        meant = self.task.values[name].get(str(raw).strip(), CREATE)
        if meant == CREATE:
            return raw
        if meant == EMPTY:
            return None
        return int(meant) if self.task.entity.fields[name].storage == "link" else meant

    # --- links ---------------------------------------------------------------------------------------------------

    def _create_named(self, session: Session, batch: Sequence[RowPlan]) -> None:
        """Creates the linked records that a person wants created, by their titles; the transaction is the batch's."""
        for name, meanings in self.task.values.items():
            if name not in self.task.entity.fields:  # one of what is below
                continue
            wanted = {text for text, meant in meanings.items() if meant == CREATE}
            target = self.task.entity.fields[name].to
            given = [p for p in _having(batch, name) if _text(p.values[name]) in wanted]
            if not given or target is None:
                continue
            texts = {_text(plan.values[name]) or "" for plan in given}
            found = titles(session, target, texts)
            for text in sorted(text for text in texts if not found[text]):
                try:
                    found[text] = [create(session, target, {self.task.app.entities[target].title: text}).id]
                except Answer as answer:
                    _all_refused([p for p in given if _text(p.values[name]) == text], name, answer)
            for plan in given:
                if plan.action != "error":
                    _take_link(plan, name, plan.values[name], found[_text(plan.values[name]) or ""])

    def _link_by_key(self, session: Session, batch: Sequence[RowPlan]) -> None:
        """Cells of a column such as `owner.login`, in one statement per column, become ids."""
        for column in self._used:
            if column.key is None or column.field is None:
                continue
            link = self.task.entity.fields[column.field]
            key = self.task.app.entities[link.to or ""].fields[column.key]
            given = {plan: plan.values[column.field] for plan in _having(batch, column.field)}
            found = ids_by(session, link.to or "", key, {_as_key(v, key, session) for v in given.values()})
            for plan, raw in given.items():
                _take_link(plan, column.field, raw, found.get(_as_key(raw, key, session), []))

    def _announce_titles(self, session: Session, batch: Sequence[RowPlan]) -> None:
        """The titles of a batch are looked up together, so that the record layer finds them at hand."""
        cache = session.cache.setdefault("resolved", {})
        wanted: dict[str, set[str]] = defaultdict(set)
        for column in self._used:
            link = self.task.entity.fields[column.field or ""]
            if column.field and column.key is None and link.storage == "link" and link.to:
                cells = (plan.values[link.name] for plan in _having(batch, link.name))
                wanted[link.to].update(c.strip() for c in cells if isinstance(c, str) and len(c) <= 1000)
        for entity, texts in wanted.items():
            for text, ids in titles(session, entity, texts).items():
                cache.setdefault((entity, text), ids)
        if self.dry_run:
            self._refer_within_file(cache, batch)

    def _refer_within_file(self, cache: dict[Any, list[int]], batch: Sequence[RowPlan]) -> None:
        """A link to a row further up counts as found; the record is not there, so the cell is left out."""
        own = self.task.entity.name
        links = [c.field for c in self._used if c.field and self.task.entity.fields[c.field].to == own]
        for name in links:
            for plan in _having(batch, name):
                text = _text(plan.values[name])
                if not cache.get((own, text)) and any(hash((n, text)) in self._texts for n in self._named):
                    del plan.values[name]

    # --- matching ------------------------------------------------------------------------------------------------

    def _match(self, session: Session, batch: Sequence[RowPlan]) -> None:
        keys = {plan.number: key for plan in batch if (key := self._key(session, plan)) is not None}
        found = existing(session, self.task.entity, self.task.match, set(keys.values()))
        matched = [plan for plan in batch if plan.action != "error"]
        for plan in matched:
            ids = found.get(keys[plan.number], [])
            if len(ids) > 1:
                plan.refuse("import.ambiguous_key", self.task.match[0], count=len(ids))
            elif ids:
                plan.record_id, plan.action = ids[0], "skip" if self.task.mode == "add" else "update"
            elif self.task.mode == "update":
                plan.action = "skip"
            elif not self._may_create:
                plan.refuse("value.unknown_record", self.task.match[0], value=str(plan.values[self.task.match[0]])[:60])
        self.compare(session, [plan for plan in matched if plan.action == "update"])
        for plan in matched:
            self._without_nothing(plan)

    @cached_property
    def _may_create(self) -> bool:
        """A key that the system gives (id, number) cannot be given to a new record."""
        return all(self.task.entity.fields[name].writable for name in self.task.match)

    def _key(self, session: Session, plan: RowPlan) -> tuple[Any, ...] | None:
        """The coerced values of the match fields; refuses the row where they are missing or seen before."""
        context = coercion(session)
        key: list[Any] = []
        for name in self.task.match:
            spec = self.task.entity.fields[name]
            try:
                value = field_type(spec.type).coerce(plan.values.get(name), spec, context)
            except Rejection as rejection:
                plan.refuse(rejection.code, name, **rejection.params)
                return None
            if value is None:
                plan.refuse("import.empty_key", name)
                return None
            key.append(value)
        found = tuple(key)
        first = self.seen.setdefault(hash(found), plan.number)
        if first != plan.number:
            plan.refuse("import.key_twice", self.task.match[0], row=first)
            return None
        return found

    def compare(self, session: Session, plans: Sequence[RowPlan]) -> None:
        """Leaves only what differs from the stored record; a row without a difference is `same`."""
        stored = stored_values(session, self.task.entity, [p.record_id for p in plans if p.record_id], self._fields)
        context = coercion(session)
        readers: dict[str, Callable[[Any], Any]] = {}
        for plan in plans:
            current = stored.get(plan.record_id or 0, {})
            changed: dict[str, Any] = {}
            before: dict[str, Any] = {}
            for name, raw in plan.values.items():
                if name in self.task.match:
                    continue
                read = readers.get(name)
                if read is None:
                    spec = self.task.entity.fields[name]
                    read = readers[name] = field_type(spec.type).reader(spec, context)
                try:
                    value = read(raw)
                except Rejection as rejection:
                    plan.refuse(rejection.code, name, **rejection.params)
                    continue
                was = current.get(name)
                if value != was and _comparable(value) != _comparable(was):
                    spec = self.task.entity.fields[name]
                    changed[name] = value
                    before[name] = as_kept(was, spec, context)
            if plan.action != "error":
                plan.values, plan.before = changed, before
                plan.action = "update" if changed else "same"

    @cached_property
    def _fields(self) -> tuple[Field, ...]:
        return tuple(self.task.entity.fields[c.field] for c in self._used if c.field)

    def _without_nothing(self, plan: RowPlan) -> None:
        if plan.action == "create":
            plan.values = {name: value for name, value in plan.values.items() if value is not None}


def as_kept(value: Any, spec: Field, context: Coercion) -> Any:
    """A stored value as JSON that an import reads back: ids are numbers, since text in a sheet is a title."""
    if spec.storage == "link":
        return value
    return list(value or ()) if spec.storage == "links" else field_type(spec.type).to_json(value, spec, context)


def _used(task: Task) -> list[Column]:
    """The columns that fill fields of the record itself."""
    return [c for c in task.columns if c.field is not None and c.lines is None]


def _comparable(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return sorted(value, key=str)
    return value


def _cell(cells: Sequence[Any], index: int) -> str | None:
    return _text(cells[index]) if index < len(cells) else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value).strip()


def _having(batch: Iterable[RowPlan], name: str) -> list[RowPlan]:
    return [plan for plan in batch if plan.values.get(name) is not None]


def _as_key(raw: Any, key: Field, session: Session) -> Any:
    """The value of a key field that a cell stands for; None where it stands for none."""
    try:
        return field_type(key.type).coerce(raw, key, coercion(session))
    except Rejection:
        return None


def _all_refused(plans: Sequence[RowPlan], name: str, answer: Answer) -> None:
    """The rows that name a record which cannot be created, each with the reasons."""
    for plan in plans:
        for problem in answer.problems or [RecordProblem(code=answer.code, params=answer.params)]:
            plan.refuse(problem.code, name, **problem.params)


def _take_link(plan: RowPlan, name: str, raw: Any, ids: Sequence[int]) -> None:
    if not ids:
        plan.refuse("value.unknown_record", name, value=str(raw)[:60])
    elif len(ids) > 1:
        plan.refuse("value.ambiguous_record", name, value=str(raw)[:60], count=len(ids))
    else:
        plan.values[name] = ids[0]
