"""Entries of a ledger as they are written: none is changed, no balance falls below its bound, lots follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metadata.model import Application, Entity
from metadata.models.ledger import Ledger
from runtime.errors import Conflict, Forbidden, RecordProblem, Refused
from runtime.ledgers import balances, lots
from runtime.ledgers.balances import ZERO, Key, key_of
from runtime.ledgers.lots import Lot
from runtime.records.plan import EntityPlan
from runtime.records.rulebook import RecordRule, register
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.records.values import Draft
    from runtime.site import Session

PLANNED = (
    "ledger: what entries do to lots"  # keys of Session.cache; drafts are kept there so that their ids stay theirs
)
MADE = "ledger: the lots that entries make"


@dataclass(slots=True)
class _Book:
    """Balances and lots as they are after the entries judged so far."""

    balances: dict[Key, Decimal]
    lots: dict[Key, list[Lot]] = field(default_factory=dict)


class LedgerRule(RecordRule):
    name = "ledger"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.ledger is not None or entity.balances_of is not None

    def deciding(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        ledger = plan.entity.ledger
        if ledger is None or ledger.lots is None:
            return
        for draft in drafts:
            amount = _amount(ledger, draft)
            if draft.creating and amount is not None:
                reverses = ledger.reversal is not None and draft.raw(ledger.reversal.field) is not None
                lot = max(amount, ZERO) if not reverses else ZERO
                draft.values[ledger.lots.left] = int(lot) if isinstance(draft.raw(ledger.balance), int) else lot

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        ledger = plan.entity.ledger
        for draft in drafts:
            if ledger is None:
                draft.forbid(Forbidden("balance_written"))
            elif not draft.creating:
                draft.forbid(Conflict("ledger_closed"))
        if ledger is None:
            return
        good = [d for d in drafts if d.creating and not d.problems and d.verdict is None]
        good = [d for d in good if _amount(ledger, d) is not None]
        if not good:
            return
        keys = {key_of(ledger, d.values) for d in good}
        bounded = ledger.never_below is not None or ledger.lots is not None
        book = _Book(balances.held(session, ledger, keys) if bounded else {})
        if ledger.lots is not None:
            book.lots = lots.lots_of(session, plan, ledger, keys)
        for draft in good:
            _judge(session, plan, ledger, draft, book)

    def late(self, plan: EntityPlan, count: int) -> bool:
        """One entry is judged with its balance held; of several, one may have counted on another that is refused."""
        ledger = plan.entity.ledger
        return count > 1 and ledger is not None and (ledger.never_below is not None or ledger.lots is not None)

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        ledger = plan.entity.ledger
        new = [d for d in drafts if d.creating]
        if ledger is None or not new:
            return
        deltas: dict[Key, Decimal] = {}
        bases: dict[Key, Decimal] = {}
        money = plan.fields[ledger.balance].type == "money"
        base = f"{column_name(plan.fields[ledger.balance])}__base"
        for draft in new:
            key = key_of(ledger, draft.values)
            deltas[key] = deltas.get(key, ZERO) + (_amount(ledger, draft) or ZERO)
            if money:
                bases[key] = bases.get(key, ZERO) + (draft.values.get(base) or ZERO)
        if balances.add(session, ledger, deltas, bases):
            raise _below(ledger)
        if ledger.lots is not None:
            _use_lots(session, plan, ledger, new)


def _below(ledger: Ledger) -> Refused:
    return Refused(problems=[RecordProblem(code="ledger_below", field=ledger.balance, params={"available": "0"})])


def _amount(ledger: Ledger, draft: Draft) -> Decimal | None:
    value = draft.raw(ledger.balance)
    return None if value is None else Decimal(value)


def _judge(session: Session, plan: EntityPlan, ledger: Ledger, draft: Draft, book: _Book) -> None:
    """Refuses an entry that takes more than there is, or that takes back what it may not."""
    key, amount = key_of(ledger, draft.values), _amount(ledger, draft) or ZERO
    first: int | None = None
    if ledger.reversal is not None and draft.raw(ledger.reversal.field) is not None:
        original = _original(session, plan, draft.raw(ledger.reversal.field))
        if original is None or key_of(ledger, original) != key or Decimal(original[ledger.balance]) != -amount:
            draft.refuse("ledger_no_reversal", ledger.reversal.field)
            return
        if original[ledger.reversal.field] is not None:
            draft.refuse("ledger_reversal_of_reversal", ledger.reversal.field)
            return
        first = original["id"]
        if ledger.lots is not None and amount > 0:
            _plan(
                session, draft, [(lot, -part) for lot, part in lots.used_by(session, plan.name, original["id"]).items()]
            )
            book.balances[key] = book.balances.get(key, ZERO) + amount
            return
    if ledger.lots is not None:
        _judge_lots(session, ledger, draft, book, key, amount, first)
        return
    after = book.balances.get(key, ZERO) + amount
    if ledger.never_below is not None and amount < 0 and after < ledger.never_below:
        _too_much(draft, ledger, book.balances.get(key, ZERO) - ledger.never_below)
        return
    book.balances[key] = after


def _judge_lots(
    session: Session, ledger: Ledger, draft: Draft, book: _Book, key: Key, amount: Decimal, first: int | None
) -> None:
    assert ledger.lots is not None
    here = book.lots.setdefault(key, [])
    if amount >= 0:
        expires = draft.raw(ledger.lots.expires) if ledger.lots.expires else None
        lot = Lot(None, amount, expires)
        session.cache.setdefault(MADE, {})[id(draft)] = (draft, lot)
        if amount > 0 and lot.usable(session.today):
            here.append(lot)
        return
    available = sum((lot.left for lot in here), ZERO)
    taken = lots.take(here, -amount, first)
    if not taken:
        _too_much(draft, ledger, available)
        return
    _plan(session, draft, [(lot if lot.id is None else lot.id, part) for lot, part in taken])


def _too_much(draft: Draft, ledger: Ledger, available: Decimal) -> None:
    draft.refuse("ledger_below", ledger.balance, available=f"{max(available, ZERO).normalize():f}")


def _original(session: Session, plan: EntityPlan, entry: int) -> dict[str, Any] | None:
    found = session.connection.execute(plan.select_rows.where(plan.table.c.id == entry)).first()
    return None if found is None else plan.row(found)


def _plan(session: Session, draft: Draft, uses: Sequence[tuple[Any, Decimal]]) -> None:
    session.cache.setdefault(PLANNED, {})[id(draft)] = (draft, uses)


def _use_lots(session: Session, plan: EntityPlan, ledger: Ledger, drafts: Sequence[Draft]) -> None:
    """Writes what was planned: (entry, lot, amount); a lot of the same write has its id by now."""
    assert ledger.lots is not None
    planned: dict[int, tuple[Draft, Any]] = session.cache.get(PLANNED, {})
    known: dict[int, tuple[Draft, Lot]] = session.cache.get(MADE, {})
    made = {id(lot): draft.record_id for draft, lot in known.values()}
    uses: list[tuple[int, int, Decimal]] = []
    for draft in drafts:
        _, wanted = planned.get(id(draft), (draft, ()))
        for lot, amount in wanted:
            record = made.get(id(lot)) if isinstance(lot, Lot) else lot
            if record is None:  # the entry that was to make it is refused
                raise _below(ledger)
            uses.append((draft.record_id or 0, record, amount))
    lots.write_uses(session, plan, ledger.lots, uses)
    for draft in drafts:
        planned.pop(id(draft), None)
    if not planned:
        known.clear()


register(LedgerRule())
