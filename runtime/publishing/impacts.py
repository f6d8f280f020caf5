"""What a plan means for the data already there: counted, not guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as default_of
from typing import Any, Literal

import sqlalchemy as sa

from metadata.model import Application, Entity, Field
from runtime.decisions.people_plan import people_findings
from runtime.environment import environment_of
from runtime.messages import say
from runtime.publishing.approval_moves import stranded
from runtime.publishing.rule_impacts import rule_findings
from runtime.publishing.score_impacts import Comparing, changed_scores, said_moves
from runtime.schema.convert import Conversion, Custom, conversion_context, place_of
from runtime.schema.plan import Plan, Retyped
from runtime.schema.tables import column_name, is_column, is_joined
from runtime.settings import Settings
from runtime.site import Published, Site

Severity = Literal["info", "warning", "danger", "refuse"]
SAMPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """One consequence. `count` records are concerned, `sample` are ids of some of them.

    refuse: publishing is impossible; danger: it needs consent; warning and info: it goes on.
    """

    code: str
    severity: Severity
    entity: str
    field: str = ""
    count: int = 0
    sample: tuple[int, ...] = ()
    params: dict[str, str] = default_of(default_factory=dict)

    def sentence(self, language: str = "zh") -> str:
        known = {"entity": self.entity, "field": self.field, "count": str(self.count)}
        return say(self.code, language, **{**known, **self.params})


def find_impacts(
    connection: sa.Connection, site: Site, plan: Plan, old: Published | None, new: Application
) -> list[Impact]:
    """Every consequence of going from `old` to `new` for the data as they are before the plan has run."""
    if old is None:
        return []
    return _Impacts(connection, site, plan, old, new).find()


class _Impacts:
    """Looks at the tables of the old version: nothing has been moved yet."""

    def __init__(self, connection: sa.Connection, site: Site, plan: Plan, old: Published, new: Application) -> None:
        self.connection, self.site, self.plan, self.old, self.new = connection, site, plan, old.app, new
        self.tables, self.published = old.tables, old
        self.names = {r.new: r.old for r in plan.renamed}
        self.present = plan.present

    def find(self) -> list[Impact]:
        found = [
            Impact(code="impact.rename", severity="info", entity=r.new, params={"old": r.old, "new": r.new})
            for r in self.plan.renamed
        ]
        found += self._retired()
        found += [impact for change in self.plan.retyped if (impact := self._retype(change))]
        for entity in self.new.entities.values():
            before = self.old.entities.get(self.names.get(entity.name, entity.name))
            if before is not None and not entity.retired and not before.retired and before.table in self.present:
                found += self._entity(before, entity)
        return [*found, *self._scores(), *self._rules(), *self._people(), *self._approvals()]

    def _people(self) -> Iterator[Impact]:
        """Rules that name people who are not there."""
        for found in people_findings(self.connection, self.tables, self.old, self.new):
            params = {"where": found.where, "who": found.who}
            yield Impact(code=found.code, severity="warning", entity=found.entity, params=params)

    def _rules(self) -> Iterator[Impact]:
        """What new and changed reminders and workflows would do, and runs that go on with their old version."""
        if self.names or not {"reminder_match", "workflow_run"} <= set(self.old.entities):
            return
        for found in rule_findings(self.connection, self.site, self.published, self.new):
            yield Impact(
                code=found.code,
                severity="info",
                entity=found.entity,
                count=found.count,
                params={"name": found.name, **found.params},
            )

    def _approvals(self) -> Iterator[Impact]:
        """Cases that wait at a step which goes: it is asked where they go on."""
        tables = [self.old.entities[n].table for n in ("approval_case", "approval_step") if n in self.old.entities]
        if len(tables) < 2 or not set(tables) <= self.present:
            return
        for found in stranded(self.connection, self.tables, self.new):
            code = "impact.case_moved" if found.to else "impact.case_stranded"
            yield Impact(
                code=code,
                severity="info" if found.to else "danger",
                entity=found.entity,
                count=found.count,
                sample=found.sample,
                params={"name": found.approval, "step": found.step, "to": found.to or ""},
            )

    def _scores(self) -> Iterator[Impact]:
        """Records that another score or grade waits for."""
        for score in changed_scores(self.old, self.new):
            present = self.old.entities[score.entity].table in self.present
            if not present or self.names:
                continue
            found = Comparing(self.connection, self.site, self.published, self.new, score).compare()
            code = "impact.score" if found.known else "impact.score_unknown"
            yield Impact(
                code=code,
                severity="info",
                entity=score.entity,
                field=score.field or "",
                count=found.changed,
                sample=found.sample,
                params={
                    "name": score.name,
                    "total": str(found.total),
                    "regraded": str(found.regraded),
                    "moves": f" ({said_moves(score, found.moves, 'en')})" if found.moves else "",
                },
            )

    def _retired(self) -> Iterator[Impact]:
        for entity, name in self.plan.retired:
            before = self.old.entities.get(self.names.get(entity, entity))
            if before is None or before.table not in self.present:
                continue
            table = self.tables.table(before.name)
            if not name:
                count = self.connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                severity: Severity = "danger" if count else "info"
                yield Impact(code="impact.retire_entity", severity=severity, entity=entity, count=count)
                continue
            member = before.fields.get(name)
            if member is not None:
                count = self._filled(before, member)
                severity = "danger" if count else "info"
                yield Impact(code="impact.retire_field", severity=severity, entity=entity, field=name, count=count)

    def _filled(self, entity: Entity, member: Field) -> int:
        if is_joined(member):
            join = self.tables.join_table(entity.name, member.name)
            return self.connection.scalar(sa.select(sa.func.count(join.c.record_id.distinct()))) or 0
        if not is_column(member):
            return 0
        column = self.tables.column(entity.name, member.name)
        return self.connection.scalar(sa.select(sa.func.count(column))) or 0

    def _retype(self, change: Retyped) -> Impact | None:
        before = self.old.entities[self.names.get(change.entity, change.entity)]
        context = conversion_context(self.connection, self.new, self._titles(), custom_of(self.site.settings))
        convert = Conversion(change.old, change.new, context)
        home = self.tables.join_table(before.name, change.old.name).name if is_joined(change.old) else before.table
        place = place_of(change.old, home, column_name(change.old))
        total, lost = 0, []
        for record, value in place.read(self.connection):
            total += 1
            if convert(value) in (None, ()):
                lost.append(record)
        if not total:
            return None
        return Impact(
            code="impact.retype",
            severity="danger" if lost else "warning",
            entity=change.entity,
            field=change.new.name,
            count=len(lost),
            sample=tuple(lost[:SAMPLE]),
            params={"old": change.old.type, "new": change.new.type, "total": str(total)},
        )

    def _titles(self) -> dict[str, tuple[str, str]]:
        return {
            e.name: (e.table, column_name(e.fields[e.title]))
            for e in self.old.entities.values()
            if not e.retired and e.title in e.fields and is_column(e.fields[e.title])
        }

    def _entity(self, before: Entity, entity: Entity) -> Iterator[Impact]:
        retyped = {(r.entity, r.new.name) for r in self.plan.retyped}
        for member in entity.fields.values():
            earlier = self._earlier(before, entity, member)
            if member.system or member.retired or (entity.name, member.name) in retyped:
                continue
            if earlier is None:
                yield from self._new_field(before, entity, member)
            elif is_column(member) and is_column(earlier):
                yield from self._changed_field(before, earlier, entity, member)
            elif is_joined(member) and is_joined(earlier):
                yield from self._choices(before, earlier, entity, member)
        yield from self._unique_groups(before, entity)
        yield from self._checks(before, entity)

    def _earlier(self, before: Entity, entity: Entity, member: Field) -> Field | None:
        renamed = self.names.get(f"{entity.name}.{member.name}", "").rsplit(".", 1)[-1]
        found = before.fields.get(renamed or member.name)
        return None if found is None or found.retired else found

    def _new_field(self, before: Entity, entity: Entity, member: Field) -> Iterator[Impact]:
        if member.required and member.computed == "no" and is_column(member):
            yield from self._count("impact.required", "warning", entity, member, before, lambda t: sa.true())

    def _changed_field(self, before: Entity, earlier: Field, entity: Entity, member: Field) -> Iterator[Impact]:
        def column() -> sa.Column:  # tables are made of those entities alone about which something is asked
            return self.tables.column(before.name, earlier.name)

        if member.required and not earlier.required and member.computed == "no":
            yield from self._count("impact.required", "warning", entity, member, before, lambda t: column().is_(None))
        if member.unique and not earlier.unique:
            yield from self._duplicates(before, entity, (column(),), member.name)
        if member.storage == "text" and isinstance(member.max, int) and _narrower(member.max, earlier.max):
            longer = sa.func.length(column()) > member.max
            params = {"max": str(member.max)}
            yield from self._count("impact.shorter", "warning", entity, member, before, lambda t: longer, params)
        elif member.storage in ("integer", "decimal", "date"):
            yield from self._range(before, earlier, entity, member, column)
        yield from self._choices(before, earlier, entity, member)

    def _range(
        self, before: Entity, earlier: Field, entity: Entity, member: Field, column: Callable[[], sa.Column]
    ) -> Iterator[Impact]:
        outside = []
        if member.max is not None and member.max != earlier.max and not _is_rule(member.max):
            outside.append(column() > member.max)
        if member.min is not None and member.min != earlier.min and not _is_rule(member.min):
            outside.append(column() < member.min)
        if outside:
            yield from self._count("impact.out_of_range", "warning", entity, member, before, lambda t: sa.or_(*outside))

    def _choices(self, before: Entity, earlier: Field, entity: Entity, member: Field) -> Iterator[Impact]:
        """Values that the new option set does not have, nor any of its choices under an earlier name."""
        options = self.new.options.get(member.options or "")
        if options is None or (earlier.options == member.options and options == self.old.options.get(options.name)):
            return
        known = {c.name for c in options.choices} | {name for c in options.choices for name in c.was}
        if is_joined(earlier):
            join = self.tables.join_table(before.name, earlier.name)
            value, record = join.c.value, join.c.record_id
        else:
            value, record = self.tables.column(before.name, earlier.name), self.tables.table(before.name).c.id
        outside = value.is_not(None) & value.not_in(sorted(known))
        values = list(self.connection.scalars(sa.select(value).where(outside).distinct().limit(SAMPLE)))
        if not values:
            return
        count = self.connection.scalar(sa.select(sa.func.count(record.distinct())).where(outside)) or 0
        sample = tuple(self.connection.scalars(sa.select(record).where(outside).limit(SAMPLE)))
        yield Impact(
            code="impact.choices",
            severity="danger",
            entity=entity.name,
            field=member.name,
            count=count,
            sample=sample,
            params={"values": ", ".join(map(str, values))},
        )

    def _unique_groups(self, before: Entity, entity: Entity) -> Iterator[Impact]:
        for group in entity.unique:
            members = [self._earlier(before, entity, entity.fields[name]) for name in group]
            if group in before.unique or any(m is None or not is_column(m) for m in members):
                continue
            columns = tuple(self.tables.column(before.name, m.name) for m in members if m is not None)
            yield from self._duplicates(before, entity, columns, ", ".join(group))

    def _duplicates(
        self, before: Entity, entity: Entity, columns: tuple[sa.Column, ...], name: str
    ) -> Iterator[Impact]:
        table = self.tables.table(before.name)
        filled = [column.is_not(None) for column in columns]
        living = [table.c.deleted_at.is_(None), *filled]
        twins = sa.select(sa.func.count().label("n"), sa.func.min(table.c.id).label("first")).where(*living)
        grouped = twins.group_by(*columns).having(sa.func.count() > 1).subquery()
        count = self.connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(grouped.c.n), 0))) or 0
        if count:
            sample = tuple(self.connection.scalars(sa.select(grouped.c.first).limit(SAMPLE)))
            yield Impact(
                code="impact.duplicates",
                severity="refuse",
                entity=entity.name,
                field=name,
                count=int(count),
                sample=sample,
            )

    def _checks(self, before: Entity, entity: Entity) -> Iterator[Impact]:
        known = {check.name: (check.must.text, check.when.text if check.when else "") for check in before.checks}
        for check in entity.checks:
            if known.get(check.name) == (check.must.text, check.when.text if check.when else ""):
                continue
            broken = self._broken(before, entity, check)
            if broken is None:
                continue
            yield from self._count("impact.check", "warning", entity, None, before, broken, {"name": check.name})

    def _broken(self, before: Entity, entity: Entity, check: Any) -> Callable[[sa.Table], Any] | None:
        """The condition of records that break a check; None where the check reads what is not in the database yet."""
        from runtime.query.expressions import SqlContext, condition  # late: checks alone need the query language

        reads = check.must.reads | (check.when.reads if check.when else frozenset())
        moved = bool(self.names)
        for read_entity, read_field in reads:
            found = self.old.entities.get(read_entity)
            if moved or found is None or read_field not in found.fields:
                return None
        environment = environment_of(self.site.system_session(self.connection))
        context = SqlContext(tables=self.tables, environment=environment)

        def broken(table: sa.Table) -> Any:
            wrong = sa.not_(condition(check.must, table, context))
            return wrong if check.when is None else sa.and_(condition(check.when, table, context), wrong)

        return broken

    def _count(
        self,
        code: str,
        severity: Severity,
        entity: Entity,
        member: Field | None,
        before: Entity,
        where: Callable[[sa.Table], Any],
        params: dict[str, str] | None = None,
    ) -> Iterator[Impact]:
        """The impact, where living records are concerned."""
        table = self.tables.table(before.name)
        condition = sa.and_(table.c.deleted_at.is_(None), where(table))
        count = self.connection.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0
        if count:
            sample = tuple(self.connection.scalars(sa.select(table.c.id).where(condition).limit(SAMPLE)))
            yield Impact(
                code=code,
                severity=severity,
                entity=entity.name,
                field=member.name if member else "",
                count=count,
                sample=sample,
                params=params or {},
            )


def custom_of(settings: Settings) -> Custom:
    """How the site writes dates and amounts."""
    return Custom(language=settings.language, zone=settings.zone, currency=settings.currency)


def _narrower(new: int, old: Any) -> bool:
    return not isinstance(old, int) or new < old


def _is_rule(value: Any) -> bool:
    return hasattr(value, "tree")
