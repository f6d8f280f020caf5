"""The same deed on many rows: at once where they are few, in the background where they are many; taken back in one go."""

from __future__ import annotations

import re

import sqlalchemy as sa

from runtime import mass, records
from runtime.jobs.worker import Worker
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser


def some_ids(site: Site, number: int) -> list[int]:
    with site.session() as session:
        table = session.table(ENTITY)
        wanted = sa.select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.id.desc()).limit(number)
        return list(session.connection.scalars(wanted))


def values(site: Site, ids: list[int], name: str) -> list[object]:
    with site.session() as session:
        return [r.values[name] for r in records.read_many(session, ENTITY, ids, [name])]


def newest(site: Site) -> mass.Status:
    with site.session() as session:
        table = session.table("mass_change")
        return mass.status(session, session.connection.scalar(sa.select(sa.func.max(table.c.id))) or 0)


def work(site: Site) -> None:
    Worker(site).run_all()


def test_a_field_of_few_rows_changes_at_once_and_goes_back(site: Site, admin: Browser) -> None:
    ids = some_ids(site, 3)
    before = values(site, ids, "short_name")
    admin.get(f"/e/{ENTITY}")
    data = {"id": [str(i) for i in ids], "field": "short_name", "value": "同一简称"}
    assert admin.post(f"/e/{ENTITY}/bulk", data).status_code == 303
    assert values(site, ids, "short_name") == ["同一简称"] * 3
    found = newest(site)
    assert (found.state, found.done, found.refused, found.can_undo) == ("done", 3, 0, True)
    assert f"/bulk/{found.id}/undo" in admin.get(f"/e/{ENTITY}").text
    assert admin.post(f"/bulk/{found.id}/undo").status_code == 303
    assert values(site, ids, "short_name") == before
    with site.session() as session:
        assert mass.status(session, found.id).state == "undone"


def test_taking_back_leaves_what_somebody_changed_since(site: Site, admin: Browser) -> None:
    ids = some_ids(site, 2)
    admin.get(f"/e/{ENTITY}")
    admin.post(f"/e/{ENTITY}/bulk", {"id": [str(i) for i in ids], "field": "short_name", "value": "first"})
    found = newest(site)
    with site.session(write=True) as session:
        records.update(session, ENTITY, ids[0], {"short_name": "by somebody"})
    admin.post(f"/bulk/{found.id}/undo")
    assert values(site, [ids[0]], "short_name") == ["by somebody"]
    assert values(site, [ids[1]], "short_name") != ["first"]
    assert newest(site).refused == 1


def test_all_the_list_finds_is_done_in_the_background(site: Site, admin: Browser) -> None:
    with site.session() as session:
        table = session.table(ENTITY)
        many = session.connection.scalar(
            sa.select(sa.func.count()).where(table.c.deleted_at.is_(None), table.c.kind == "company")
        )
    assert many > mass.AT_ONCE
    admin.get(f"/e/{ENTITY}")
    answer = admin.post(f"/e/{ENTITY}/bulk?f.kind=company", {"all": "1", "field": "short_name", "value": "全部"})
    found = newest(site)
    assert answer.headers["Location"] == f"/bulk/{found.id}"
    assert (found.state, found.total) == ("waiting", many)
    assert "hx-trigger" in admin.get(f"/bulk/{found.id}").text.split('id="bulk"')[1][:200]
    work(site)
    found = newest(site)
    assert (found.state, found.done + found.refused) == ("done", many)
    html = admin.get(f"/bulk/{found.id}").text
    assert "hx-trigger" not in html.split('id="bulk"')[1][:200]
    admin.post(f"/bulk/{found.id}/undo")
    work(site)
    with site.session() as session:
        assert mass.status(session, found.id).state == "undone"
        table = session.table(ENTITY)
        left = session.connection.scalar(sa.select(sa.func.count()).where(table.c.short_name == "全部"))
    assert left == 0


def test_a_killed_worker_goes_on_where_it_was(site: Site, admin: Browser) -> None:
    ids = some_ids(site, 60)
    with site.session(1, write=True) as session:
        number = mass.start(session, ENTITY, "set", {"values": {"short_name": "again"}}, ids, title="x")
    with site.session(1, write=True) as session:
        mass.run_batch(session, number)
    with site.session(1, write=True) as session:  # asked once more, nothing is done twice
        assert mass.run_batch(session, number) is False
        assert mass.status(session, number).done == 60
        back = mass.undo(session, number, "back")
    with site.session(1, write=True) as session:
        assert mass.run_batch(session, back) is False
        assert mass.status(session, number).state == "undone"


def test_what_cannot_be_taken_is_told_before_anything_happens(site: Site, admin: Browser) -> None:
    ids = [str(i) for i in some_ids(site, 2)]
    admin.get(f"/e/{ENTITY}")
    unknown = admin.post(f"/e/{ENTITY}/bulk", {"id": ids, "field": "name_of_nothing", "value": "1"}, fragment=True)
    assert unknown.status_code == 422
    wrong = admin.post(f"/e/{ENTITY}/bulk", {"id": ids, "field": "kind", "value": "no such kind"}, fragment=True)
    assert wrong.status_code == 422
    assert "field-problem" in wrong.text
    computed = admin.post(f"/e/{ENTITY}/bulk", {"id": ids, "field": "created_at", "value": "1"}, fragment=True)
    assert computed.status_code == 422


def test_rows_that_are_refused_say_why(site: Site, admin: Browser) -> None:
    ids = some_ids(site, 2)
    admin.get(f"/e/{ENTITY}")
    before = newest(site).id
    admin.post(f"/e/{ENTITY}/bulk", {"id": [str(i) for i in ids], "field": "name", "value": ""})
    assert 'data-kind="warning"' in admin.get(f"/e/{ENTITY}").text
    assert newest(site).id == before  # where nothing could be done, nothing is kept
    with site.session(1, write=True) as session:
        number = mass.start(session, ENTITY, "set", {"values": {"name": ""}}, some_ids(site, 60), title="x")
        mass.run_batch(session, number)
        assert mass.status(session, number).refused == 60
    html = admin.get(f"/bulk/{number}").text
    assert html.count(f'<td><a href="/e/{ENTITY}/') == 60


def test_the_dialog_offers_only_what_can_be_set(admin: Browser) -> None:
    admin.get(f"/e/{ENTITY}")
    html = admin.post(f"/e/{ENTITY}/bulk/ask", {"id": ["1", "2"]}, fragment=True).text
    offered = set(re.findall(r'<option value="([^"]+)"', html))
    assert {"kind", "owner"} <= offered
    assert not offered & {"id", "created_at", "code", "open_amount"}
    assert 'name="value"' in admin.get(f"/e/{ENTITY}/bulk/field?field=owner").text


def test_bulk_changes_of_others_are_not_seen(site: Site, admin: Browser, app, seller_login: str) -> None:  # type: ignore[no-untyped-def]
    ids = some_ids(site, 1)
    admin.get(f"/e/{ENTITY}")
    admin.post(f"/e/{ENTITY}/bulk", {"id": [str(ids[0])], "field": "short_name", "value": "secret name"})
    found = newest(site)
    other = Browser(app.test_client())
    assert other.sign_in(seller_login).status_code == 303
    assert other.get(f"/bulk/{found.id}").status_code == 404
    assert other.post(f"/bulk/{found.id}/undo").status_code == 404
    admin.post(f"/bulk/{found.id}/undo")


def test_actions_of_the_rules_are_carried_out_on_the_chosen_rows(site: Site, admin: Browser) -> None:
    from runtime import actions

    admin.get("/e/task")
    with site.session(1) as session:
        table = session.table("task")
        rows = session.connection.scalars(
            sa.select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.id)
        )
        offered = {i: [o for o in actions.offers(session, "task", i) if o.open and not o.page] for i in list(rows)[:40]}
    fitting = {i: [o.name for o in found if not any(a.required for a in o.asks)] for i, found in offered.items()}
    ids = [i for i, names in fitting.items() if names][:2]
    assert ids
    name = fitting[ids[0]][0]
    data = {"id": [str(i) for i in ids]}
    dialog = admin.post("/e/task/bulk/actions", data, fragment=True).text
    assert f'value="{name}"' in dialog
    assert admin.post("/e/task/bulk/action", {**data, "name": name}).status_code == 303
    found = newest(site)
    assert (found.deed, found.total, found.done + found.refused) == ("action", len(ids), len(ids))
    page = admin.get(f"/bulk/{found.id}").text
    assert sum(f'href="/e/task/{i}"' in page for i in ids) == len(ids)
    before = newest(site).id
    admin.post("/e/task/bulk/action", {**data, "name": "nonsense"})
    assert newest(site).id == before
