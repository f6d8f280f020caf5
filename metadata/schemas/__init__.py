"""JSON Schemas of all kinds, generated from their classes, for editors and for `octavo schema`.

`python -m metadata.schemas` writes them beside this file; a test holds them to the classes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from metadata.kinds import KINDS
from metadata.kinds.later import LATER

HERE = Path(__file__).resolve().parent


def schema_for(kind: str, extend: bool = False) -> dict[str, Any]:
    """The JSON Schema 2020-12 of a kind's documents, or of the documents that extend them. Raises KeyError."""
    return KINDS[kind].schema(extend)


def document_schema() -> dict[str, Any]:
    """One schema for any document of any kind, referring to the files beside it: what editors are pointed at."""
    kinds = [{"if": {"required": [kind]}, "then": {"$ref": f"{kind}.json"}} for kind in KINDS]
    bare = {"properties": {"extend": {"type": "string"}}, "required": ["extend"]}
    extended = [{"if": _extends(kind), "then": {"$ref": f"{kind}.extend.json"}} for kind in KINDS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A document of Octavo",
        "type": "object",
        "anyOf": [{"required": [kind]} for kind in (*KINDS, *LATER, "extend")],
        "allOf": [*kinds, {"if": bare, "then": {"$ref": "entity.extend.json"}}, *extended],
    }


def _extends(kind: str) -> dict[str, Any]:
    return {"properties": {"extend": {"type": "object", "required": [kind]}}, "required": ["extend"]}


def files() -> dict[str, str]:
    """File name → content of every generated schema."""
    found: dict[str, Any] = {"document.json": document_schema()}
    for kind in KINDS:
        found[f"{kind}.json"] = schema_for(kind)
        found[f"{kind}.extend.json"] = schema_for(kind, extend=True)
    return {name: json.dumps(schema, ensure_ascii=False, indent=1) + "\n" for name, schema in found.items()}


def write() -> None:
    for name, content in files().items():
        (HERE / name).write_text(content, encoding="utf-8")
