"""CU-33…40: queries put together by clicks in the query builder, read as an expression, and what they find."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from runtime.clock import FakeClock
from runtime.settings import load_settings
from runtime.site import Site
from tests.acceptance.conftest import T0, World
from tests.acceptance.test_admin import CAPITAL, publish_site

PASSWORD = "octavo-demo"
Spec = Mapping[str, Any]


def field(path: str, operator: str, *values: object) -> Spec:
    return {"path": path, "operator": operator, "values": values}


def group(mode: str, *items: Spec) -> Spec:
    return {"mode": mode, "items": items}


def members(path: str, measure: str, *items: Spec, of: str = "", compare: tuple[str, object] | None = None) -> Spec:
    return {"path": path, "measure": measure, "of": of, "compare": compare, "inner": group("all", *items)}


def inputs(node: Spec, name: str = "0") -> list[tuple[str, str]]:
    """The inputs a browser would send for the node."""
    if "mode" in node:
        found = [("node", f"{name}:group"), (f"m-{name}", node["mode"])]
        for place, item in enumerate(node["items"]):
            found += inputs(item, f"{name}.{place}")
        return found
    steps = [(f"p-{name}", step) for step in node["path"].split(".")] + [(f"was-{name}", node["path"])]
    if "measure" in node:
        found = [("node", f"{name}:collection"), *steps, (f"a-{name}", node["measure"]), (f"f-{name}", node["of"])]
        if node["compare"]:
            found += [(f"o-{name}", node["compare"][0]), (f"v-{name}", str(node["compare"][1]))]
        return found + inputs(node["inner"], f"{name}.0")
    found = [("node", f"{name}:condition"), *steps, (f"o-{name}", node["operator"])]
    return found + [(f"v-{name}", str(value)) for value in node["values"]]


@dataclass
class Desk:
    """A world and a browser signed in as the sales director."""

    world: World
    client: FlaskClient
    token: str = ""

    def query(self, *items: Spec, mode: str = "all") -> str:
        """The expression that the builder writes for the clicks; it says the same when it is read back."""
        text, _ = self.builder(group(mode, *items))
        again = self.client.get("/e/customer/query", query_string={"where": text})
        assert html.unescape(re.search(r'id="query-text"[^>]*>(.*?)</textarea>', again.text)[1]) == text  # type: ignore[index]
        return text

    def builder(self, root: Spec, **more: str) -> tuple[str, str]:
        """The expression and the count that the builder shows."""
        data: dict[str, Any] = {}
        for name, value in [*inputs(root), *more.items()]:
            data.setdefault(name, []).append(value)
        answer = self.client.post(
            "/e/customer/query", data=data, headers={"X-CSRFToken": self.token, "HX-Request": "true"}
        )
        assert answer.status_code == 200, answer.text
        text = re.search(r'id="query-text"[^>]*>(.*?)</textarea>', answer.text)
        count = re.search(r'id="query-count"[^>]*>(.*?)</strong>', answer.text)
        assert text is not None
        assert count is not None
        return html.unescape(text[1]), count[1]

    def found(self, text: str, login: str = "vp") -> list[str]:
        return sorted(self.world.list(login, "customer", text, of="short_name"), key=str)


@pytest.fixture(scope="module")
def desk(fixture_f: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One world for all: each test reads what it made itself."""
    from web.app import create_app

    folder = tmp_path_factory.mktemp("queries") / "site"
    shutil.copytree(fixture_f, folder)
    clock = FakeClock(T0)
    with Site.open(settings=load_settings(folder), clock=clock) as site:
        made = Desk(World(site=site, clock=clock), create_app(site, testing=True).test_client())
        token = re.compile(r'name="csrf-token" content="([^"]+)"')
        made.token = token.search(made.client.get("/sign-in").text)[1]  # type: ignore[index]
        form = {"login": "vp", "password": PASSWORD}
        made.client.post("/sign-in", data=form, headers={"X-CSRFToken": made.token})
        made.token = token.search(made.client.get("/profile").text)[1]  # type: ignore[index]
        yield made


@pytest.mark.mission("CU-33")
def test_a_basic_query_stands_in_the_address_and_is_kept_as_a_view(desk: Desk) -> None:
    asked = [field("scale", "in", "from_200"), field("region.code", "is", "east")]
    text = desk.query(*asked)
    assert text == "scale == 'from_200' and region.code == 'east'"
    assert desk.found(text) == ["K1", "K5"]
    data: dict[str, Any] = {}
    for name, value in [*inputs(group("all", *asked)), ("said", text), ("text", text), ("name", "东区中型")]:
        data.setdefault(name, []).append(value)
    headers = {"X-CSRFToken": desk.token}
    applied = desk.client.post("/e/customer/query", data={**data, "do": "apply"}, headers=headers)
    assert parse_qs(urlsplit(applied.headers["Location"]).query)["where"] == [text]
    kept = desk.client.post("/e/customer/query", data={**data, "do": "view"}, headers=headers)
    page = desk.client.get(kept.headers["Location"]).text
    assert "东区中型" in page
    assert page.count("<tr data-href") == 2


@pytest.mark.mission("CU-34")
def test_groups_nest_and_custom_fields_take_part(f: World) -> None:
    publish_site(f.site, CAPITAL)
    f.update("vp", "customer", f.k("K5"), paid_in=3000000)
    from runtime.views.binder import Binder
    from runtime.views.builder.read import tree_of
    from runtime.views.builder.tree import Condition, Group
    from runtime.views.builder.write import expression_of

    tree = Group(
        mode="any",
        items=(
            Group(
                items=(
                    Condition(path="region.code", operator="is", values=("east",)),
                    Group(
                        mode="any",
                        items=(
                            Condition(path="stage", operator="in", values=("repeat",)),
                            Condition(path="paid_in", operator="ge", values=("3,000,000",)),
                        ),
                    ),
                )
            ),
            Group(
                items=(
                    Condition(path="region.code", operator="is", values=("south",)),
                    Condition(path="scale", operator="filled"),
                )
            ),
        ),
    )
    with f.as_("vp") as session:
        text = expression_of(Binder(session), "customer", tree)
        assert text is not None
        assert expression_of(Binder(session), "customer", tree_of(Binder(session), "customer", text)) == text
    assert sorted(f.list("vp", "customer", text, of="short_name")) == ["K1", "K5", "S7"]


@pytest.mark.mission("CU-35")
def test_a_query_by_who_is_responsible_follows_the_organisation(desk: Desk) -> None:
    world = desk.world
    text = desk.query(members("members", "any", field("role", "in", "account"), field("person", "in_unit", "E")))
    assert text == "members.any(role == 'account' and in_unit(person.unit, 'E'))"
    people = ["wang", "zhangsan", "lisi", "zhaoliu", "sunqi", "chenwu", "liujing"]
    for number in range(20):
        person = people[number % len(people)]
        members_ = [{"person": world.user(person), "role": "account"}]
        world.create(None, "customer", name=f"团队客户{number}有限公司", short_name=f"T{number:02d}", members=members_)
    assert len(desk.found(text)) == 15
    assert desk.builder(group("all", members("members", "any", field("person", "in_unit", "E"))))[1] == "15 条"
    world.update(None, "user", world.user("sunqi"), unit=world.id("unit", code="S1"))
    assert len(desk.found(text)) == 12
    world.update(None, "unit", world.id("unit", code="S1"), parent=world.id("unit", code="E2"))
    assert len(desk.found(text)) == 18
    world.update(None, "unit", world.id("unit", code="S1"), parent=world.id("unit", code="S"))
    world.update(None, "user", world.user("sunqi"), unit=world.id("unit", code="E2"))


@pytest.mark.mission("CU-36")
def test_a_query_by_interest(desk: Desk) -> None:
    world = desk.world
    series = world.id("product_series", code="XA")
    for name, level in (("K1", "high"), ("K5", "low"), ("K7", "medium")):
        interests = [{"target": "series", "series": series, "level": level}]
        world.update("vp", "customer", world.k(name), interests=interests)
    text = desk.query(members("interests", "any", field("series", "is", series), field("level.rank", "ge", 2)))
    assert text == f"interests.any(series.id == {series} and level.rank >= 2)"
    assert desk.found(text) == ["K1", "K7"]


@pytest.mark.mission("CU-37")
def test_a_query_by_value(desk: Desk) -> None:
    world = desk.world
    for name, amount, day in (
        ("K1", 1235000, "2026-02-20"),
        ("K2", 900000, "2026-02-20"),
        ("K5", 5000000, "2024-06-01"),
    ):
        deal = {
            "name": f"商机{name}",
            "customer": world.k(name),
            "manual_amount": amount,
            "stage": "won",
            "closed_on": day,
        }
        world.create("vp", "opportunity", **deal)
    recent = members(
        "opportunities",
        "sum",
        field("stage.won", "yes"),
        field("closed_on", "last", 365),
        of="amount",
        compare=("ge", 1000000),
    )
    text = desk.query(field("value_score", "ge", 80), recent)
    assert "opportunities.sum(amount, stage.won and today() - days(365) <= closed_on <= today()) >= 1000000" in text
    assert desk.found(text) == ["K1"]
    assert desk.found(desk.query(recent)) == ["K1"]


@pytest.mark.mission("CU-38")
def test_a_query_by_communication(desk: Desk) -> None:
    world = desk.world
    world.create("zhangsan", "communication", subject="电话", customer=world.k("K1"))
    world.create("zhangsan", "communication", subject="电话", customer=world.k("K2"), at="2026-01-05T10:00:00+08:00")
    mine = field("owner", "is", world.user("zhangsan"))
    text = desk.query(mine, members("communications", "none", field("at", "last", 30)))
    assert text.endswith("not communications.any(now() - days(30) <= at <= now())")
    assert desk.found(text) == ["K2", "P1"]
    assert desk.found(desk.query(mine, members("communications", "any", field("at", "last", 30)))) == ["K1"]


@pytest.mark.mission("CU-39")
def test_a_query_by_behaviour(desk: Desk) -> None:
    world = desk.world
    for name, days in (("K1", (1, 20)), ("K5", (5, 200)), ("K7", (300, 301, 302))):
        for day in days:
            at = (T0 - timedelta(days=day)).isoformat()
            world.create(None, "behavior_event", customer=world.k(name), kind="click", at=at)
    clicked = [field("kind", "in", "click"), field("at", "last", 90)]
    text = desk.query(members("behaviors", "count", *clicked, compare=("ge", 2)))
    assert text == "behaviors.count(kind == 'click' and now() - days(90) <= at <= now()) >= 2"
    assert desk.found(text) == ["K1"]


@pytest.mark.mission("CU-40")
def test_a_query_by_special_dates_crosses_the_year_and_knows_leap_days(desk: Desk) -> None:
    world = desk.world
    for name, birthday in (("甲", "1990-01-03"), ("乙", "1992-02-29"), ("丙", "1985-06-01")):
        world.create("vp", "customer", name=name, short_name=name, kind="person", birthday=birthday)
    world.update("vp", "customer", world.k("K7"), special_dates=[{"name": "厂庆", "on_date": "2001-01-02"}])
    birthdays = desk.query(field("next_birthday", "next", 7))
    anniversaries = desk.query(members("special_dates", "any", field("next_on", "next", 7)))
    blacklisted = desk.query(field("status", "in", "blacklisted"))
    assert desk.found(blacklisted) == ["K3"]
    try:
        world.clock.set(datetime(2026, 12, 28, 2, tzinfo=UTC))
        assert (desk.found(birthdays), desk.found(anniversaries)) == (["甲"], ["K7"])
        world.clock.set(datetime(2027, 2, 25, 2, tzinfo=UTC))
        assert desk.found(birthdays) == ["乙"]
    finally:
        world.clock.set(T0)
