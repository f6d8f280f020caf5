"""Which column fills which field: by name, by label in any language, by an earlier name, along a key of a link."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metadata.fields.reading import width_folded
from metadata.model import Application, Entity, Field
from runtime.errors import Answer, Refused
from runtime.security.access import Access

_REMARK = re.compile(r"[（(【\[](必填|必须|可选|选填|required|optional)[)）】\]]|[*＊：:]+$", re.IGNORECASE)
_NOISE = re.compile(r"[\s_]+")
_STEP = re.compile(r"\s*[./／．→]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the file. `field` is the field it fills, None where it fills none, and then `skipped` says why:
    unknown, computed (the system fills it), twice (an earlier column fills the field). `key` is the field of the linked
    record that the cells name it by; without one they give its title, number or other unique text. `lines` names the
    field of lines, or of related records, whose line or record the column fills; `field` is then a field of that."""

    index: int
    header: str
    field: str | None = None
    key: str | None = None
    skipped: str | None = None
    lines: str | None = None

    @property
    def target(self) -> str | None:
        """The field as problems name it: `name`, or `lines.quantity`."""
        return f"{self.lines}.{self.field}" if self.lines and self.field else self.field

    @property
    def path(self) -> str | None:
        return f"{self.target}.{self.key}" if self.field and self.key else self.target


class BadMapping(Answer):
    status, code = 422, "import.unknown_column"


def map_columns(
    app: Application,
    entity: Entity,
    headers: Sequence[str],
    *,
    given: Mapping[str, str | None] | None = None,
    hidden: frozenset[str] = frozenset(),
    match: Sequence[str] = (),
    some: bool = True,
) -> tuple[Column, ...]:
    """The columns of a file. `given` maps headers to `field`, `field.key`, `lines.field`, `lines.field.key` or None
    (leave out), related records as lines; the rest is guessed.

    What the system fills is left out where guessed, and kept where asked for by name, so that its rows are refused.
    `hidden` names fields, those of lines as `lines.field`. Raises `BadMapping` for a given column or field that is not
    there, `Refused` where no column fills a field and `some` must.
    """
    given = dict(given or {})
    if missing := [name for name in given if name not in headers]:
        raise BadMapping(column=missing[0])
    columns: list[Column] = []
    taken: set[str] = set()
    asked = {_target_of(app, entity, path) for path in given.values() if path}
    for index, header in enumerate(headers):
        if header in given:
            column = _asked(app, entity, index, header, given[header], hidden)
        else:
            column = _guessed(app, entity, index, header, hidden, match)
            if column.target in asked:
                column = Column(index=index, header=header, skipped="twice")
        if column.target in taken:
            column = Column(index=index, header=header, skipped="twice")
        taken.update((column.target,) if column.target else ())
        columns.append(column)
    if some and not taken:
        raise Refused("import.no_columns", entity=entity.name)
    return tuple(columns)


def _asked(
    app: Application, entity: Entity, index: int, header: str, path: str | None, hidden: frozenset[str]
) -> Column:
    if not path:
        return Column(index=index, header=header, skipped="unknown")
    found = filled(app, entity, path, hidden)
    if found is None:
        raise BadMapping("import.unknown_field", column=header, field=path)
    return replace(found, index=index, header=header)


def filled(app: Application, entity: Entity, path: str, hidden: frozenset[str]) -> Column | None:
    """What a column with this path fills; None where the path leads nowhere (any more)."""
    name, _, rest = path.partition(".")
    field = entity.fields.get(name)
    if field is None or field.retired or name in hidden:
        return None
    below = below_of(app, field) if rest else None
    if below is None:
        fits = not rest or key_field(app, field, rest) is not None
        return Column(index=0, header="", field=name, key=rest or None) if fits else None
    inner, _, key = rest.partition(".")
    part = below.fields.get(inner)
    gone = part is None or part.retired or f"{name}.{inner}" in hidden or inner == field.by
    gone = gone or (part is not None and (part.storage == "children" or part.type == "related"))
    if part is None or gone or (key and key_field(app, part, key) is None):
        return None
    return Column(index=0, header="", field=inner, key=key or None, lines=name)


def line_of(app: Application, field: Field) -> Entity | None:
    """The entity of the lines that a sheet may hold beside their record."""
    writable = field.storage == "children" and field.computed == "no" and not field.system
    return app.entities.get(field.entity or "") if writable else None


def related_of(app: Application, field: Field) -> Entity | None:
    """The entity of the related records that a sheet may hold beside their record: each has one link back."""
    entity = app.entities.get(field.entity or "") if field.type == "related" and not field.retired else None
    if entity is None or entity.retired or entity.platform or entity.parent or entity.ledger or entity.balances_of:
        return None
    back = entity.fields.get(field.by or "")
    return entity if back is not None and back.writable and back.storage == "link" else None


def below_of(app: Application, field: Field) -> Entity | None:
    """The entity of what a sheet may hold below its record: lines, or related records."""
    return line_of(app, field) or related_of(app, field)


def field_at(app: Application, entity: Entity, path: str) -> Field | None:
    """The field that a problem names: one of the record, or of what is below it."""
    name, _, inner = path.partition(".")
    field = entity.fields.get(name)
    below = below_of(app, field) if field is not None and inner else None
    return below.fields.get(inner) if below is not None else None if inner else field


def _target_of(app: Application, entity: Entity, path: str) -> str | None:
    found = filled(app, entity, path, frozenset())
    return path.partition(".")[0] if found is None else found.target


def _guessed(
    app: Application, entity: Entity, index: int, header: str, hidden: frozenset[str], match: Sequence[str]
) -> Column:
    field, rest = field_of(entity, header, hidden), ""
    if field is None:
        field, rest = _led(app, entity, header, hidden)
    if field is None:
        return Column(index=index, header=header, skipped="unknown")
    below = below_of(app, field) if rest else None
    if not (importable(field) or below) and field.name not in match:
        return Column(index=index, header=header, skipped="computed")
    if not rest:
        return Column(index=index, header=header, field=field.name)
    if below is not None:
        inner = _guessed(app, below, index, rest, _unseen(hidden, field), ())
        if inner.lines or (inner.field and inner.field == field.by):
            return Column(index=index, header=header, skipped="unknown")
        return replace(inner, header=header, lines=field.name) if inner.field else replace(inner, header=header)
    key = key_field(app, field, rest)
    if key is None:
        return Column(index=index, header=header, skipped="unknown")
    return Column(index=index, header=header, field=field.name, key=key.name)


def _unseen(hidden: frozenset[str], field: Field) -> frozenset[str]:
    """What is hidden of the entity below a field."""
    return frozenset(path.removeprefix(f"{field.name}.") for path in hidden if path.startswith(f"{field.name}."))


def _led(app: Application, entity: Entity, header: str, hidden: frozenset[str]) -> tuple[Field | None, str]:
    """The field and what follows it in a header that leads on: `明细/产品`, `owner.login`, `联系人姓名`."""
    first, *steps = _STEP.split(header, maxsplit=1)
    called = _called(app, entity, hidden)
    if steps:
        field = field_of(entity, first, hidden)
        if field is None or (field.storage not in ("link", "links") and below_of(app, field) is None):
            field = called.get(folded(first), field)
        return field, steps[0]
    text = folded(header)
    for name in sorted(called, key=len, reverse=True):
        rest = text.removeprefix(name)
        if len(name) > 1 and rest and rest != text:
            below = below_of(app, called[name])
            inner = field_of(below, rest, _unseen(hidden, called[name])) if below is not None else None
            if inner is not None and importable(inner):
                return called[name], rest
    return None, ""


def _called(app: Application, entity: Entity, hidden: frozenset[str]) -> dict[str, Field]:
    """Fields with something below them by their folded names; also by the entity below, where no other field has it."""
    fields = [f for f in entity.fields.values() if not f.retired and f.name not in hidden and below_of(app, f)]
    found: dict[str, Field] = {}
    for field in fields:
        below = app.entities[field.entity or ""]
        if sum(1 for other in fields if other.entity == field.entity) == 1:
            texts = (below.name, *below.label.values.values(), *below.plural.values.values())
            found |= {folded(text): field for text in texts}
    own = {folded(text): f for f in fields for text in (f.name, *f.label.values.values())}
    return {**found, **own}


def importable(field: Field) -> bool:
    """Whether a guessed column may fill the field: what is written by people, and no lines."""
    return field.writable and field.storage != "children"


def hidden_paths(access: Access, entity: Entity) -> frozenset[str]:
    """The fields that a person may not see, those of what is below as `lines.field`; related records that he may not
    import are hidden altogether."""
    found = set(access.hidden(entity.name))
    for field in entity.fields.values():
        if (below := below_of(access.app, field)) is None:
            continue
        if field.type == "related" and not _may_hold(access, field, below):
            found.add(field.name)
        found.update(f"{field.name}.{name}" for name in access.hidden(below.name))
    return frozenset(found)


def _may_hold(access: Access, field: Field, below: Entity) -> bool:
    locked = access.hidden(below.name) | access.read_only(below.name)
    return access.can(below.name, "read") and access.can(below.name, "import") and field.by not in locked


def field_of(entity: Entity, header: str, hidden: frozenset[str] = frozenset()) -> Field | None:
    """The field a header means: by name, then earlier name, then label in any language."""
    return spellings(entity, hidden).get(folded(header))


def spellings(entity: Entity, hidden: frozenset[str] = frozenset()) -> dict[str, Field]:
    """What `field_of` knows a field by, as `folded` makes it; to be kept where many headers are looked at."""
    fields = [f for f in entity.fields.values() if not f.retired and f.name not in hidden]
    found: dict[str, Field] = {}
    for words in (lambda f: (f.name,), lambda f: f.was, lambda f: tuple(f.label.values.values())):
        for field in fields:
            for word in words(field):
                found.setdefault(folded(word), field)
    found.pop("", None)
    return found


def key_field(app: Application, field: Field, key: str) -> Field | None:
    """The field of the linked entity that `key` means: stored text or its id."""
    target = app.entities.get(field.to or "") if field.storage in ("link", "links") else None
    found = field_of(target, key) if target else None
    usable = found is not None and found.stored and (found.storage == "text" or found.name == "id")
    return found if usable and found is not None and found.type != "secret" else None


def folded(header: str) -> str:
    """A header without what people decorate it with: blanks, stars, `（必填）`, width and case."""
    text = width_folded(header[:200]).strip()
    return _NOISE.sub("", _REMARK.sub("", text)).casefold()


def as_given(columns: Sequence[Column]) -> dict[str, Any]:
    """The mapping to remember: header -> path, None for what was left out."""
    found: dict[str, Any] = {}
    for column in columns:
        if column.header and found.get(column.header) is None:
            found[column.header] = column.path
    return found


def settled(
    app: Application,
    entity: Entity,
    headers: Sequence[str],
    paths: Sequence[str | None],
    hidden: frozenset[str],
) -> tuple[Column, ...]:
    """The columns of an import under way, on the version now published. Raises `BadMapping` where a field is gone."""
    return tuple(
        _asked(app, entity, index, header, path, hidden) for index, (header, path) in enumerate(zip(headers, paths))
    )
