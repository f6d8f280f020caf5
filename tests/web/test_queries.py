"""The query builder: clicks as an expression and back, nothing lost, nothing shown that one may not see."""

from __future__ import annotations

import ast
import html
import random
import re

import pytest
from werkzeug.datastructures import MultiDict

from runtime.site import Site
from runtime.views.binder import Binder
from runtime.views.builder.fields import place_of, steps_of
from runtime.views.builder.operators import operator_of, operators_of, written
from runtime.views.builder.read import tree_of
from runtime.views.builder.tree import Collection, Condition, Group, Node, Written
from runtime.views.builder.write import expression_of
from tests.web.conftest import ENTITY, Browser
from web.query_form import done, tree_of_form

KINDS = ["text", "integer", "money", "boolean", "select", "multi_select", "date", "datetime", "record", "user", "unit"]
VALUES = {
    "text": ('it\'s a "quote" \\', "乙"),
    "number": ("-12.5", "1000000000000.01"),
    "days": ("30", "7"),
    "date": ("2026-02-28", "2026-12-31"),
    "choice": ("new", "won"),
    "choices": ("new", "potential"),
    "records": ("3", "44"),
    "unit": ("E", "S"),
    "period": ("this_month", "today"),
    "none": (),
}


def values_for(kind: str, name: str, random_: random.Random) -> tuple[str, ...]:
    operator = operator_of(kind, name)
    assert operator is not None
    known = VALUES[operator.takes]
    if operator.takes in ("choices", "records"):
        return known[: random_.choice([1, 2])]
    return known[: operator.count]


@pytest.mark.parametrize("kind", KINDS)
def test_every_operator_is_spelled_as_python_spells_it(kind: str) -> None:
    for operator in operators_of(kind):
        text = written(operator, "a.b", kind, values_for(kind, operator.name, random.Random(1)))
        assert text is not None
        assert ast.unparse(ast.parse(text, mode="eval")) == text


PATHS = (
    "name",
    "employees",
    "annual_revenue",
    "stage",
    "owner",
    "owner.unit",
    "created_at",
    "expected_close",
    "region.code",
)
COLLECTIONS = ("communications", "opportunities", "interests")
INSIDE = {
    "communications": ("at", "subject"),
    "opportunities": ("amount", "stage", "stage.won", "owner"),
    "interests": ("level", "level.rank"),
}


def random_node(random_: random.Random, binder: Binder, entity: str, paths: tuple[str, ...], depth: int) -> Node:
    if depth > 0 and random_.random() < 0.35:
        items = tuple(random_node(random_, binder, entity, paths, depth - 1) for _ in range(random_.randint(2, 3)))
        return Group(mode=random_.choice(["all", "any", "none", "not_all"]), items=items)
    if depth > 0 and entity == ENTITY and random_.random() < 0.3:
        path = random_.choice(COLLECTIONS)
        place = place_of(binder, entity, path)
        assert place is not None
        inner = random_node(random_, binder, place.members or "", INSIDE[path], 0)
        measure, values = random_.choice([("any", ()), ("none", ()), ("count", ("2",))])
        return Collection(path=path, measure=measure, values=values, inner=Group(items=(inner,)))
    if random_.random() < 0.1 and entity == ENTITY:
        return Written(text="len(name) > 3")
    path = random_.choice(paths)
    kind = (place := place_of(binder, entity, path)) and place.kind
    assert kind
    fitting = operators_of(kind, inside=entity != ENTITY)
    operator = random_.choice([o for o in fitting if o.takes not in ("choices", "choice")] or fitting)
    return Condition(path=path, operator=operator.name, values=values_for(kind, operator.name, random_))


def test_random_trees_come_back_as_they_went(site: Site) -> None:
    random_ = random.Random(5)
    with site.session(1) as session:
        binder = Binder(session)
        for _ in range(150):
            items = tuple(random_node(random_, binder, ENTITY, PATHS, 2) for _ in range(2))
            text = expression_of(binder, ENTITY, Group(items=items))
            assert text is not None
            back = tree_of(binder, ENTITY, text)
            assert expression_of(binder, ENTITY, back) == text


def test_what_has_no_form_in_clicks_stays_as_it_is_written(site: Site) -> None:
    with site.session(1) as session:
        binder = Binder(session)
        text = "9007199254740993.11 < annual_revenue and len(name) > 3 and owner == user"
        tree = tree_of(binder, ENTITY, text)
        assert [type(item).__name__ for item in tree.items] == ["Written", "Written", "Condition"]
        assert tree_of(binder, ENTITY, expression_of(binder, ENTITY, tree) or "") == tree
        assert "9007199254740993.11" in (expression_of(binder, ENTITY, tree) or "")


def test_hidden_fields_are_neither_offered_nor_written(site: Site, seller_login: str) -> None:
    with site.session() as session:
        table = session.table("user")
        who = session.connection.scalar(
            table.select().with_only_columns(table.c.id).where(table.c.login == seller_login)
        )
    with site.session(who) as session:
        binder = Binder(session)
        hidden = sorted(binder.access.hidden(ENTITY))
        assert hidden
        offered = {name for name, _ in steps_of(binder, ENTITY, "")[0].fields}
        assert offered
        assert offered.isdisjoint(hidden)
        condition = Condition(path=hidden[0], operator="filled")
        assert expression_of(binder, ENTITY, Group(items=(condition,))) is None


def form(*pairs: tuple[str, str]) -> MultiDict[str, str]:
    return MultiDict(pairs)


def test_a_changed_step_forgets_what_came_behind_it() -> None:
    given = form(("node", "0:group"), ("node", "0.0:condition"), ("was-0.0", "owner.name"), ("p-0.0", "region"))
    given.add("p-0.0", "name")
    given.add("v-0.0", "张三")
    assert tree_of_form(given).items == (Condition(path="region"),)


def test_buttons_add_and_remove() -> None:
    tree = done(done(Group(), "add:0"), "group:0")
    assert tree.items == (Condition(), Group(mode="any", items=(Condition(),)))
    tree = done(tree, "add:0.1")
    assert done(tree, "remove:0.1.0").items[1] == Group(mode="any", items=(Condition(),))
    assert done(tree, "remove:0.0").items[0] == tree.items[1]
    assert done(tree, "remove:0.7.1") == tree
    assert done(tree, "nonsense") == tree


def shown(page: str) -> str:
    found = re.search(r'id="query-text"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def test_an_edited_expression_becomes_the_tree(admin: Browser) -> None:
    admin.get(f"/e/{ENTITY}/query")
    given = {"node": ["0:group"], "m-0": "all", "said": "", "text": "owner == user and employees > 5"}
    page = admin.post(f"/e/{ENTITY}/query", given, fragment=True).text
    assert shown(page) == "owner == user and employees > 5"
    assert 'value="0.0:condition"' in page
    assert '<option value="me" selected>' in page


def test_a_wrong_expression_is_told_and_kept(admin: Browser) -> None:
    admin.get(f"/e/{ENTITY}/query")
    given = {"node": ["0:group"], "said": "", "text": "employes > 5", "do": "apply"}
    answer = admin.post(f"/e/{ENTITY}/query", given, fragment=True)
    assert answer.status_code == 422
    assert shown(answer.text) == "employes > 5"
    assert "employees" in answer.text.split('id="query-problem"')[1][:200]


def test_a_query_becomes_a_segment_that_lists_offer(admin: Browser, site: Site) -> None:
    admin.get(f"/e/{ENTITY}/query")
    text = "id in (1, 2)"
    given = {"node": ["0:group"], "said": "", "text": text, "do": "segment", "name": "大额 客户"}
    answer = admin.post(f"/e/{ENTITY}/query", given)
    assert answer.headers["Location"] == f"/e/{ENTITY}?segment=dekh"
    assert site.application().segments["dekh"].where.text == text
    page = admin.get(answer.headers["Location"]).text
    assert "大额 客户" in page
    assert page.count("<tr data-href") == 2
    unnamed = admin.post(f"/e/{ENTITY}/query", {**given, "name": " "})
    assert unnamed.status_code == 422


def test_only_administrators_publish_segments(anonymous: Browser, seller_login: str) -> None:
    anonymous.sign_in(seller_login)
    page = anonymous.get(f"/e/{ENTITY}/query").text
    assert 'value="segment"' not in page
    given = {"node": ["0:group"], "said": "", "text": "owner == user", "do": "segment", "name": "mine"}
    assert anonymous.post(f"/e/{ENTITY}/query", given, fragment=True).status_code == 403
