"""What was retired goes for ever when somebody says so, and not before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from metadata.packages import Layer
from runtime.errors import NotFound
from runtime.publishing.publish import publish, rollback
from runtime.publishing.purge import purge, remains
from runtime.schema.verify import drift
from runtime.site import Site
from tests.publishing.conftest import BASE, add, column

Whole = Callable[[str], list[Layer]]

EXTRA = """
---
extend: customer
fields:
  code: {type: text, unique: true}
  parent: {type: link, to: customer}
  town: {type: link, to: town}
  value: money
  tags: {type: links, to: town}
---
entity: town
title: name
fields: {name: text, mayor: {type: link, to: customer}}
"""
AFTER = BASE.replace("employees: integer", "employees: {type: decimal, scale: 2}")


def aside(site: Site) -> dict[str, int]:
    return {f"{r.name}{' (earlier)' if r.earlier else ''}": r.values for r in remains(site)}


def test_what_was_retired_is_listed_dropped_and_does_not_return(empty_site: Site, whole: Whole) -> None:
    site = empty_site
    publish(site, whole(BASE + EXTRA))
    town = add(site, "town", name="苏州")
    first = add(site, "customer", name="K1", code="A", employees=12, town=town, value=5)
    add(site, "customer", name="K2", parent=first, employees=7)
    add(site, "address", customer=first, street="路")
    assert aside(site) == {}
    publish(site, whole(AFTER), accept=True)
    assert aside(site) == {
        "customer.code": 1, "customer.employees (earlier)": 2, "customer.parent": 1, "customer.tags": 0,
        "customer.town": 1, "customer.value": 1, "town": 1,
    }  # fmt: skip
    with pytest.raises(NotFound, match="nobody"):
        purge(site, ["customer.code", "customer.nobody"])
    with pytest.raises(NotFound):
        purge(site, ["customer.name"])  # what lives is not to be had
    assert {r.name for r in purge(site, ["customer.code"])} == {"customer.code"}
    assert "customer.code" not in aside(site)
    assert aside(site)["town"] == 1
    purge(site)
    assert aside(site) == {}
    with site.session() as session:
        assert drift(session.connection, session.tables) == []
        assert not sa.inspect(session.connection).has_table("town")
        there = {c["name"] for c in sa.inspect(session.connection).get_columns("customer")}
        said = session.connection.execute(
            sa.select(session.table("audit").c.entity).where(session.table("audit").c.action == "purge")
        )
        assert {"customer", "town"} <= set(said.scalars())
    assert not {"code", "parent", "town", "value"} & there
    assert column(site, "customer", "employees") == {1: 12, 2: 7}
    assert column(site, "address", "customer") == {1: first}
    rollback(site, 1, accept=True)
    assert column(site, "customer", "name") == {1: "K1", 2: "K2"}
    assert column(site, "customer", "code") == {1: None, 2: None}
    assert column(site, "customer", "town") == {1: None, 2: None}
    with site.session() as session:
        assert drift(session.connection, session.tables) == []
    add(site, "customer", name="K3", code="A", town=add(site, "town", name="无锡"))


def test_values_of_an_earlier_type_that_came_back_are_not_aside(empty_site: Site, whole: Whole) -> None:
    site = empty_site
    publish(site, whole(BASE))
    add(site, "customer", name="K1", employees=12)
    publish(site, whole(AFTER), accept=True)
    publish(site, whole(BASE), accept=True)  # the integers come back from where they were kept
    purge(site)
    assert column(site, "customer", "employees") == {1: 12}
    with site.session() as session:
        assert drift(session.connection, session.tables) == []
