"""report: groups and measures over an entity, or a list with parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.checks import check_totals
from metadata.drafts import Thing, World, suggestion
from metadata.fields.base import field_types
from metadata.kinds.base import Kind, Reference, Wanted, register
from metadata.kinds.layout import ColumnShape, column_references, condition, sort_references, sorts
from metadata.kinds.shape import (
    NAME,
    Shape,
    anything,
    flag,
    name,
    named,
    number,
    one,
    one_of,
    parts,
    path,
    rule,
    text,
    texts,
)
from rules.typing import DATE_RANGE, INTEGER, Type

BUCKETS = ("day", "week", "month", "quarter", "year")
_NO_PARAMETER = ("lines", "related", "lookup", "secret", "file", "image", "files", "json", "score")


class ParameterShape(Shape):
    """Something asked before the report runs; read as `params.name`."""

    short = "type"
    type = text(required=True, zh="类型", en="a field type, or date_range", pattern=NAME)
    label = texts(zh="标签", en="label")
    default = anything(zh="默认值", en='value, relative period such as this_quarter, or "=rule"')
    optional = flag(zh="可不填；不填时其条件不起作用", en="may be left empty; its conditions then fall away")
    options = name(zh="选项集", en="option set of a select")
    to = name(zh="目标实体", en="entity of a link")


class GroupShape(Shape):
    """A dimension."""

    short = "path"
    named_by = "name"
    path = path(required=True, zh="字段或路径", en="field or path")
    name = text(zh="名称", en="name; the path where left out")
    label = texts(zh="标签", en="label")
    bucket = one_of(*BUCKETS, zh="日期按什么分段", en="how dates are grouped")

    @classmethod
    def object_schema(cls, defs: dict[str, Any], extend: bool, in_container: bool) -> dict[str, Any]:
        """Also `{month: close_on}` and `{owner.department: department}`: one key that is neither of the others."""
        found = super().object_schema(defs, extend, in_container)
        one_pair = {"maxProperties": 1, "additionalProperties": {"type": "string", "pattern": "^[a-z][a-z0-9_.]*$"}}
        return {"if": {"required": ["path"]}, "then": found, "else": {"type": "object", "minProperties": 1, **one_pair}}


def groups(given: Any) -> Any:
    return [_group(item) for item in given] if isinstance(given, list) else given


def _group(item: Any) -> Any:
    if isinstance(item, str):
        return {"path": item, "name": item}
    if isinstance(item, dict) and "path" not in item and len(item) == 1:
        key, value = next(iter(item.items()))
        return {"path": value, "name": value, "bucket": key} if key in BUCKETS else {"path": key, "name": value}
    return {"name": item.get("path"), **item} if isinstance(item, dict) else item


class MeasureShape(Shape):
    """A figure: aggregates stand free, bare names are earlier measures."""

    short = "value"
    value = rule(required=True, zh="表达式", en="expression such as sum(amount)")
    label = texts(zh="标签", en="label")
    format = one_of("number", "money", "percent", "bar", zh="格式", en="format")


class ChartShape(Shape):
    """A chart of the report."""

    type = one_of("bar", "line", "area", "pie", "funnel", "scatter", "radar", "gauge", zh="图形", en="kind of chart")
    x = text(zh="横轴（分组）", en="group on the x axis")
    y = anything(zh="纵轴（指标）", en="measure or measures on the y axis")
    series = text(zh="系列（分组）", en="group that makes the series")
    stacked = flag(zh="堆叠", en="stacked")


@register
class Report(Kind):
    word = "report"
    folder = "layouts"
    called = {"zh": "报表", "en": "Report"}
    about = {
        "zh": "按维度分组的指标，或带参数的清单；可带图形，可下钻到记录。",
        "en": "Measures by groups, or a list with parameters; with a chart, and drill-down to records.",
    }
    example = """
report: hours_by_month
from: visit
params: {period: {type: date_range, default: this_year}}
where: "visited_on in params.period"
group: [{month: visited_on}]
measures: {visits: "count()", hours: "sum(hours)", average: "hours / visits"}
chart: {type: bar, x: visited_on, y: hours}
drill: visit
"""
    label = texts(zh="名称", en="label")
    help = texts(zh="说明", en="help")
    from_ = name(required=True, zh="实体", en="entity")
    where = rule(zh="条件", en="which records")
    params = named(ParameterShape, zh="参数", en="parameters")
    group = parts(GroupShape, expand=groups, zh="分组", en="groups: paths, or {month: date}, or {path: name}")
    measures = named(MeasureShape, zh="指标", en="measures")
    columns = parts(ColumnShape, zh="清单的列", en="columns, where it is a list")
    sort = sorts()
    limit = number(1, 100_000, zh="最多行数", en="most rows", default="1000")
    drill = name(zh="下钻到哪个实体的列表", en="entity whose list a figure opens")
    chart = one(ChartShape, zh="图形", en="chart")

    @classmethod
    def references(cls, thing: Thing, world: World) -> Iterable[Reference]:
        data, entity = thing.data, thing.data["from"]
        yield Reference(path=("from",), to="entity", name=entity)
        for group in data.get("group") or ():
            yield Reference(path=("group", group["path"]), to="path", name=group["path"], entity=entity)
        yield from column_references(data.get("columns"), ("columns",), entity)
        if "measures" not in data:
            yield from sort_references(data.get("sort"), ("sort",), entity)
        if isinstance(data.get("drill"), str):
            yield Reference(path=("drill",), to="entity", name=data["drill"])
        for key, given in (data.get("params") or {}).items():
            for word, kind in (("options", "options"), ("to", "entity")):
                if isinstance(given.get(word), str):
                    yield Reference(path=("params", key, word), to=kind, name=given[word])

    @classmethod
    def expressions(cls, thing: Thing, world: World) -> Iterable[Wanted]:
        data, entity = thing.data, thing.data["from"]
        parameters = parameter_types(thing, world)
        for wanted in condition(data, "where", (), entity):
            yield Wanted(
                path=wanted.path, text=wanted.text, entity=entity, expected=wanted.expected, parameters=parameters
            )
        for key, given in (data.get("params") or {}).items():
            default = given.get("default")
            if isinstance(default, str) and default.startswith("="):
                path = ("params", key, "default")
                yield Wanted(path=path, text=default[1:], entity=None, expected=parameters.get(key), skip=1)
        known: dict[str, Type] = {}
        for key, given in (data.get("measures") or {}).items():
            path = ("measures", key, "value")
            yield Wanted(path=path, text=given["value"], entity=entity, parameters=parameters, measures=dict(known))
            found = thing.expressions.get(path)
            known[key] = found.type if found is not None else INTEGER

    @classmethod
    def check(cls, thing: Thing, world: World) -> None:
        data = thing.data
        if not data.get("measures") and not data.get("columns") and not thing.partial:
            world.report("report.empty", thing, ("report",))
        check_totals(data.get("columns"), ("columns",), data["from"], thing, world)
        _buckets(thing, world)
        known = {g["name"] for g in data.get("group") or ()} | set(data.get("measures") or ())
        if data.get("measures"):
            for index, found in enumerate(data.get("sort") or ()):
                _known_axis(found.removeprefix("-"), ("sort", index), known, thing, world)
        chart = data.get("chart") or {}
        for key in ("x", "y", "series"):
            for found in chart[key] if isinstance(chart.get(key), list) else [chart.get(key)]:
                if found is not None:
                    _known_axis(str(found), ("chart", key), known, thing, world)
        for key, given in (data.get("params") or {}).items():
            if given["type"] not in parameter_type_names():
                hint = suggestion(given["type"], parameter_type_names())
                params = {"given": given["type"], "known": ", ".join(parameter_type_names())}
                world.report("shape.one_of", thing, ("params", key, "type"), hint=hint, **params)


def _buckets(thing: Thing, world: World) -> None:
    for group in thing.data.get("group") or ():
        found = world.field_at(thing.data["from"], group["path"].split("."))
        if group.get("bucket") and found is not None and found.value_type.kind not in ("date", "datetime"):
            params: dict[str, Any] = {"name": group["path"], "bucket": group["bucket"]}
            world.report("report.bucket", thing, ("group", group["path"]), **params)


def _known_axis(found: str, path: tuple[str | int, ...], known: set[str], thing: Thing, world: World) -> None:
    if found not in known and not thing.partial:
        world.report("report.axis", thing, path, hint=suggestion(found, known), name=found[:60])


def parameter_type_names() -> list[str]:
    return sorted({"date_range", *field_types()} - set(_NO_PARAMETER))


def parameter_types(thing: Thing, world: World) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for key, given in (thing.data.get("params") or {}).items():
        kind = field_types().get(given["type"])
        if given["type"] == "date_range":
            found[key] = DATE_RANGE
        elif kind is not None and all(p in given for p in kind.required_properties):
            found[key] = kind.value_type(given)
    return found
