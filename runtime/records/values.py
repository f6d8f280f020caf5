"""Records as the expression language sees them: stored ones, loaded in batches on demand, and drafts being written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Field
from rules.evaluate import Environment, Values, evaluate
from rules.expression import Expression
from runtime.errors import Answer, RecordProblem
from runtime.records.plan import EntityPlan, plan_of
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session

CHUNK = 500  # ids in one IN list


class Loader:
    """Loads what expressions reach from the records at hand; formulas in metadata see all rows.

    Whoever holds many records announces the ids they point to (`want`), so that the first one asked for brings all.
    """

    def __init__(self, session: Session, environment: Environment | None = None) -> None:
        self.session = session
        self.environment = environment or session.environment()
        self.known: dict[Expression, Any] = {}  # values of rules that need no record
        self._rows: dict[tuple[str, int], dict[str, Any] | None] = {}
        self._wanted: dict[str, set[int]] = {}
        self._members: dict[tuple[str, str, int], list[Stored]] = {}
        self._owners: dict[str, set[int]] = {}

    def want(self, entity: str, ids: Iterable[int]) -> None:
        self._wanted.setdefault(entity, set()).update(ids)

    def own(self, entity: str, ids: Iterable[int]) -> None:
        """Announces records whose collections may be asked for."""
        self._owners.setdefault(entity, set()).update(ids)

    def put(self, entity: str, row: dict[str, Any]) -> None:
        self._rows[entity, row["id"]] = row

    def record(self, entity: str, record_id: int) -> Stored | None:
        key = (entity, record_id)
        if key not in self._rows:
            ids = self._wanted.pop(entity, set()) | {record_id}
            self._load(entity, sorted(i for i in ids if (entity, i) not in self._rows))
        row = self._rows[key]
        return None if row is None else Stored(self, plan_of(self.session, entity), row)

    def _load(self, entity: str, ids: Sequence[int]) -> None:
        plan = plan_of(self.session, entity)
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            for i in part:
                self._rows[entity, i] = None
            for values in self.session.connection.execute(plan.select_rows.where(plan.table.c.id.in_(part))):
                self.put(entity, plan.row(values))

    def members(self, plan: EntityPlan, field: Field, record_id: int | None) -> Sequence[Stored]:
        """Living records of a collection, in line order, else by id."""
        if record_id is None:
            return ()
        key = (plan.name, field.name, record_id)
        if key not in self._members:
            ids = self._owners.get(plan.name, set()) | {record_id}
            wanted = sorted(i for i in ids if (plan.name, field.name, i) not in self._members)
            for start in range(0, len(wanted), CHUNK):
                self._load_members(plan, field, wanted[start : start + CHUNK])
        return self._members[key]

    def _load_members(self, plan: EntityPlan, field: Field, ids: Sequence[int]) -> None:
        for i in ids:
            self._members[plan.name, field.name, i] = []
        target = plan_of(self.session, field.entity or field.to or "")
        statement, owner = members_query(self.session, plan, field, target)
        for values in self.session.connection.execute(statement.where(owner.in_(ids))):
            row = target.row(values[:-1])
            self.put(target.name, row)
            self._members[plan.name, field.name, values[-1]].append(Stored(self, target, row))

    def joined(self, plan: EntityPlan, field: Field, record_id: int | None) -> tuple[Any, ...]:
        """The values of a join table: names of choices, ids of links."""
        if record_id is None:
            return ()
        table = self.session.tables.pairs(plan.name, field.name)
        wanted = sa.select(table.c.value).where(table.c.record_id == record_id).order_by(table.c.value)
        return tuple(self.session.connection.scalars(wanted))


def members_query(
    session: Session, plan: EntityPlan, field: Field, target: EntityPlan
) -> tuple[sa.Select[Any], sa.ColumnElement[int]]:
    """The living members of a collection field, with the owner's id as last column."""
    alive = target.table.c.deleted_at.is_(None)
    if field.storage == "links":
        join = session.tables.pairs(plan.name, field.name)
        statement = sa.select(*target.table.c, join.c.record_id).join(join, join.c.value == target.table.c.id)
        return statement.where(alive).order_by(target.table.c.id), join.c.record_id
    back = target.table.c[column_name(target.fields[field.by or ""])]
    order = [target.table.c.id]
    if field.storage == "children" and "position" in target.table.c:
        order.insert(0, target.table.c.position)
    return sa.select(*target.table.c, back.label("owner__")).where(alive).order_by(*order), back


class _Record:
    """What stored records and drafts share: `Values` of rules.evaluate."""

    __slots__ = ()
    loader: Loader
    plan: EntityPlan

    def raw(self, name: str) -> Any:
        raise NotImplementedError

    @property
    def record_id(self) -> int | None:
        raise NotImplementedError

    def get(self, name: str) -> Any:
        field = self.plan.fields.get(name)
        if field is None:
            return self.raw(name)
        storage = field.storage
        if storage == "link":
            target = self.raw(name)
            return None if target is None else self.loader.record(field.to or "user", target)
        if field.through is not None:
            return self.many(field)
        if field.computed == "live" and field.keep is None:
            return self.computed(field)
        if storage == "none":
            return self.computed(field)
        if storage in ("choices", "links"):
            return self.many(field)
        if storage == "any_link":
            pair = self.raw(name)
            return None if pair is None else self.loader.record(pair[0], pair[1])
        return self.raw(name)

    def computed(self, field: Field) -> Any:
        if field.formula is not None:
            return evaluate(field.formula, self, self.loader.environment)
        value: Any = self
        for step in field.of:
            value = value.get(step) if value is not None else None
        return value

    def many(self, field: Field) -> tuple[Any, ...]:
        return self.loader.joined(self.plan, field, self.record_id)

    def members(self, name: str) -> Sequence[Values]:
        return self.loader.members(self.plan, self.plan.fields[name], self.record_id)


class Stored(_Record):
    """A record as it is in the database."""

    __slots__ = ("loader", "plan", "row")

    def __init__(self, loader: Loader, plan: EntityPlan, row: dict[str, Any]) -> None:
        self.loader = loader
        self.plan = plan
        self.row = row

    def raw(self, name: str) -> Any:
        return self.row.get(name)

    @property
    def record_id(self) -> int | None:
        return self.row["id"]


class Draft(_Record):
    """A record being written: its values as they will be, what was given, and what is wrong with it.

    `values` is the whole after-image by field name (joined values as tuples, where known); `before` the row as stored,
    None for a new record. `path` prefixes the fields of its problems (`lines.2.`).
    """

    __slots__ = ("before", "changed", "given", "joins", "lines", "loader", "new_id", "parent", "path", "plan",
                 "position", "problems", "removed", "values", "verdict", "warnings")  # fmt: skip

    def __init__(self, loader: Loader, plan: EntityPlan, before: dict[str, Any] | None, path: str = "") -> None:
        self.loader = loader
        self.plan = plan
        self.before = before
        self.values: dict[str, Any] = dict(before) if before is not None else {}
        self.given: set[str] = set()
        self.changed: set[str] = set()
        self.joins: dict[str, tuple[Any, ...]] = {}  # joined values before the change, where they are known
        self.lines: dict[str, list[Draft]] = {}
        self.removed: dict[str, list[Draft]] = {}
        self.parent: Draft | None = None
        self.path = path
        self.position: int | None = None
        self.problems: list[RecordProblem] = []
        self.warnings: list[RecordProblem] = []
        self.new_id: int | None = None
        self.verdict: Answer | None = None  # what refuses the whole, such as a record that is locked

    @property
    def record_id(self) -> int | None:
        return self.before["id"] if self.before is not None else self.new_id

    @property
    def creating(self) -> bool:
        return self.before is None

    def raw(self, name: str) -> Any:
        if name == "id":
            return self.record_id
        if name.endswith("__base") and name not in self.plan.fields:
            return self._in_base(name.removesuffix("__base"))
        return self.values.get(name)

    def _in_base(self, name: str) -> Any:
        """Money in base currency as it will be: what is stored is still that of before the change."""
        from runtime.records.compute import amount_in_base  # late: it stands on drafts

        return amount_in_base(self.loader.session, self, self.values.get(name))

    def get(self, name: str) -> Any:
        if self.parent is not None and name == self.plan.back:
            return self.parent
        return _Record.get(self, name)

    def many(self, field: Field) -> tuple[Any, ...]:
        if field.name not in self.values:
            self.values[field.name] = self.loader.joined(self.plan, field, self.record_id)
        return self.values[field.name]

    def members(self, name: str) -> Sequence[Values]:
        if name in self.lines:
            return self.lines[name]
        field = self.plan.fields[name]
        if field.storage == "links" and name in self.values:
            found = (self.loader.record(field.to or "", i) for i in self.values[name])
            return [record for record in found if record is not None]
        return _Record.members(self, name)

    def take_lines(self, name: str) -> None:
        """Takes the stored lines into the draft as they are, for rules that change them though nobody gave them."""
        stored = self.loader.members(self.plan, self.plan.fields[name], self.record_id)
        self.lines[name] = []
        for index, member in enumerate(stored):
            line = Draft(self.loader, member.plan, member.row, f"{self.path}{name}.{index}.")
            line.parent, line.position = self, member.row.get("position")
            self.lines[name].append(line)

    def old(self) -> Values | None:
        return None if self.before is None else Stored(self.loader, self.plan, self.before)

    def environment(self) -> Environment:
        """The moment with this record's own before-image, for rules that look at the change."""
        return replace(self.loader.environment, old=self.old(), changed=frozenset(self.changed))

    def refuse(self, code: str, name: str | None = None, message: str | None = None, /, **params: object) -> None:
        place = f"{self.path}{name}" if name else self.path.rstrip(".") or None
        filled = {key: str(value) for key, value in params.items()}
        self.problems.append(RecordProblem(code=code, field=place, params=filled, message=message))

    def forbid(self, answer: Answer) -> None:
        """Refuses the change as a whole, of whatever fields; the first reason is the one told."""
        self.verdict = self.verdict or answer

    def refused(self, field: str) -> bool:
        if not self.problems:
            return False
        place = f"{self.path}{field}"
        return any(p.field == place for p in self.problems)
