"""Views that people keep, and the columns they choose, in the address of a list."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from runtime.site import Site
from tests.web.conftest import ENTITY, Browser


@pytest.fixture
def rep(app: Flask, seller_login: str) -> Browser:
    browser = Browser(app.test_client())
    assert browser.sign_in(seller_login).status_code == 303
    return browser


def headings(html: str) -> list[str]:
    return re.findall(r'<th data-column="([^"]+)"', html)


def keep(browser: Browser, query: str, **form: str) -> str:
    browser.get(f"/e/{ENTITY}?{query}")
    answer = browser.post(f"/e/{ENTITY}/views/keep?{query}", form)
    assert answer.status_code == 303, answer.text
    found = re.search(r"view=(my-\d+)", answer.headers["Location"])
    assert found
    return found.group(1)


def test_columns_come_from_the_address_with_their_order_and_width(admin: Browser) -> None:
    html = admin.get(f"/e/{ENTITY}?cols=kind,name*240,owner.unit,nothing,name,deleted_by.password").text
    assert headings(html) == ["kind", "name", "owner.unit"]
    assert re.search(r'data-column="name"[^>]* data-width="240"', html)
    again = admin.get(f"/e/{ENTITY}?col=name&col=kind").text
    assert headings(again) == ["name", "kind"]


def test_frozen_columns_are_of_the_address_and_of_the_view(admin: Browser) -> None:
    html = admin.get(f"/e/{ENTITY}?cols=kind,name*240!,owner.unit!,nothing!").text
    assert re.search(r'data-column="name"[^>]* data-width="240" data-frozen class="[^"]*c-frozen-1"', html)
    assert re.search(r'data-column="owner.unit" data-frozen class="[^"]*c-frozen-2"', html)
    assert 'name="cols" value="kind,name*240!,owner.unit!"' in html
    assert html.count("c-frozen-1") == 1 + html.count("<tr data-href=")
    offered = admin.get(f"/e/{ENTITY}/columns?cols=kind,name*240!").text
    assert re.findall(r'name="col" value="([^"]+)"', offered)[:2] == ["kind", "name*240!"]
    assert re.findall(r'data-freeze aria-pressed="(\w+)"', offered)[:2] == ["false", "true"]
    for said in ("cols=name!,kind", "col=name!&col=kind"):  # by the address, and as the chooser says it
        key = keep(admin, said, name=f"Frozen {said}")
        html = admin.get(f"/e/{ENTITY}?view={key}").text
        assert "has-frozen" in html
        assert headings(html) == ["name", "kind"]
    assert "has-frozen" not in admin.get(f"/e/{ENTITY}?cols=name,kind").text


def test_the_chooser_offers_what_may_stand_in_a_row(admin: Browser) -> None:
    html = admin.get(f"/e/{ENTITY}/columns?cols=kind,name").text
    values = re.findall(r'name="col" value="([^"]+)"( checked)?', html)
    assert values[:2] == [("kind", " checked"), ("name", " checked")]
    offered = {value for value, _ in values}
    assert "owner.name" in offered
    assert len(offered) == len(values)


def test_hidden_fields_are_neither_offered_nor_shown(site: Site, rep: Browser) -> None:
    with site.session() as session:
        app = session.app
    grant = app.roles["sales_rep"].grants[ENTITY]
    hidden = set(grant.hide) | {f.name for f in app.entities[ENTITY].fields.values() if f.sensitive} - set(grant.show)
    assert hidden
    offered = set(re.findall(r'name="col" value="([^"]+)"', rep.get(f"/e/{ENTITY}/columns").text))
    assert not offered & hidden
    assert "password" not in " ".join(offered)


def test_a_view_is_kept_opened_changed_and_removed(site: Site, admin: Browser) -> None:
    key = keep(admin, "f.kind=company&cols=name,kind&sort=-name&page=2", name="Companies")
    html = admin.get(f"/e/{ENTITY}?view={key}").text
    assert headings(html) == ["name", "kind"]
    assert 'aria-sort="descending"' in html
    assert re.search(r'aria-current="true" href="/e/customer\?view=my-\d+"', html)
    narrowed = admin.get(f"/e/{ENTITY}?view={key}&cols=kind").text
    assert headings(narrowed) == ["kind"]
    assert "dirty-dot" in narrowed
    assert "checked" in html.split('name="f.kind"')[1][:60]
    # the filter form says everything itself, so that a filter of the view can be taken away
    free = admin.get(f"/e/{ENTITY}?view={key}&edited=1&cols=name").text
    assert "checked" not in free.split('name="f.kind"')[1][:60]
    answer = admin.post(f"/e/{ENTITY}/views/keep?view={key}&edited=1&cols=name", {"name": "Names"})
    assert answer.headers["Location"].endswith(key)
    assert headings(admin.get(f"/e/{ENTITY}?view={key}").text) == ["name"]
    gone = admin.post(f"/e/{ENTITY}/views/keep?view={key}", {"name": "Names", "forget": "1"})
    assert gone.status_code == 303
    assert f"view={key}" not in admin.get(f"/e/{ENTITY}").text
    admin.post(f"/views/{key.removeprefix('my-')}/back")
    assert f"view={key}" in admin.get(f"/e/{ENTITY}").text


def test_a_list_opens_with_the_default_view(admin: Browser) -> None:
    key = keep(admin, "cols=name", name="Only names", default="1")
    assert headings(admin.get(f"/e/{ENTITY}").text) == ["name"]
    assert len(headings(admin.get(f"/e/{ENTITY}?view=all").text)) > 1
    admin.post(f"/e/{ENTITY}/views/keep?view={key}", {"name": "x", "forget": "1"})


def test_views_of_others_are_seen_only_when_shared(site: Site, admin: Browser, rep: Browser) -> None:
    private = keep(admin, "cols=name", name="Private one")
    shared = keep(admin, "cols=kind", name="Shared one", share="*")
    wrong = keep(admin, "cols=kind", name="For finance", share="finance")
    html = rep.get(f"/e/{ENTITY}").text
    assert f"view={shared}" in html
    assert f"view={private}" not in html
    assert f"view={wrong}" not in html
    assert headings(rep.get(f"/e/{ENTITY}?view={shared}").text) == ["kind"]
    # a view of somebody else is neither opened, changed nor removed
    assert headings(rep.get(f"/e/{ENTITY}?view={private}").text) != ["name"]
    rep.post(f"/e/{ENTITY}/views/keep?view={shared}", {"name": "Mine now", "forget": "1"})
    with site.session() as session:
        table = session.table("saved_view")
        alive = session.connection.scalar(
            sa.select(table.c.name).where(table.c.id == int(shared[3:]), table.c.deleted_at.is_(None))
        )
    assert alive == "Shared one"


def test_sharing_takes_the_right_to_share(site: Site, rep: Browser) -> None:
    rep.get(f"/e/{ENTITY}")
    with site.session() as session:
        grant = session.app.roles["sales_rep"].grants.get(ENTITY)
    if grant is not None and "share" in grant.operations:
        pytest.skip("this role may share")
    assert rep.post(f"/e/{ENTITY}/views/keep", {"name": "x", "share": "*"}).status_code == 403


def test_a_view_needs_a_name(admin: Browser) -> None:
    admin.get(f"/e/{ENTITY}")
    answer = admin.post(f"/e/{ENTITY}/views/keep?cols=name", {"name": "  "}, fragment=True)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_an_expression_in_a_shared_view_keeps_the_readers_rights(admin: Browser, rep: Browser) -> None:
    key = keep(admin, "where=revenue_secret+>+1", name="Wrong field", share="*")
    html = rep.get(f"/e/{ENTITY}?view={key}").text
    assert 'id="where-problem"' in html


def test_views_tell_whose_they_are_and_when_they_were_used_and_can_be_put_away(
    admin: Browser, rep: Browser, site: Site
) -> None:
    key = keep(admin, "sort=name", name="老视图", share="*")
    manage = f"/e/{ENTITY}/views"
    row = next(r for r in admin.get(manage).text.split("<tr") if "老视图" in r)
    assert "<td>从未</td>" in row
    assert '<td>管理员</td><td class="wide-only">所有人</td>' in row.replace("\n", "")
    assert "老视图" in rep.get(f"/e/{ENTITY}?view={key}").text
    with site.session() as session:
        day = session.today
        table = session.table("saved_view")
        used = session.connection.scalar(sa.select(table.c.used_on).where(table.c.id == int(key[3:])))
    assert used == day
    row = next(r for r in admin.get(manage).text.split("<tr") if "老视图" in r)
    assert f"{day.year}年{day.month}月{day.day}日" in row
    theirs = next(r for r in rep.get(manage).text.split("<tr") if "老视图" in r)
    assert "/archive" not in theirs  # whose it is decides
    assert rep.post(f"/views/{key[3:]}/archive", {"away": "1"}).status_code == 404
    assert admin.post(f"/views/{key[3:]}/archive", {"away": "1"}).status_code == 303
    tabs = admin.get(f"/e/{ENTITY}?view=all").text
    assert f"view={key}" not in tabs
    assert f"view={key}" in admin.get(f"/e/{ENTITY}?view={key}").text  # its address still leads there
    assert "已归档" in admin.get(manage).text
    admin.post(f"/views/{key[3:]}/archive", {"away": "0"})
    assert f"view={key}" in admin.get(f"/e/{ENTITY}?view=all").text


def test_a_view_that_was_put_away_opens_no_list_by_itself(admin: Browser) -> None:
    key = keep(admin, "sort=-name", name="默认视图", default="1")
    assert "默认视图" in re.findall(r'<a class="active"[^>]*>.*?</a>', admin.get(f"/e/{ENTITY}").text, re.DOTALL)[0]
    admin.post(f"/views/{key[3:]}/archive", {"away": "1"})
    assert "默认视图" not in admin.get(f"/e/{ENTITY}").text
