"""A figure over what belongs to a record leads to the list of it: those it counts, for whoever may open them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from runtime.site import Site
from runtime.views.behind import behind
from runtime.views.binder import Binder
from tests.web.conftest import ENTITY, Browser

MEMBERS = "opportunity"


def links(browser: Browser, columns: str) -> list[tuple[str, str]]:
    """(address, text) of each figure that leads somewhere."""
    html = browser.get(f"/e/{ENTITY}?view=all&cols={columns}&sort=-opp_count").text
    return [(unescape(a), text) for a, text in re.findall(r'<a class="behind" href="([^"]+)"[^>]*>([^<]*)</a>', html)]


def count_at(browser: Browser, address: str) -> int:
    return len(re.findall(rf'<tr data-href="/e/{MEMBERS}/\d+"', browser.get(address).text))


def test_a_count_leads_to_as_many_records(admin: Browser) -> None:
    for column in ("opp_count", "opp_open"):
        address, text = links(admin, f"name,{column}")[0]
        assert urlsplit(address).path == f"/e/{MEMBERS}"
        assert count_at(admin, address) == int(text)
        assert int(text) > 0
    where = parse_qs(urlsplit(links(admin, "name,opp_open")[0][0]).query)["where"][0]
    assert re.fullmatch(r"customer\.id == \d+ and \(not stage\.closed\)", where)


@pytest.mark.parametrize("column", ["name", "last_contact_at", "owner.name", "employees", "signal"])
def test_what_is_no_figure_over_one_collection_leads_nowhere(site: Site, column: str) -> None:
    with site.session() as session:
        binder = Binder(session)
        bound = binder.path(ENTITY, tuple(column.split(".")))
        assert bound is not None
        assert behind(binder, bound) is None


def test_who_may_not_read_the_members_gets_the_figure_alone(
    app: Flask, site: Site, seller_login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.session() as session:
        user = session.table("user")
        seller = session.connection.scalar(sa.select(user.c.id).where(user.c.login == seller_login))
    with site.session(seller) as session:
        binder = Binder(session)
        bound = binder.path(ENTITY, ("opp_open",))
        assert bound is not None
        found = behind(binder, bound)
        assert found is not None
        assert found[1].endswith("and (not stage.closed)")
        can, visible = binder.can, binder.visible
        monkeypatch.setattr(binder, "visible", lambda e, f: (e, f) != (MEMBERS, "stage") and visible(e, f))
        masked = behind(binder, bound)
        assert masked is not None
        assert "stage" not in masked[1]  # the address does not tell of a field one may not see
        monkeypatch.setattr(binder, "can", lambda e, op: e != MEMBERS and can(e, op))
        assert behind(binder, bound) is None
