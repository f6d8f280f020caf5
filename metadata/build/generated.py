"""The form and list of an entity that declares none."""

from __future__ import annotations

from metadata.frozen import FrozenMap
from metadata.model import Column, Entity, Field, Filter, Form, FormItem, List, Section, Sort, Tab, Text

_MOST_COLUMNS = 7
_WIDE = {"long_text", "rich_text", "json", "files", "address"}
_NOT_IN_LISTS = {*_WIDE, "secret", "image", "file"}


def generated_form(entity: Entity) -> Form:
    """One tab with all fields, one for each list of related records."""
    shown = [f for f in entity.own_fields if not f.retired and f.type not in ("lines", "related")]
    plain = tuple(FormItem(field=f.name) for f in shown if f.type not in _WIDE)
    wide = tuple(FormItem(field=f.name, span=2) for f in shown if f.type in _WIDE)
    sections = [Section(name="main", label=entity.label, items=plain + wide)]
    for member in entity.own_fields:
        if member.type == "lines" and not member.retired:
            sections.append(Section(name=member.name, label=member.label, items=(FormItem(field=member.name, span=2),)))
    details = Tab(
        name="main", label=Text(values=FrozenMap({"zh": "基本信息", "en": "Details"})), sections=tuple(sections)
    )
    related = [
        Tab(name=f.name, label=f.label, related=f.name)
        for f in entity.own_fields
        if f.type == "related" and not f.retired
    ]
    return Form(name=entity.name, entity=entity.name, tabs=(details, *related), generated=True, origin=entity.origin)


def generated_list(entity: Entity) -> List:
    """The title first, then the first fields that fit in a column; newest records first."""
    fitting = [f for f in entity.own_fields if _fits(f) and f.name != entity.title]
    names = [entity.title, *[f.name for f in fitting[: _MOST_COLUMNS - 1]]]
    filters = [f for f in fitting if f.type in ("select", "link", "user", "boolean")][:4]
    return List(
        name=entity.name,
        entity=entity.name,
        columns=tuple(Column(path=(n,)) for n in names),
        sort=(Sort(path=("id",), descending=True),),
        filters=tuple(Filter(path=(f.name,)) for f in filters),
        generated=True,
        origin=entity.origin,
    )


def _fits(member: Field) -> bool:
    return (
        not member.retired
        and member.storage not in ("children", "choices", "links")
        and (member.storage != "none" or member.computed == "live")
        and member.type not in _NOT_IN_LISTS
    )
