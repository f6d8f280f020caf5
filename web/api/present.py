"""Values as JSON: prepared once per published version and column, then one pass over the rows.

Ids and exact numbers are text, links `{"id", "title"}`, money `{"amount", "currency"}`, times RFC 3339 with offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from metadata.fields import field_type
from metadata.fields.base import Coercion, FieldType
from metadata.model import Application, Entity, Field
from runtime.records.input import coercion
from runtime.site import Session

LINKS = ("link", "any_link")


class Column(NamedTuple):
    """One value of the answer: its key, and how the value becomes JSON (None: it is JSON already)."""

    key: str
    convert: Callable[[Any, Any, Coercion], Any] | None
    currency: str | None  # key of the value that holds the currency, for money


def column(app: Application, entity: str, path: str) -> Column:
    """The column for a dotted path that is known to exist."""
    owner, field = field_at(app, entity, path)
    currency = None
    if field.type == "money" and owner.currency:
        currency = ".".join([*path.split(".")[:-1], owner.currency])
    return Column(path, converter(field), currency)


def field_at(app: Application, entity: str, path: str) -> tuple[Entity, Field]:
    """The field at the end of a path, and the entity it belongs to. KeyError where the path leads nowhere."""
    *hops, last = path.split(".")
    owner = app.entities[entity]
    for hop in hops:
        owner = app.entities[owner.fields[hop].value_type.entity or ""]
    return owner, owner.fields[last]


def converter(field: Field) -> Callable[[Any, Any, Coercion], Any] | None:
    """(value, titles, context) → JSON, or None where the value is JSON as it is."""
    kind = field_type(field.type)
    if field.name == "id":
        return lambda value, _titles, _context: None if value is None else str(value)
    if field.storage == "link":
        return lambda value, title, _context: None if value is None else {"id": str(value), "title": title}
    if field.storage == "any_link":
        return _any_link
    if field.storage == "links":
        return _links
    if field.storage == "decimal" or type(kind).to_json is not FieldType.to_json:
        own = kind.to_json
        return lambda value, _title, context: None if value is None else own(value, field, context)
    if field.value_type.kind in ("decimal", "percent", "money"):
        return lambda value, _title, _context: None if value is None else f"{value:f}"
    return None


def _any_link(value: Any, title: Any, _context: Coercion) -> Any:
    if value is None:
        return None
    entity, identity = value
    return {"entity": entity, "id": str(identity), "title": title}


def _links(value: Any, titles: Any, _context: Coercion) -> list[dict[str, Any]]:
    ids = list(value or ())
    named = titles if isinstance(titles, Sequence) and not isinstance(titles, str) and len(titles) == len(ids) else None
    by_id = titles if isinstance(titles, Mapping) else {}
    return [{"id": str(i), "title": named[n] if named else by_id.get(i)} for n, i in enumerate(ids)]


class Presenter:
    """The columns of one answer, with the context of one session."""

    def __init__(self, session: Session, entity: str, paths: Iterable[str]) -> None:
        memo = session.tables.area("api columns")
        key = (entity, *paths)
        found = memo.get(key)
        if found is None:
            found = memo[key] = tuple(column(session.app, entity, path) for path in key[1:])
        self.columns: tuple[Column, ...] = found
        self._contexts: dict[str | None, Coercion] = {None: coercion(session)}

    @property
    def currencies(self) -> set[str]:
        """Paths of the currencies that the money columns need beside themselves."""
        return {c.currency for c in self.columns if c.currency}

    def row(self, values: Mapping[str, Any], titles: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object of one row; a value that is not there (hidden) is left out."""
        result: dict[str, Any] = {}
        plain = self._contexts[None]
        for key, convert, currency in self.columns:
            if key in values:
                value = values[key]
                if convert is not None:
                    context = plain if currency is None else self._context(values.get(currency))
                    value = convert(value, titles.get(key), context)
                result[key] = value
        return result

    def _context(self, currency: str | None) -> Coercion:
        found = self._contexts.get(currency)
        if found is None:
            assert currency is not None  # the context without a currency of its own is there from the start
            found = self._contexts[currency] = replace(self._contexts[None], currency=currency)
        return found


def shown_fields(entity: Entity, visible: Callable[[str, str], bool], *, collections: bool = False) -> list[str]:
    """The fields of a record in the API: all the user may see; collections of other records are asked for by query."""
    return [
        f.name
        for f in entity.fields.values()
        if not f.retired
        and f.type != "related"
        and (collections or f.storage not in ("children", "links", "choices"))
        and visible(entity.name, f.name)
    ]
