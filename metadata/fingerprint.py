"""Two fingerprints of an application: of what is stored (a change needs a plan) and of all the rest (only caches)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from metadata.model import Entity, Field

_OF_FIELD = attrgetter(
    "name", "type", "storage", "column", "required", "unique", "computed", "keep", "sort_key", "translated", "tracked",
    "retired", "max", "scale", "digits", "to", "on_delete", "options", "entity", "by", "through", "was", "value_type",
)  # fmt: skip
_OF_ENTITY = attrgetter("name", "table", "unique", "indexes", "parent", "currency", "history", "was", "retired")


def storage_fingerprint(entities: Iterable[Entity]) -> str:
    """Changes exactly when tables, columns, indexes, constraints or stored values may have to."""
    return _digest([(_OF_ENTITY(entity), [_field(f) for f in entity.fields.values()]) for entity in entities])


def display_fingerprint(data: Iterable[Any]) -> str:
    """Of the merged declarations: changes when anything that people see or that decides changes."""
    return _digest(list(data))


def _field(field: Field) -> Any:
    formula = field.formula.text if field.formula is not None and field.computed == "stored" else None
    return formula, _OF_FIELD(field)


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()[:32]
