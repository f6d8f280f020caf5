"""What a changed score would do to the records there are, worked out before it is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.score import Score
from runtime.environment import environment_of
from runtime.query.dialects import dialect
from runtime.query.expressions import SqlContext, assigned
from runtime.query.sql_context import NoSqlTwin
from runtime.schema.tables import column_name, is_column

if TYPE_CHECKING:
    from runtime.site import Published, Site

SAMPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A record whose score or grade the draft changes."""

    id: int
    title: str
    before: Decimal | None
    after: Decimal | None
    grade_before: str | None
    grade_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A draft score beside the live one. `moves` counts records by (grade before, grade after), None: no grade.

    `known` is False where it reads what is not published yet, so that nothing can be compared.
    """

    score: Score
    known: bool = True
    total: int = 0
    changed: int = 0
    moves: tuple[tuple[str | None, str | None, int], ...] = ()
    sample: tuple[int, ...] = ()

    @property
    def regraded(self) -> int:
        return sum(count for before, after, count in self.moves if before != after)


def changed_scores(old: Application, new: Application) -> Iterator[Score]:
    """The scores of `new` that an existing entity holds and that say something else than in `old`."""
    for name, score in new.of("score").items():
        before = old.of("score").get(name)
        if score.entity in old.entities and score.field is not None and _said(old, before) != _said(new, score):
            yield score


def _said(app: Application, score: Score | None) -> Any:
    if score is None or score.field is None:
        return None
    formula = app.entities[score.entity].fields[score.field].formula
    return score.entity, formula.text if formula else "", sorted(score.thresholds.items())


class Comparing:
    """Compares one score; looks at the tables of the published version alone."""

    def __init__(self, connection: sa.Connection, site: Site, old: Published, new: Application, score: Score) -> None:
        self.connection, self.score = connection, score
        self.entity = old.app.entities[score.entity]
        self.table = old.tables.table(score.entity)
        self.field = new.entities[score.entity].fields[score.field or ""]
        environment = environment_of(site.system_session(connection))
        self.context = SqlContext(tables=old.tables, environment=environment)
        self.old = old.app
        self.rows = self._rows(dialect(site.dialect, environment))

    def _rows(self, builder: Any) -> sa.Subquery | None:
        """id, score and grade as they are and as they would be; None where they cannot be known."""
        formula = self.field.formula
        if formula is None or not all(self._published(e, f) for e, f in formula.reads):
            return None
        try:
            now = assigned(formula, self.field.value_type, self.table, self.context)
        except (NoSqlTwin, KeyError):
            return None
        fresh = sa.select(
            self.table.c.id,
            self._present("score").label("was"),
            self._present("grade").label("graded"),
            now.label("now"),
        ).where(self.table.c.deleted_at.is_(None))
        inner = fresh.subquery()
        cases = [
            (inner.c.now >= builder.literal(g.least, self.field.value_type).element, sa.literal(g.name, sa.Text()))
            for g in sorted(self.score.grades, key=lambda g: -g.least)
        ]
        regraded = sa.case(*cases, else_=sa.null()) if cases else sa.cast(sa.null(), sa.Text())
        return sa.select(inner, sa.type_coerce(regraded, sa.Text()).label("regraded")).subquery()

    def _published(self, entity: str, name: str) -> bool:
        found = self.old.entities.get(entity)
        return found is not None and name in found.fields and not found.fields[name].retired

    def _present(self, kind: str) -> sa.ColumnElement[Any]:
        """The column that holds the score or grade now; nothing where there is none yet."""
        name = self.score.field if kind == "score" else self.score.grade_field
        member = self.entity.fields.get(name or "")
        if member is None or not is_column(member) or member.type != kind:
            return sa.cast(sa.null(), self.table.c.id.type if kind == "score" else sa.Text())
        return self.table.c[column_name(member)]

    def compare(self) -> Comparison:
        rows = self.rows
        if rows is None:
            return Comparison(score=self.score, known=False)
        differs = rows.c.was.is_distinct_from(rows.c.now)
        total, changed = self.connection.execute(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((differs, 1), else_=0)), 0)).select_from(
                rows
            )
        ).one()
        moved = rows.c.graded.is_distinct_from(rows.c.regraded)
        groups = sa.select(rows.c.graded, rows.c.regraded, sa.func.count()).where(moved)
        found = self.connection.execute(groups.group_by(rows.c.graded, rows.c.regraded)).all()
        sample = sa.select(rows.c.id).where(moved if self.score.grades else differs).order_by(rows.c.id).limit(SAMPLE)
        return Comparison(
            score=self.score,
            total=total,
            changed=int(changed),
            moves=tuple(sorted(((b, a, n) for b, a, n in found), key=lambda m: (-m[2], str(m[:2])))),
            sample=tuple(self.connection.scalars(sample)),
        )

    def records(self, limit: int) -> Iterator[Changed]:
        """The records that change, by id."""
        rows = self.rows
        if rows is None:
            return
        title = self.entity.fields.get(self.entity.title)
        shown = self.table.c[column_name(title)] if title is not None and is_column(title) else self.table.c.id
        either = sa.or_(rows.c.was.is_distinct_from(rows.c.now), rows.c.graded.is_distinct_from(rows.c.regraded))
        wanted = sa.select(rows.c.id, shown, rows.c.was, rows.c.now, rows.c.graded, rows.c.regraded)
        joined = wanted.join_from(rows, self.table, self.table.c.id == rows.c.id).where(either)
        for i, name, was, now, graded, regraded in self.connection.execute(joined.order_by(rows.c.id).limit(limit)):
            yield Changed(id=i, title=str(name or i), before=was, after=now, grade_before=graded, grade_after=regraded)


def said_moves(score: Score, moves: tuple[tuple[str | None, str | None, int], ...], language: str) -> str:
    """`A → B: 12, B → C: 3`."""
    labels = {g.name: g.label.of(language) for g in score.grades}
    words = [f"{labels.get(b or '', b) or '–'} → {labels.get(a or '', a) or '–'}: {n}" for b, a, n in moves[:12]]
    return ", ".join(words)
