"""From what was given to values: unknown, hidden and protected fields refused, the rest coerced by its field type."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.fields.base import Coercion, Rejection
from metadata.fields.choices import spellings
from metadata.model import Field
from runtime.digits import number_in
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.values import Draft, Loader
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

CHANNELS = {"import": "import", "form": "form", "page": "form", "web_form": "form"}
_SCALES_FRESH = 5.0  # seconds


def coercion(session: Session, currency: str | None = None) -> Coercion:
    """What field types may know in this session, for a record in `currency` (None: the site's)."""
    base = session.cache.get("coercion")
    if base is None:
        memo = session.tables.memo
        app = session.app

        def choices(name: str) -> Mapping[str, str]:
            found = memo.get(("spellings", name))
            if found is None:
                found = memo["spellings", name] = spellings(app.options[name])
            return found

        def label(options: str, name: str) -> str:
            choice = app.options[options].choice(name) if options in app.options else None
            return choice.label.of(session.language) if choice else name

        base = session.cache["coercion"] = Coercion(
            language=session.language,
            zone=session.zone,
            currency=session.site.settings.currency,
            today=session.today,
            now=session.now,
            channel=CHANNELS.get(session.channel, "api"),
            resolve=lambda entity, text: resolve(session, entity, text),
            choices=choices,
            label=label,
            scale_of_currency=lambda code: currency_scale(session, code),
        )
    return base if currency in (None, base.currency) else replace(base, currency=currency)


def currency_scale(session: Session, code: str) -> int:
    """Decimals of a currency; 2 where it is not listed."""
    known = session.site.cache.get("currency scales")
    if known is None or time.monotonic() - known[0] > _SCALES_FRESH:
        table = session.table("currency")
        living = sa.select(table.c.code, table.c.scale).where(table.c.deleted_at.is_(None))
        scales = {c: 2 if s is None else int(s) for c, s in session.connection.execute(living)}
        known = session.site.cache["currency scales"] = (time.monotonic(), scales)
    return known[1].get(code, 2)


def resolve(session: Session, entity: str, text: str) -> list[int]:
    """Ids of visible living records whose title, number or unique text is `text`; at most three."""
    cache = session.cache.setdefault("resolved", {})
    key = (entity, text)
    if key in cache:
        return cache[key]
    plan = plan_of(session, entity)
    access = Access(session)
    names = dict.fromkeys([plan.numbered, *(f.name for f in plan.columns if f.unique), plan.entity.title])
    fields = [plan.fields[n] for n in names if n and n in plan.fields and n not in access.hidden(entity)]
    fields = [f for f in fields if f.storage == "text" and f in plan.columns and f.type != "secret"]
    found: list[int] = []
    for field in fields:
        wanted = sa.select(plan.table.c.id).where(
            session.tables.column(entity, field.name) == text, plan.table.c.deleted_at.is_(None)
        )
        rows = access.predicate(entity, "read", plan.table)
        wanted = wanted if rows is None else wanted.where(rows)
        found = list(session.connection.scalars(wanted.limit(3)))
        if found:
            break
    cache[key] = found
    return found


class _Intake(dict[str, Callable[[Any], Any] | None]):
    """How the fields of an entity are read in a session, each prepared when it is first given.

    None stands for what is not simply taken: unknown, hidden, protected, lines, the way back, values of join tables.
    """

    def __init__(self, plan: EntityPlan, access: Access, context: Coercion) -> None:
        super().__init__()
        self.plan = plan
        self.access = access
        self.context = context
        self.hidden, self.locked = access.hidden(plan.name), access.read_only(plan.name)
        self._columns: dict[str, Callable[[Sequence[Any]], list[Any]]] = {}

    def __missing__(self, name: str) -> Callable[[Any], Any] | None:
        field = self.plan.fields.get(name)
        if field is None:
            return None
        apart = name in self.hidden or name == self.plan.back or field.storage in ("children", "choices", "links")
        if apart or _protected(field, self.access, self.locked):
            self[name] = None
        else:
            self[name] = self.plan.types[name].reader(field, self.context)
        return self[name]

    def column(self, name: str) -> Callable[[Sequence[Any]], list[Any]]:
        """The reader of many values of a field that is simply taken."""
        found = self._columns.get(name)
        if found is None:
            kind = self.plan.types[name]
            found = self._columns[name] = kind.column_reader(self.plan.fields[name], self.context)
        return found


def _intake(session: Session, plan: EntityPlan, access: Access, currency: str | None) -> _Intake:
    key = ("intake", plan.name, currency)
    found: _Intake | None = session.cache.get(key)
    if found is None:
        found = session.cache[key] = _Intake(plan, access, coercion(session, currency))
    return found


def fill(draft: Draft, given: Mapping[str, Any], session: Session, access: Access) -> None:
    """Puts the coerced values of `given` into the draft; what cannot be taken becomes its problems."""
    intake = _intake(session, draft.plan, access, _given_currency(draft, given, session))
    values, taken = draft.values, draft.given
    for name, raw in given.items():
        read = intake[name]
        if read is None:
            _take_apart(draft, name, raw, session, intake)
            continue
        try:
            values[name] = read(raw)
        except Rejection as rejection:
            draft.refuse(rejection.code, name, **rejection.params)
        else:
            taken.add(name)


def fill_new(drafts: Sequence[Draft], rows: Sequence[Mapping[str, Any]], session: Session, access: Access) -> None:
    """`fill` for many new records of one entity, column by column: one look at a column instead of one at each cell."""
    alike: dict[str | None, tuple[list[Draft], list[Mapping[str, Any]]]] = {}
    for draft, row in zip(drafts, rows):
        of_currency = alike.setdefault(_given_currency(draft, row, session), ([], []))
        of_currency[0].append(draft)
        of_currency[1].append(row)
    for currency, (members, given) in alike.items():
        _fill_columns(members, given, session, _intake(session, members[0].plan, access, currency))


def _fill_columns(
    drafts: Sequence[Draft], rows: Sequence[Mapping[str, Any]], session: Session, intake: _Intake
) -> None:
    whole: dict[str, list[Any]] = {}  # fields that all rows name, and whose values are all good
    for name in dict.fromkeys(chain.from_iterable(rows)):
        having: Sequence[Draft] = drafts
        try:
            raws = [row[name] for row in rows]
        except KeyError:
            having = [draft for draft, row in zip(drafts, rows) if name in row]
            raws = [row[name] for row in rows if name in row]
        read = intake[name]
        if read is None:
            for draft, raw in zip(having, raws):
                _take_apart(draft, name, raw, session, intake)
            continue
        try:
            values = intake.column(name)(raws)
        except Rejection:
            _fill_cells(having, raws, name, read)
            continue
        if having is drafts:
            whole[name] = values
            continue
        for draft, value in zip(having, values):
            draft.values[name] = value
            draft.given.add(name)
    if whole:
        for draft, cells in zip(drafts, zip(*whole.values())):
            draft.values.update(zip(whole, cells))
            draft.given.update(whole)


def _fill_cells(drafts: Sequence[Draft], raws: Sequence[Any], name: str, read: Callable[[Any], Any]) -> None:
    for draft, raw in zip(drafts, raws):
        try:
            draft.values[name] = read(raw)
        except Rejection as rejection:
            draft.refuse(rejection.code, name, **rejection.params)
        else:
            draft.given.add(name)


def _take_apart(draft: Draft, name: str, raw: Any, session: Session, intake: _Intake) -> None:
    plan, access, context = intake.plan, intake.access, intake.context
    field = plan.fields.get(name)
    if field is None or name in intake.hidden:
        draft.refuse("unknown_field", name, field=name)
    elif name == plan.back and draft.parent is not None:
        _same_parent(draft, raw)
    elif field.storage == "children" and field.computed == "no":
        _lines(draft, field, raw, session, access, context, intake.locked)
    elif refusal := _protected(field, access, intake.locked):
        if not _unchanged(draft, field, raw, context):
            draft.refuse(refusal, name)
    else:
        _take(draft, field, raw, context)


def _given_currency(draft: Draft, given: Mapping[str, Any], session: Session) -> str | None:
    """The currency amounts are given in: the record's own field, given, stored or by plain default."""
    name = draft.plan.entity.currency
    if name is None:
        return None
    raw = given.get(name, draft.values.get(name))
    if raw is None and draft.creating:
        default = draft.plan.fields[name].default
        raw = default if isinstance(default, str) else None
    return raw if isinstance(raw, str) and len(raw) == 3 else None


def _protected(field: Field, access: Access, locked: frozenset[str]) -> str | None:
    if field.system:
        return "readonly"
    if field.computed != "no" or field.storage == "none":
        return "computed"
    if (field.readonly and not access.superuser) or field.name in locked:
        return "readonly"
    return None


def _unchanged(draft: Draft, field: Field, raw: Any, context: Coercion) -> bool:
    """A record sent back as it was read is no attempt to write what is protected."""
    if draft.creating or field.storage in ("none", "children"):
        return False
    current = draft.before.get(field.name) if draft.before else None
    kind = draft.plan.types[field.name]
    return raw == current or raw == kind.to_json(current, field, context)


def _take(draft: Draft, field: Field, raw: Any, context: Coercion) -> None:
    try:
        value = draft.plan.types[field.name].coerce(raw, field, context)
    except Rejection as rejection:
        draft.refuse(rejection.code, field.name, **rejection.params)
        return
    draft.given.add(field.name)
    if field.storage in ("choices", "links"):
        value = tuple(value or ())
        if not draft.creating and field.name not in draft.joins:
            draft.joins[field.name] = draft.loader.joined(draft.plan, field, draft.record_id)
    draft.values[field.name] = value


def _same_parent(draft: Draft, raw: Any) -> None:
    owner = draft.parent.record_id if draft.parent else None
    if raw is not None and str(raw) != str(owner):
        draft.refuse("not_own_line", draft.plan.back)


def _lines(
    draft: Draft, field: Field, raw: Any, session: Session, access: Access, context: Coercion, locked: frozenset[str]
) -> None:
    """A list replaces the lines: by id where a line has one, new otherwise; what is absent is removed."""
    if (field.readonly and not access.superuser) or field.name in locked:
        draft.refuse("readonly", field.name)
        return
    try:
        rows: Sequence[dict[str, Any]] = draft.plan.types[field.name].coerce(raw, field, context)
    except Rejection as rejection:
        draft.refuse(rejection.code, field.name, **rejection.params)
        return
    plan = plan_of(session, field.entity or "")
    stored = {s.row["id"]: s.row for s in draft.loader.members(draft.plan, field, draft.record_id)}
    draft.given.add(field.name)
    lines: list[Draft] = []
    seen: set[int] = set()
    for index, row in enumerate(rows):
        path = f"{draft.path}{field.name}.{index}."
        line = _line(draft, plan, row, stored, seen, path)
        line.parent = draft
        line.position = index + 1
        fill(line, {k: v for k, v in row.items() if k not in ("id", "position", "version")}, session, access)
        lines.append(line)
    draft.lines[field.name] = lines
    gone = [row for i, row in stored.items() if i not in seen]
    draft.removed[field.name] = [Draft(draft.loader, plan, row) for row in gone]


def _line(
    draft: Draft, plan: EntityPlan, row: Mapping[str, Any], stored: Mapping[int, Any], seen: set[int], path: str
) -> Draft:
    given = row.get("id")
    if given in (None, ""):
        return Draft(draft.loader, plan, None, path)
    number = number_in(given)
    if number is None or number not in stored or number in seen:
        refused = Draft(draft.loader, plan, None, path)
        refused.refuse("duplicate_line" if number in seen else "not_own_line", "id")
        return refused
    seen.add(number)
    return Draft(draft.loader, plan, stored[number], path)


def fitted(session: Session, field: Field, value: Any, currency: str | None) -> Any:
    """A computed value as its field holds it: rounded half-up, a record as its id, empty text as nothing."""
    if value is None:
        return None
    if field.storage == "decimal" and isinstance(value, int | Decimal):
        scale = field.value_type.scale
        if field.type == "money":
            scale = min(scale, currency_scale(session, currency or session.site.settings.currency))
        return Decimal(value).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    if field.storage == "link":
        return value if isinstance(value, int) else value.get("id")
    if field.storage == "links":
        return tuple(v if isinstance(v, int) else v.get("id") for v in value)
    if field.storage == "choices":
        return tuple(value)
    if field.storage == "text":
        return value or None
    return value


def announce(drafts: Sequence[Draft], loader: Loader) -> None:
    """Tells the loader which records the drafts of one entity point to, to come in one statement per entity."""
    if not drafts:
        return
    plan = drafts[0].plan
    for field in plan.links:
        given = [value for draft in drafts if (value := draft.values.get(field.name)) is not None]
        if given and field.to:
            loader.want(field.to, chain.from_iterable(given) if field.storage == "links" else given)
    loader.own(plan.name, [i for draft in drafts if (i := draft.record_id) is not None])
