"""The paths of the OpenAPI document: one set per entity, the fixed calls, reports."""

from __future__ import annotations

from typing import Any

from metadata.model import Entity, Report
from runtime.security.access import Access
from web.api.openapi.schemas import ID, Schemas, ref

COMMON = ("400", "401", "403", "404", "429", "503")
WRITING = (*COMMON, "409", "413", "415", "422", "507")
_WORDS = {
    "list": {"zh": "查询{label}", "en": "List: {label}"},
    "create": {"zh": "新建{label}", "en": "Create: {label}"},
    "read": {"zh": "读取{label}", "en": "Read: {label}"},
    "change": {"zh": "修改{label}", "en": "Change: {label}"},
    "delete": {"zh": "删除{label}（回收站）", "en": "Delete (to the recycle bin): {label}"},
    "batch": {"zh": "批量处理{label}", "en": "Many at once: {label}"},
    "actions": {"zh": "{label}可用的操作", "en": "Actions: {label}"},
    "history": {"zh": "{label}的历史", "en": "History: {label}"},
    "explain": {"zh": "解释{label}的字段或权限", "en": "Explain a field or the access: {label}"},
    "report": {"zh": "报表：{label}", "en": "Report: {label}"},
}


def query(name: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **more}


TEXT = {"type": "string", "minLength": 1, "maxLength": 4000}
IDENTITY = {"name": "id", "in": "path", "required": True, "schema": ID}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag of the record as it was read; 412 when it has changed since",
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    "description": "The same key answers the same for 24 hours and has one effect",
}
LIST_QUERY = [
    query("where", TEXT, description="An expression over the fields of the record"),
    query("select", TEXT, description="Paths, separated by commas: name,owner.name"),
    query("sort", TEXT, description="Paths, separated by commas; - for descending: -amount,name"),
    query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}),
    query("cursor", TEXT, description="`next` of the page before"),
    query("count", {"enum": ["exact", "none"], "default": "none"}),
    query("q", TEXT, description="Words to search for"),
]


class Paths:
    """Collects the paths for one user."""

    def __init__(self, schemas: Schemas, access: Access, language: str) -> None:
        self.schemas = schemas
        self.access = access
        self.language = language
        self.built: dict[str, Any] = {}

    def entity(self, entity: Entity) -> None:
        """The calls on one entity that this user may make."""
        may = {op for op in ("read", "create", "edit", "delete") if self.access.can(entity.name, op)}
        if not may:
            return
        base, one = f"/{entity.name}", f"/{entity.name}/{{id}}"
        if "read" in may:
            self._add(base, "get", "list", entity, self._list(entity), LIST_QUERY)
            self._add(one, "get", "read", entity, self._one(entity), [IDENTITY])
            self._add(f"{one}/history", "get", "history", entity, _free("history"), [IDENTITY])
            self._add(f"{one}/actions", "get", "actions", entity, _free("actions"), [IDENTITY])
            self._add(f"{one}/explain/{{what}}", "get", "explain", entity, _free(), [IDENTITY, self._what(entity)])
        if "create" in may:
            body = _json_body(self.schemas.draft(entity))
            created = {"201": _response(self.schemas.record(entity), "Created", ("Location", "ETag"))}
            self._add(base, "post", "create", entity, created, [IDEMPOTENCY], body)
        if "edit" in may:
            body = _json_body(self.schemas.change(entity))
            self._add(one, "patch", "change", entity, self._one(entity), [IDENTITY, IF_MATCH, IDEMPOTENCY], body)
        if "delete" in may:
            gone = {"204": {"description": "Recycled"}}
            self._add(one, "delete", "delete", entity, gone, [IDENTITY, IF_MATCH, IDEMPOTENCY])
        if may & {"create", "edit", "delete"}:
            self._add(
                f"{base}/batch", "post", "batch", entity, _free("results"), [IDEMPOTENCY], self._batch(entity, may)
            )

    def report(self, report: Report) -> None:
        parameters = [
            query(p.name, TEXT, required=not p.optional and p.default is None, description=p.label.of(self.language))
            for p in report.parameters
        ]
        summary = _WORDS["report"][self.language].format(label=report.label.of(self.language))
        self._put(
            f"/reports/{report.name}", "get", f"report_{report.name}", summary, _free("rows"), parameters, "report"
        )

    def fixed(self) -> None:
        """What is not about an entity."""
        for path, summary in (("/me", "Who is calling"), ("/reports", "Reports"), ("/openapi.json", "This document")):
            name = path.strip("/").replace(".json", "")
            self._put(path, "get", name, summary, _free(), [], "site")

    # --- parts -----------------------------------------------------------------------------------------------------

    def _list(self, entity: Entity) -> dict[str, Any]:
        record = self.schemas.record(entity)
        page = {
            "type": "object",
            "properties": {
                "records": {"type": "array", "items": record},
                "next": {"type": ["string", "null"]},
                "count": {"type": ["integer", "null"]},
            },
            "required": ["records", "next", "count"],
        }
        return {"200": _response(page, "A page")}

    def _one(self, entity: Entity) -> dict[str, Any]:
        return {"200": _response(self.schemas.record(entity), "The record", ("ETag",))}

    def _what(self, entity: Entity) -> dict[str, Any]:
        names = ["access", *(f.name for f in self.schemas.fields(entity))]
        return {"name": "what", "in": "path", "required": True, "schema": {"enum": names}}

    def _batch(self, entity: Entity, may: set[str]) -> dict[str, Any]:
        atomic = {"atomic": {"type": "boolean", "default": True}}
        change = self.schemas.change(entity)
        items: dict[str, Any] = {}
        if "create" in may:
            items["create"] = self.schemas.draft(entity)
        if "edit" in may:
            body = self.schemas.built[change["$ref"].rsplit("/", 1)[1]]
            properties = {**body["properties"], "id": ID, "version": {"type": "integer"}}
            items["update"] = {**body, "properties": properties, "required": ["id"]}
        if "delete" in may:
            items["delete"] = ID
        shapes = [
            {
                "type": "object",
                "properties": {name: {"type": "array", "items": item, "maxItems": 10_000}, **atomic},
                "required": [name],
                "additionalProperties": False,
            }
            for name, item in items.items()
        ]
        return _json_body({"oneOf": shapes})

    def _add(
        self,
        path: str,
        method: str,
        operation: str,
        entity: Entity,
        responses: dict[str, Any],
        parameters: list[dict[str, Any]],
        body: dict[str, Any] | None = None,
    ) -> None:
        label = entity.plural if operation in ("list", "batch") else entity.label
        summary = _WORDS[operation][self.language].format(label=label.of(self.language))
        self._put(path, method, f"{operation}_{entity.name}", summary, responses, parameters, entity.name, body)

    def _put(
        self,
        path: str,
        method: str,
        name: str,
        summary: str,
        responses: dict[str, Any],
        parameters: list[dict[str, Any]],
        tag: str,
        body: dict[str, Any] | None = None,
    ) -> None:
        refusals = COMMON if method == "get" else WRITING
        if method in ("patch", "delete"):
            refusals = (*refusals, "412")
        problem = {"description": "Refused", "content": {"application/problem+json": {"schema": ref("Problem")}}}
        call: dict[str, Any] = {
            "operationId": name,
            "summary": summary,
            "tags": [tag],
            "responses": {**responses, **dict.fromkeys(sorted(refusals), problem)},
        }
        if parameters:
            call["parameters"] = parameters
        if body is not None:
            call["requestBody"] = body
        self.built.setdefault(path, {})[method] = call


def _json_body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _response(schema: dict[str, Any], text: str, headers: tuple[str, ...] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {"description": text, "content": {"application/json": {"schema": schema}}}
    if headers:
        found["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
    return found


def _free(member: str | None = None) -> dict[str, Any]:
    """An object of which one list is promised."""
    schema: dict[str, Any] = {"type": "object"}
    if member is not None:
        schema |= {"properties": {member: {"type": "array"}}, "required": [member]}
    return {"200": _response(schema, "The answer")}
