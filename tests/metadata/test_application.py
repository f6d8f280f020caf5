"""The stock application as compiled: whole, ordered, picklable, quick."""

from __future__ import annotations

import pickle
from copy import deepcopy

import pytest

from metadata.compiler import Compiled, compile_application
from metadata.explain import explain, layers_of
from metadata.packages import load_texts, platform, stock
from metadata.render import render_text, sources_of
from metadata.where_used import uses
from tests.metadata.kit import VISIT, codes, compiled


@pytest.fixture(scope="module")
def application() -> Compiled:
    return compile_application([platform(), stock()])


def test_stock_has_no_errors(application: Compiled) -> None:
    assert render_text(application.errors, sources_of(application.documents), "en") == ""


def test_every_entity_has_form_list_and_system_fields(application: Compiled) -> None:
    app = application.application
    assert app is not None
    for name, entity in app.entities.items():
        assert app.form_for(name).entity == name
        assert app.list_for(name, ["anyone"], "phone").entity == name
        assert {"id", "created_on", "updated_by", "version", "deleted_at"} <= set(entity.fields)
        assert ("position" in entity.fields and entity.fields["position"].system) or entity.parent is None
        assert entity.title in entity.fields


def test_it_survives_pickling(application: Compiled) -> None:
    app = application.application
    assert app is not None
    again = pickle.loads(pickle.dumps(app))
    assert again.storage_fingerprint == app.storage_fingerprint
    assert list(again.entities) == list(app.entities)


def test_dependencies_come_after_what_they_read(application: Compiled) -> None:
    app = application.application
    assert app is not None
    order = {(d.entity, d.field): index for index, d in enumerate(app.dependencies)}
    for dependency in app.dependencies:
        for read in dependency.reads:
            assert order.get(read, -1) < order[dependency.entity, dependency.field]


def test_fingerprints_tell_storage_from_display() -> None:
    plain = compiled(VISIT).application
    labelled = compiled(VISIT + "label: {zh: 拜访, en: Visit}\n").application
    wider = compiled(VISIT.replace("scale: 1", "scale: 2")).application
    assert plain is not None
    assert labelled is not None
    assert wider is not None
    assert plain.storage_fingerprint == labelled.storage_fingerprint
    assert plain.display_fingerprint != labelled.display_fingerprint
    assert plain.storage_fingerprint != wider.storage_fingerprint


def test_healthy_documents_are_given_beside_broken_ones() -> None:
    found = compiled(
        VISIT
        + "---\nentity: bad\nfields: 3\n---\nentity: b\nfields: {x: {type: link, to: bad}, y: {type: text, formula: x.z}}\n"
    )
    assert codes(found) == ["shape.type"]
    assert found.application is not None
    assert {"visit", "b"} <= set(found.application.entities)


def test_explain_tells_layer_and_line_of_every_leaf() -> None:
    found = compiled(VISIT, "extend: visit\nfields:\n  hours: {scale: 2}\n  place: text\n")
    assert codes(found) == []
    leaves = {
        leaf.path: (leaf.value, leaf.layer, leaf.place.line) for leaf in explain(found, "entity", "visit", ("fields",))
    }
    assert leaves["fields", "hours", "scale"] == (2, "site", 3)
    assert leaves["fields", "hours", "type"] == ("decimal", "stock", 5)
    assert leaves["fields", "place", "type"] == ("text", "site", 4)
    assert layers_of(found, "entity", "visit") == ["stock", "site"]


def test_where_used_finds_every_kind_of_use() -> None:
    found = compiled(
        VISIT
        + """search: [hours]
unique: [[hours]]
checks: [{name: c, must: "hours > 0"}]
---
entity: log
fields:
  visit: {type: link, to: visit}
  length: {type: lookup, of: visit.hours}
  twice: {type: decimal, formula: "visit.hours * 2"}
---
list: log
columns: [visit, visit.hours]
sort: [-visit.hours]
filters: [{range: visit.hours}]
views: [{name: long, where: "visit.hours > 8"}]
---
form: visit
header: [hours]
tabs: [{name: main, sections: [{name: s, fields: [subject, {field: hours, visible_when: "hours > 1"}]}]}]
---
segment: long
entity: visit
where: "hours > 8"
---
report: r
from: log
group: [visit.hours]
measures: {total: "sum(visit.hours)"}
---
role: x
grants: {visit: {read: "=hours > 1", hide: [hours]}}
---
menu: main
items: [visit]
"""
    )
    app = found.application
    assert codes(found) == []
    assert app is not None
    assert sorted({(u.kind, u.what) for u in uses(app, "visit.hours")}) == [
        ("entity", "formula"),
        ("entity", "lookup"),
        ("entity", "must"),
        ("entity", "search"),
        ("entity", "unique"),
        ("form", "form field"),
        ("form", "header"),
        ("form", "visible_when"),
        ("list", "column"),
        ("list", "filter"),
        ("list", "sort"),
        ("list", "where"),
        ("report", "expression"),
        ("report", "group"),
        ("role", "expressions"),
        ("role", "grant"),
        ("segment", "where"),
    ]
    assert ("menu", "menu item") in {(u.kind, u.what) for u in uses(app, "visit")}
    assert uses(app, "visit.visited_on") == []


def test_packages_come_after_those_they_need() -> None:
    two = load_texts(
        {"two.yaml": 'package: two\nversion: "1"\nrequires: {one: ">=1"}\n---\nextend: thing\nfields: {b: text}\n'},
        "two",
    )
    one = load_texts({"one.yaml": 'package: one\nversion: "1.2"\n---\nentity: thing\nfields: {a: text}\n'}, "one")
    found = compile_application([two, one])
    assert codes(found) == []
    app = found.application
    assert app is not None
    assert [p.name for p in app.packages] == ["one", "two"]
    assert [f.name for f in app.entity("thing").own_fields] == ["a", "b"]


def test_the_site_hides_things_and_what_leads_to_them() -> None:
    stock_text = (
        VISIT
        + """---
report: r
from: visit
measures: {n: "count()"}
---
menu: main
items: [visit, {name: a, report: r}]
---
form: visit
on: phone
tabs: [{name: main, sections: [{name: s, fields: [subject, hours]}]}]
"""
    )
    site = "extend: {report: r}\nhide: true\n---\nextend: visit\nfields: {hours: {hide: true}}\n---\nextend: {form: visit}\nquick: [subject]\n"
    found = compiled(stock_text, site)
    assert codes(found) == []
    app = found.application
    assert app is not None
    assert (list(app.reports), [i.name for i in app.menus[0].items]) == ([], ["visit"])
    phone = app.form_for("visit", device="phone")
    assert [i.field for i in phone.tabs[0].sections[0].items] == ["subject"]
    assert phone.quick == ("subject",)
    assert app.entity("visit").fields["hours"].retired


def test_a_layer_may_not_extend_what_is_not_there() -> None:
    found = compiled(VISIT, "extend: vist\nlabel: x\n---\nextend: {report: r}\nlabel: x\n")
    assert codes(found) == ["extend.unknown", "extend.unknown"]
    assert found.errors[0].hint == "visit"


def test_a_group_by_a_system_field_is_called_what_the_field_is_called() -> None:
    found = compiled(VISIT, "report: r\nfrom: visit\ngroup: [created_on, created_by]\nmeasures: {n: 'count()'}\n")
    app = found.application
    assert codes(found) == []
    assert app is not None
    groups = app.reports["r"].groups
    assert [g.label.of("zh") for g in groups] == ["创建日期", "创建人"]
    assert [g.label.of("en") for g in groups] == ["Created on", "Created by"]


def test_documents_compile_again_to_the_same() -> None:
    """What is kept of a document while others change is not changed by those who use it."""
    layers = [platform(), stock()]
    first = compile_application(layers)
    kept = {id(d): deepcopy(d.kept["shaped"].data) for layer in layers for d in layer.documents if "shaped" in d.kept}
    second = compile_application(layers)
    assert len(kept) > 100
    assert all(d.kept["shaped"].data == kept[id(d)] for layer in layers for d in layer.documents if "shaped" in d.kept)
    assert [(p.code, p.place) for p in first.problems] == [(p.code, p.place) for p in second.problems]
    assert first.application is not None
    assert second.application is not None
    assert first.application.storage_fingerprint == second.application.storage_fingerprint
    assert first.application.display_fingerprint == second.application.display_fingerprint
