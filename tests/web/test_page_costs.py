"""What each kind of page costs: statements that do not grow with the rows, whatever the page."""

from __future__ import annotations

import pytest

from runtime.site import Site
from tests.web.conftest import ENTITY, Browser
from tests.web.test_statements import warmed

MOST = 30  # of the largest page
KINDS = (
    "/", f"/e/{ENTITY}/new", f"/e/{ENTITY}/1/edit", "/e/opportunity/1", "/e/opportunity/1/edit", f"/e/{ENTITY}/import",
    f"/e/{ENTITY}/query?where=owner==user", "/reports/sales_funnel", "/inbox", "/notifications", "/runs", "/recycle-bin",
    "/profile",
)  # fmt: skip


@pytest.mark.parametrize("address", KINDS)
def test_no_kind_of_page_takes_more_than_thirty_statements(
    site: Site, admin: Browser, statements: list[str], address: str
) -> None:
    assert warmed(site, admin, address, statements) <= MOST, statements


@pytest.mark.parametrize("entity", [ENTITY, "opportunity", "task", "communication"])
def test_lists_take_as_many_statements_for_fifty_rows_as_for_one(
    site: Site, admin: Browser, statements: list[str], entity: str
) -> None:
    with site.session() as session:
        table = session.table(entity)
        ids = [row.id for row in session.connection.execute(table.select().order_by(table.c.id).limit(50))]
    assert len(ids) == 50
    taken = []
    for most in (1, 3, 50):
        wanted = ",".join(map(str, ids[:most]))
        taken.append(warmed(site, admin, f"/e/{entity}?where=id+in+({wanted},)", statements))
    highlights = 1 if site.application().list_for(entity).highlight else 0
    assert len(set(taken)) == 1, taken
    assert taken[0] - highlights <= 4, statements
