"""Titles of the records a form names by id before it is saved: prefilled, copied, by default, or sent back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runtime.digits import number_in
from runtime.query.titles import titles_of
from runtime.views.binder import Binder, BoundField
from runtime.views.forms import BoundForm

Known = dict[str, dict[int, str]]  # entity -> id -> title


def titles_for(
    binder: Binder, form: BoundForm, values: Mapping[str, Any], raw: Mapping[str, Any] | None
) -> dict[str, Any]:
    """By field: the title of a link, {id: title} of links, and {member: {id: title}} of lines."""
    given = {name: raw[name] if raw is not None and name in raw else values.get(name) for name in form.fields}
    known = _known(binder, form, given)
    found: dict[str, Any] = {}
    for name, bound in form.fields.items():
        if bound.widget == "lines":
            found[name] = {m.name: known.get(m.target or "", {}) for m in bound.members if _links(m)}
        elif _links(bound) and (ids := _ids(given[name])):
            titles = known.get(bound.target or "", {})
            found[name] = titles if bound.field.storage == "links" else titles.get(ids[0])
    return found


def _known(binder: Binder, form: BoundForm, given: Mapping[str, Any]) -> Known:
    """One statement per entity that is pointed to."""
    wanted: dict[str, set[int]] = {}
    for bound, value in _linked(form, given):
        wanted.setdefault(bound.target or "", set()).update(_ids(value))
    return {entity: titles_of(binder.session, entity, sorted(ids)) for entity, ids in wanted.items() if ids}


def _linked(form: BoundForm, given: Mapping[str, Any]) -> Iterable[tuple[BoundField, Any]]:
    for name, bound in form.fields.items():
        if _links(bound):
            yield bound, given[name]
        elif bound.widget == "lines":
            for line in given[name] or ():
                values = line if isinstance(line, Mapping) else line.values
                yield from ((m, values.get(m.name)) for m in bound.members if _links(m))


def _links(bound: BoundField) -> bool:
    return bound.field.storage in ("link", "links") and bound.target is not None


def _ids(value: Any) -> list[int]:
    members = value if isinstance(value, list | tuple) else [value]
    return [number for v in members if (number := number_in(v)) is not None]
