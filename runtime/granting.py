"""Reserved numbers: skipped by the counter, granted by hand, each once and for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application, Entity, Numbering
from rules.digits import fits
from runtime import database, numbering, records
from runtime.actions import ActionSource, Ask, Offer, Outcome, register
from runtime.errors import Conflict, RecordProblem, Refused
from runtime.messages import say
from runtime.records.values import Stored
from runtime.schema.internal_ledgers import number_grant
from runtime.schema.tables import column_name
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

GRANT = "grant_number"
ASKED = "sequence"


class NumberGrants(ActionSource):
    word = "numbering"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.number is not None and bool(entity.number.reserved) and bool(entity.number.field)

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        assert entity.number is not None
        allowed = _may_grant(session, entity, entity.number)
        patterns = ", ".join(entity.number.reserved)
        yield Offer(
            name=GRANT,
            label=say("number.grant", session.language),
            word=self.word,
            icon="number",
            why=None if allowed else say("number.may_not", session.language),
            hidden=not allowed,
            asks=(Ask(name=ASKED, label=say("number.ask", session.language), required=True, help=patterns),),
        )

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        assert entity.number is not None
        number = grant(session, entity, entity.number, record, str(given[ASKED]))
        said = say("number.granted", session.language, number=number)
        return Outcome(message=said, goto=(entity.name, record.row["id"]), data={"number": number})


def _may_grant(session: Session, entity: Entity, numbered: Numbering) -> bool:
    access = Access(session)
    named = bool({role.name for role in access.roles} & set(numbered.granted_by))
    return (access.admin or named) and access.can(entity.name, "edit")


def grant(session: Session, entity: Entity, numbered: Numbering, record: Stored, digits: str) -> str:
    """Gives the record the reserved number; the number. Raises `Refused` for another one, `Conflict` if it is taken."""
    prefix, width = numbering.template(session, numbered, record)
    digits = digits.strip().zfill(width)
    if not digits.isascii() or not digits.isdigit() or not fits(numbered.reserved, digits):
        params = {"digits": digits[:40], "patterns": ", ".join(numbered.reserved)}
        raise Refused(problems=[RecordProblem(code="number.not_reserved", field=ASKED, params=params)])
    number = numbering.written(numbered, prefix, digits)
    insert = database.insert_or(session.site.dialect)
    said = {"record_id": record.row["id"], "granted_by": session.user.id, "granted_at": session.now}
    key = {"name": numbered.name, "prefix": numbering.counted(prefix), "digits": digits}
    granting = insert(number_grant).values(**key, **said).on_conflict_do_nothing().returning(number_grant.c.digits)
    if session.connection.execute(granting).first() is None or _in_use(session, entity, numbered, number):
        raise Conflict("number.granted_already", number=number)
    writing = session.sub(cause="numbering")
    records.update(writing, entity.name, record.row["id"], {numbered.field or "": number})
    return number


def _in_use(session: Session, entity: Entity, numbered: Numbering, number: str) -> bool:
    table = session.table(entity.name)
    column = table.c[column_name(entity.fields[numbered.field or ""])]
    return session.connection.scalar(sa.select(table.c.id).where(column == number).limit(1)) is not None


register(NumberGrants())
