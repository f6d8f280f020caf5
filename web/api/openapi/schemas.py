"""JSON Schemas of records, from the metadata: what comes out, what may be given on creating and on changing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from metadata.fields import field_type
from metadata.model import Application, Entity, Field
from runtime.security.access import Access

ID = {"type": "string", "pattern": "^[1-9][0-9]*$"}
ANY_TEXT = {"type": ["string", "null"]}
FIXED: Mapping[str, Any] = {
    "Link": {
        "type": ["object", "null"],
        "properties": {"id": ID, "title": ANY_TEXT},
        "required": ["id", "title"],
    },
    "AnyLink": {
        "type": ["object", "null"],
        "properties": {"entity": {"type": "string"}, "id": ID, "title": ANY_TEXT},
        "required": ["entity", "id", "title"],
    },
    "Money": {
        "type": ["object", "null"],
        "properties": {
            "amount": {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        },
        "required": ["amount", "currency"],
    },
    "Decimal": {"type": ["string", "null"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$"},
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "problems": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": ANY_TEXT, "code": {"type": "string"}, "message": {"type": "string"}},
                    "required": ["field", "code", "message"],
                },
            },
        },
        "required": ["type", "title", "status", "detail", "problems"],
    },
}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


class Schemas:
    """The schemas of the entities one user may use; lines are described with their parents."""

    def __init__(self, app: Application, access: Access, language: str) -> None:
        self.app = app
        self.access = access
        self.language = language
        self.built: dict[str, Any] = dict(FIXED)

    def record(self, entity: Entity) -> dict[str, str]:
        """The schema of a record as it is answered."""
        return self._named(entity.name, lambda: self._record(entity))

    def draft(self, entity: Entity) -> dict[str, str]:
        """The schema of the body that creates a record."""
        return self._named(f"{entity.name}.create", lambda: self._body(entity, create=True))

    def change(self, entity: Entity) -> dict[str, str]:
        """The schema of the body that changes a record: any part of it."""
        return self._named(f"{entity.name}.change", lambda: self._body(entity, create=False))

    def fields(self, entity: Entity) -> list[Field]:
        """The fields the user may see, in declared order."""
        return [
            f
            for f in entity.fields.values()
            if not f.retired and f.type != "related" and self.access.visible(entity.name, f.name)
        ]

    def writable(self, entity: Entity) -> list[Field]:
        protected = self.access.read_only(entity.name)
        back = entity.parent[1] if entity.parent else None
        return [f for f in self.fields(entity) if f.writable and f.name not in protected and f.name != back]

    def _named(self, name: str, build: Callable[[], dict[str, Any]]) -> dict[str, str]:
        if name not in self.built:
            self.built[name] = {}  # stands for itself while it is built: a tree refers to itself
            self.built[name] = build()
        return ref(name)

    def _record(self, entity: Entity) -> dict[str, Any]:
        properties = {f.name: self._described(f, self._output(f)) for f in self.fields(entity)}
        properties["id"] = {**ID, "readOnly": True}
        return {
            "type": "object",
            "title": entity.label.of(self.language),
            "properties": properties,
            "required": ["id"],
        }

    def _output(self, field: Field) -> dict[str, Any]:
        if field.storage == "link":
            return ref("Link")
        if field.storage == "any_link":
            return ref("AnyLink")
        if field.storage == "links":
            return {"type": "array", "items": ref("Link")}
        if field.storage == "children":
            return {"type": "array", "items": self.record(self.app.entities[field.entity or ""])}
        kind = field.value_type.kind
        if kind == "money":
            return ref("Money")
        if kind in ("decimal", "percent"):
            return ref("Decimal")
        if field.type == "secret":
            return ANY_TEXT
        return dict(field_type(field.type).json_schema(field, self._choices(field)))

    def _body(self, entity: Entity, *, create: bool) -> dict[str, Any]:
        fields = self.writable(entity)
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {f.name: self._described(f, self._input(f)) for f in fields},
            "additionalProperties": False,
        }
        if entity.parent is not None:
            schema["properties"]["id"] = ID
        required = [f.name for f in fields if create and f.required and f.default is None and f.visible_when is None]
        if required:
            schema["required"] = required
        return schema

    def _input(self, field: Field) -> dict[str, Any]:
        if field.storage == "children":
            return {"type": "array", "items": self.change(self.app.entities[field.entity or ""])}
        return dict(field_type(field.type).json_schema(field, self._choices(field)))

    def _choices(self, field: Field) -> tuple[str, ...]:
        options = self.app.options.get(field.options or "")
        return tuple(c.name for c in options.choices if not c.retired) if options else ()

    def _described(self, field: Field, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = {"title": field.label.of(self.language)}
        if field.help is not None:
            described["description"] = field.help.of(self.language)
        if not field.writable:
            described["readOnly"] = True
        if "$ref" in schema:
            return {"allOf": [schema], **described}
        return {**schema, **described}
