"""Records with what is below them in one sheet: a record's row is followed by, or repeated in, the rows of its lines
and related records (`related.py`).

Rows below each other are one record where the columns of the record are empty or repeat what stands in its first row;
with match fields these decide. A line that the record has already is known by the fields that make lines equal
(`combine`), else by its links, else by its title, else by all its columns; the second of equal ones is the second of
the record. So a sheet imported again adds nothing. A record and all its rows land together or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.fields import Rejection, field_type
from metadata.model import Entity, Field
from runtime.errors import RecordProblem
from runtime.exchange.batch import apply
from runtime.exchange.lookup import stored_values
from runtime.exchange.mapping import Column, below_of
from runtime.exchange.related import Members, keyable
from runtime.exchange.rows import Planner, RowPlan, Task, as_kept
from runtime.exchange.source import Row, text_of
from runtime.records.input import coercion
from runtime.records.plan import plan_of
from runtime.schema.tables import column_name
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

CHUNK = 500
Together = Callable[[Row, Row], bool]


def planner_of(task: Task, *, dry_run: bool) -> Planner:
    """The planner that fits the columns of a sheet."""
    return (FamilyPlanner if any(c.lines for c in task.columns) else Planner)(task, dry_run=dry_run)


def batches(rows: Iterator[Row], size: int, planner: Planner) -> Iterator[list[Row]]:
    """The rows in batches of about `size`; what belongs to one record stays together."""
    together = planner.together
    if together is None:
        while batch := list(islice(rows, size)):
            yield batch
        return
    batch, first = [], None
    for row in rows:
        if first is None or not together(first, row):
            if len(batch) >= size:
                yield batch
                batch = []
            first = row
        batch.append(row)
    if batch:
        yield batch


class HeldBack(Exception):  # noqa: N818 - the way out of a transaction that is done again without some records
    """Related records were refused after theirs had landed: the batch is planned again, and leaves these out."""


class FamilyPlanner(Planner):
    """Plans records with what is below them. A plan is that of the record; it stands in the place of its first row."""

    def __init__(self, task: Task, *, dry_run: bool = False) -> None:
        super().__init__(task, dry_run=dry_run)
        self.members: dict[str, Members] = {}
        self._held: dict[int, list[tuple[int, RecordProblem]]] = {}  # first row -> why its record stays out
        self._prepare()

    def renew(self, task: Task) -> None:
        super().renew(task)
        self._prepare()

    def _prepare(self) -> None:
        own = [c for c in self.task.columns if c.field is not None and c.lines is None]
        self._heads = [c.index for c in own]
        self._keys = [c.index for c in own if c.field in self.task.match]
        names = dict.fromkeys(c.lines for c in self.task.columns if c.lines)
        lines = [name for name in names if self.task.entity.fields[name].storage == "children"]
        self._lines = {name: Planner(_part(self.task, name)) for name in lines}
        self._indexes = {name: [c.index for c in self.task.columns if c.lines == name and c.field] for name in lines}
        for name in names:
            if name in lines:
                continue
            if name in self.members:
                self.members[name].renew(_part(self.task, name))
            else:
                back, key = self.task.entity.fields[name].by or "", self.task.within.get(name, ())
                part = _part(self.task, name)
                self.members[name] = Members(part, name, back, self.task.mode, key, dry_run=self.dry_run)

    def together(self, first: Row, row: Row) -> bool:
        """Whether `row` belongs to the record that `first` begins."""
        if not any(_told(row[1], index) for index in self._heads):
            return True
        if self._keys:
            return all(_told(row[1], index) == _told(first[1], index) for index in self._keys)
        return all(_told(row[1], index) == _told(first[1], index) for index in self._heads)

    def groups(self, rows: Iterable[Row]) -> list[list[Row]]:
        found: list[list[Row]] = []
        for row in rows:
            if found and self.together(found[-1][0], row):
                found[-1].append(row)
            else:
                found.append([row])
        return found

    def parts(self, rows: Sequence[Row]) -> list[Sequence[Row]]:
        groups = self.groups(rows)
        members = {group[0][0]: group for group in groups}
        cut = super().parts([group[0] for group in groups])
        return [[row for first in part for row in members[first[0]]] for part in cut]

    def skip(self, session: Session, rows: Sequence[Row]) -> None:
        super().skip(session, [group[0] for group in self.groups(rows)])

    def plan(self, session: Session, rows: Sequence[Row]) -> list[RowPlan]:
        groups = self.groups(rows)
        batch = super().plan(session, [group[0] for group in groups])
        for plan, group in zip(batch, groups):
            plan.below = group[1:]
            self._agree(plan)
        for name, planner in self._lines.items():
            self._plan_lines(session, name, planner, batch, groups)
        for members in self.members.values():
            for plan, group in zip(batch, groups):
                members.read(plan, group, self.task.width)
        for plan in batch:
            for number, problem in self._held.get(plan.number, ()):
                plan.take(number, problem)
        return batch

    def land(self, session: Session, batch: Sequence[RowPlan], *, singly: bool = False) -> None:
        """Saves records, then what is related to them. Raises `TurnedAway`, `HeldBack`; `singly` record by record."""
        entity = self.task.entity.name
        if singly and self.members:
            for plan in batch:
                self._land_alone(session, plan)
        else:
            apply(session, entity, batch, singly=singly)
        refused = {plan for plan in batch if plan.action == "error"}
        told = [plan for plan in refused if plan.number not in self._held and not (singly and plan.elsewhere)]
        for members in self.members.values():
            members.explain(session, told)
            if not singly:
                members.land(session, batch)
        held = [plan for plan in batch if plan.action == "error" and plan not in refused]
        if held:
            self._held |= {plan.number: plan.elsewhere for plan in held}
            raise HeldBack
        self._held.clear()

    def _land_alone(self, session: Session, plan: RowPlan) -> None:
        new = plan.action == "create"
        try:
            with session.connection.begin_nested():
                apply(session, self.task.entity.name, [plan], singly=True)
                for members in self.members.values():
                    members.land(session, [plan], singly=True)
                if plan.action == "error":
                    raise HeldBack
        except HeldBack:
            session.cache.pop("resolved", None)  # may name what was taken back
            if new:
                plan.record_id = None

    def would_create(self, batch: Sequence[RowPlan]) -> None:
        super().would_create(batch)
        for members in self.members.values():
            members.would_create(batch)

    def _agree(self, plan: RowPlan) -> None:
        """What a row below says of the record itself is what the first row says."""
        for number, cells in plan.below:
            for column in self._used:
                told = _told(cells, column.index)
                if told and told != _told(plan.cells, column.index):
                    plan.refuse_at(number, "import.differs", column.field, row=plan.number)
            if any(cell not in (None, "") for cell in cells[self.task.width :]):
                plan.refuse_at(number, "import.too_many_cells")

    def _plan_lines(
        self, session: Session, name: str, planner: Planner, batch: Sequence[RowPlan], groups: Sequence[Sequence[Row]]
    ) -> None:
        indexes = self._indexes[name]
        for plan, group in zip(batch, groups):
            plan.lines[name] = [
                planner.read(number, cells[: self.task.width])
                for number, cells in group
                if any(_told(cells, index) for index in indexes)
            ]
        lines = [line for plan in batch for line in plan.lines[name]]
        planner.link(session, lines)
        known = {plan.record_id: plan for plan in batch if plan.action in ("update", "same") and plan.record_id}
        self._match_lines(session, name, planner, list(known.values()))
        planner.explain(session, [line for line in lines if line.action == "error"])
        for plan in batch:
            for line in plan.lines[name]:
                for problem in line.problems:
                    inner = f"{name}.{problem.field}" if problem.field else name
                    plan.take(line.number, replace(problem, field=inner))
            if plan.action == "create" and plan.lines[name]:
                plan.values[name] = [{k: v for k, v in x.values.items() if v is not None} for x in plan.lines[name]]

    # --- lines of records that are there ------------------------------------------------------------------------

    def _match_lines(self, session: Session, name: str, planner: Planner, plans: Sequence[RowPlan]) -> None:
        """Finds the lines that are there, leaves what differs, and makes the list of lines that the update writes."""
        wanted = [plan for plan in plans if plan.lines[name] or self.task.clear]
        if not wanted:
            return
        field, entity = self.task.entity.fields[name], planner.task.entity
        stored = _stored(session, self.task.entity, field, [plan.record_id or 0 for plan in wanted])
        key = _key_of(field, entity, planner.task.columns)
        for plan in wanted:
            places: dict[tuple[Any, ...], list[int]] = defaultdict(list)
            for line_id, values in stored[plan.record_id or 0]["lines"].items():
                places[tuple(values.get(k) for k in key)].append(line_id)
            for line in plan.lines[name]:
                told = _coerced(session, entity, line, key) if line.action != "error" else None
                if told is not None and (found := places.get(told)):
                    line.record_id, line.action = found.pop(0), "update"
        planner.compare(session, [x for plan in wanted for x in plan.lines[name] if x.action == "update"])
        for plan in wanted:
            self._rewrite(session, name, plan, stored[plan.record_id or 0], entity)

    def _rewrite(self, session: Session, name: str, plan: RowPlan, stored: Mapping[str, Any], entity: Entity) -> None:
        """The lines as the update writes them, and as taking it back would; nothing where they stay as they are."""
        if any(line.action == "error" for line in plan.lines[name]):
            return
        changed = {line.record_id: line for line in plan.lines[name] if line.record_id is not None}
        new = [line for line in plan.lines[name] if line.record_id is None]
        gone = [i for i in stored["lines"] if i not in changed] if self.task.clear else []
        if not new and not gone and all(line.action == "same" for line in changed.values()):
            return
        after: list[dict[str, Any]] = []
        before: list[dict[str, Any]] = []
        context = coercion(session)
        for line_id, values in stored["lines"].items():
            line = changed.get(line_id)
            if line_id in gone:
                kept = ((n, as_kept(v, entity.fields[n], context)) for n, v in values.items() if v is not None)
                before.append(dict(kept))
                continue
            after.append({**(line.values if line is not None and line.action == "update" else {}), "id": line_id})
            before.append({**((line.before or {}) if line is not None else {}), "id": line_id})
        plan.values[name] = [*after, *({k: v for k, v in x.values.items() if v is not None} for x in new)]
        plan.before = {**(plan.before or {}), name: before}
        plan.version, plan.guarded = stored["version"], True
        plan.dropped += len(gone)
        if plan.action == "same":
            plan.action = "update"


def land(session: Session, planner: Planner, batch: Sequence[RowPlan], *, singly: bool) -> None:
    """Does what was planned; afterwards every plan has its record's id and version, or problems and action `error`.

    Raises `TurnedAway`, and `HeldBack` where the same batch is to be planned and done again.
    """
    if isinstance(planner, FamilyPlanner):
        planner.land(session, batch, singly=singly)
    else:
        apply(session, planner.task.entity.name, batch, singly=singly)


def _part(task: Task, name: str) -> Task:
    """What is below the records of a sheet as rows of its own entity."""
    entity = below_of(task.app, task.entity.fields[name])
    assert entity is not None  # columns lead only there
    mine = tuple(replace(c, lines=None) for c in task.columns if c.lines == name)
    meant = {path.removeprefix(f"{name}."): m for path, m in task.values.items() if path.startswith(f"{name}.")}
    return replace(task, entity=entity, columns=mine, match=(), mode="both", values=meant, within={})


def _told(cells: Sequence[Any], index: int) -> str:
    return text_of(cells[index]) if index < len(cells) else ""


def _key_of(field: Field, entity: Entity, columns: Iterable[Column]) -> tuple[str, ...]:
    """The fields by which a line of the sheet is one that is there."""
    plain = [c.field for c in columns if c.field and keyable(entity, c.field)]
    same = [name for name in (field.settings.get("combine") or {}).get("same", ()) if name in plain]
    links = [name for name in plain if entity.fields[name].storage == "link"]
    return tuple(same or links or [name for name in plain if name == entity.title] or plain)


def _coerced(session: Session, entity: Entity, line: RowPlan, key: Sequence[str]) -> tuple[Any, ...] | None:
    """The key of a line as it would be stored; None where a cell cannot be read, which the record layer tells."""
    context = coercion(session)
    found = []
    for name in key:
        spec = entity.fields[name]
        try:
            found.append(field_type(spec.type).coerce(line.values.get(name), spec, context))
        except Rejection:
            return None
    return tuple(found)


def _stored(session: Session, entity: Entity, field: Field, owners: Sequence[int]) -> dict[int, dict[str, Any]]:
    """`{"version", "lines": {id: stored values that this person may write}}` of each owner, lines in their order."""
    line = plan_of(session, field.entity or "")
    owner = plan_of(session, entity.name).table
    back = line.table.c[column_name(line.fields[field.by or line.back or ""])]
    apart = {field.by or line.back, *Access(session).hidden(line.name), *Access(session).read_only(line.name)}
    fields = [f for f in line.entity.fields.values() if f.writable and not f.retired and f.name not in apart]
    fields = [f for f in fields if f.storage != "children"]
    order = [line.table.c[n] for n in ("position", "id") if n in line.table.c]
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(owners), CHUNK):
        part = owners[start : start + CHUNK]
        for record_id, version in session.connection.execute(
            sa.select(owner.c.id, owner.c.version).where(owner.c.id.in_(part))
        ):
            found[record_id] = {"version": version, "lines": {}}
        living = sa.select(line.table.c.id, back).where(back.in_(part), line.table.c.deleted_at.is_(None))
        pairs = list(session.connection.execute(living.order_by(back, *order)))
        values = stored_values(session, line.entity, [line_id for line_id, _ in pairs], fields)
        for line_id, record_id in pairs:
            found[record_id]["lines"][line_id] = values[line_id]
    return found


def problems_by_row(plan: RowPlan) -> list[tuple[Row, list[RecordProblem]]]:
    """The rows of a refused record, each with what is wrong in it; the others are told which row holds them back.

    The record layer names a line by its place (`lines.2.quantity`); here it becomes the row it came from.
    """
    found: dict[int, list[RecordProblem]] = {number: [] for number in (plan.number, *(n for n, _ in plan.below))}
    for problem in plan.problems:
        name, _, rest = (problem.field or "").partition(".")
        place, _, inner = rest.partition(".")
        rows = plan.lines.get(name, ())
        if place.isdigit() and (number := _row_at(plan, name, rows, int(place))) is not None:
            found[number].append(replace(problem, field=f"{name}.{inner}" if inner else name))
        else:
            found[plan.number].append(problem)
    for number, problem in plan.elsewhere:
        found[number].append(problem)
    at = next((number for number, problems in found.items() if problems), plan.number)
    blamed = RecordProblem(code="import.held_back", params={"row": str(at)})
    first: Row = (plan.number, plan.cells)
    return [(row, found[row[0]] or [blamed]) for row in (first, *plan.below)]


def _row_at(plan: RowPlan, name: str, rows: Sequence[RowPlan], place: int) -> int | None:
    """The sheet's row of a place in the list of lines that was written; None for a line that is not of the sheet."""
    if plan.record_id is None:
        return rows[place].number if place < len(rows) else None
    written = plan.values.get(name, ())
    if place >= len(written):
        return None
    line_id = written[place].get("id")
    if line_id is not None:
        return next((line.number for line in rows if line.record_id == line_id), None)
    new = [line for line in rows if line.record_id is None]
    ahead = sum(1 for w in written[:place] if w.get("id") is None)
    return new[ahead].number if ahead < len(new) else None
