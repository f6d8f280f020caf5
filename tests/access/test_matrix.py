"""Every role against every record and operation, judged by an oracle that knows nothing of SQL."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from runtime import records
from runtime.errors import Answer, Forbidden, NotFound
from runtime.query.search import search
from runtime.query.select import Query, parse_where, run
from runtime.security.access import Access
from runtime.site import Site
from tests.records.world import add_user, open_site

SCOPES = ("own", "team", "unit", "subordinates", "shared", "all", "=stage == 'won'", None)
OPERATIONS = ("read", "edit", "delete")


def pairs() -> list[dict[str, str | None]]:
    """Roles in which every pair of (operation, scope), (operation, scope) occurs."""
    wanted = {((a, x), (b, y)) for a, b in itertools.combinations(OPERATIONS, 2) for x in SCOPES for y in SCOPES}
    roles: list[dict[str, str | None]] = []
    for first, second in itertools.product(SCOPES, SCOPES):
        for third in SCOPES:
            role = dict(zip(OPERATIONS, (first, second, third)))
            covered = set(itertools.combinations(role.items(), 2)) & wanted
            if covered and (len(covered) == 3 or third == SCOPES[-1]):
                roles.append(role)
                wanted -= covered
    return roles


ROLES = pairs()


def application() -> str:
    text = """
entity: thing
title: name
owner: owner
unit: unit
search: [name]
fields:
  name: {type: text, required: true}
  stage: {type: select, options: stage, default: new}
  owner: user
  unit: {type: link, to: unit}
  others: {type: related, entity: thing, by: above}
  above: {type: link, to: thing, on_delete: clear}
---
options: stage
choices: {new: New, won: Won}
"""
    for number, role in enumerate(ROLES):
        grants = ", ".join(f'{op}: "{scope}"' for op, scope in role.items() if scope is not None)
        text += f"---\nrole: r{number}\ngrants:\n  thing: {{{grants}}}\n"
    return text


@dataclass
class World:
    site: Site
    units: dict[str, int] = field(default_factory=dict)
    above: dict[int, int | None] = field(default_factory=dict)  # unit -> unit above
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    teams: list[set[int]] = field(default_factory=list)
    things: list[dict[str, Any]] = field(default_factory=list)
    shares: set[tuple[int, int, bool]] = field(default_factory=set)  # thing, person, may edit


def build(site: Site) -> World:
    world = World(site)
    with site.session(write=True) as session:
        for name, up in (("head", None), ("east", "head"), ("shop", "east"), ("west", "head")):
            unit = {"name": name, "parent": world.units.get(up or "")}
            world.units[name] = records.create(session, "unit", unit).id
            world.above[world.units[name]] = unit["parent"]  # type: ignore[assignment]
    for name, unit, manager in (
        ("ceo", "head", None), ("east_lead", "east", "ceo"), ("seller", "shop", "east_lead"),
        ("other", "west", "ceo"), ("loner", None, None),
    ):  # fmt: skip
        chief = world.people[manager]["id"] if manager else None
        number = add_user(site, name, unit=world.units.get(unit or ""), manager=chief)
        world.people[name] = {"id": number, "unit": world.units.get(unit or ""), "manager": chief}
    ids = {name: p["id"] for name, p in world.people.items()}
    with site.session(write=True) as session:
        world.teams.append({ids["seller"], ids["other"]})
        records.create(session, "team", {"name": "T", "members": sorted(world.teams[0])})
        owners = [*ids.values(), None]
        for owner, stage, unit in itertools.product(owners, ("new", "won"), (None, world.units["shop"])):
            values = {"name": f"canary{len(world.things)}", "owner": owner, "stage": stage, "unit": unit}
            saved = records.create(session, "thing", values)
            world.things.append({**values, "id": saved.id})
        for thing, person, edit in ((0, "loner", False), (3, "loner", True), (5, "seller", True)):
            world.shares.add((world.things[thing]["id"], ids[person], edit))
            share = {"entity": "thing", "record": world.things[thing]["id"], "person": ids[person], "may_edit": edit}
            records.create(session, "record_share", share)
    return world


def holds(world: World, scope: str | None, operation: str, person: dict[str, Any], thing: dict[str, Any]) -> bool:
    """The oracle."""
    me = person["id"]
    owner = next((p for p in world.people.values() if p["id"] == thing["owner"]), None)
    if scope is None:
        return False
    if scope == "own":
        return thing["owner"] == me
    if scope == "all":
        return True
    if scope == "shared":
        return any(s[:2] == (thing["id"], me) and (operation == "read" or s[2]) for s in world.shares)
    if scope == "team":
        return any(me in team and thing["owner"] in team for team in world.teams)
    if scope == "unit":
        mine = _below(world.above, person["unit"])
        return thing["unit"] in mine or (owner is not None and owner["unit"] in mine)
    if scope == "subordinates":
        chain = {p["id"]: p["manager"] for p in world.people.values()}
        return thing["owner"] is not None and thing["owner"] != me and thing["owner"] in _below(chain, me)
    return thing["stage"] == "won"


def _below(up: dict[int, int | None], start: int | None) -> set[int]:
    if start is None:
        return set()
    found = {start}
    while more := {i for i, above in up.items() if above in found} - found:
        found |= more
    return found


@pytest.fixture
def world(database_url: str, tmp_path: Any) -> Any:
    site = open_site(database_url, tmp_path, application())
    yield build(site)
    site.close()


@pytest.mark.attack("N01", "N05", "N15", "N96")
def test_every_channel_agrees_with_the_oracle(world: World) -> None:
    for number, role in enumerate(ROLES):
        for name, person in world.people.items():
            with world.site.session(write=True) as session:
                records.update(session, "user", person["id"], {"roles": [{"role": f"r{number}"}]})
            expected = {t["id"] for t in world.things if holds(world, role["read"], "read", person, t)}
            wrong = differences(world, role, person, expected)
            assert not wrong, (role, name, wrong)


def differences(world: World, role: dict[str, str | None], person: dict[str, Any], expected: set[int]) -> list[Any]:
    """Where what the program does differs from the oracle."""
    wrong: list[Any] = []
    with world.site.session(person["id"]) as session:
        if not Access(session).can("thing", "read"):
            return [] if not expected else ["unreadable"]
        listed = {r.id for r in run(session, Query(entity="thing", limit=500)).rows}
        where = parse_where(session, "thing", "starts_with(name, 'canary')")
        counted = run(session, Query(entity="thing", where=(where,), limit=1, count="exact")).count
        found = {h.id for h in search(session, "canary", limit=500)}
        if not (listed == found == expected) or counted != len(expected):
            wrong.append(("read", listed ^ expected, found ^ expected, counted))
    for thing in world.things[::5]:
        for operation in ("edit", "delete"):
            visible = thing["id"] in expected
            allowed = visible and holds(world, role[operation], operation, person, thing)
            answer = attempt(world.site, person["id"], operation, thing["id"])
            wanted = type(None) if allowed else Forbidden if visible else NotFound
            if type(answer) is not wanted:
                wrong.append((operation, thing, answer))
    return wrong


class Undo(Exception):  # noqa: N818
    pass


def attempt(site: Site, user: int, operation: str, record: int) -> Answer | None:
    try:
        with site.session(user, write=True) as session:
            if operation == "edit":
                records.update(session, "thing", record, {"name": "changed"})
            else:
                records.delete(session, "thing", record)
            raise Undo
    except Undo:
        return None
    except Answer as answer:
        return answer


def test_the_oracle_finds_planted_faults(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that finds nothing proves nothing: each wrong predicate must be noticed."""
    site = open_site(f"sqlite:///{tmp_path / 'o.db'}", tmp_path, application())
    world = build(site)
    original = Access._named

    def planted(scope: str) -> Any:
        def named(self: Access, name: str, entity: Any, operation: str, alias: Any) -> Any:
            import sqlalchemy as sa

            if name == scope and entity.name == "thing":
                return sa.true()
            return original(self, name, entity, operation, alias)

        return named

    shared = Access._shared
    for scope in ("own", "team", "unit", "subordinates", "shared"):
        if scope == "shared":  # sharing for reading taken for sharing for editing
            monkeypatch.setattr(Access, "_named", original)
            monkeypatch.setattr(Access, "_shared", lambda self, entity, _, alias: shared(self, entity, "read", alias))
        else:
            monkeypatch.setattr(Access, "_named", planted(scope))
        site.tables.memo.pop(("queries", "select"), None)
        number = next(i for i, r in enumerate(ROLES) if r["edit"] == scope and r["read"] == scope)
        found: list[Any] = []
        for person in world.people.values():
            with site.session(write=True) as session:
                records.update(session, "user", person["id"], {"roles": [{"role": f"r{number}"}]})
            role = ROLES[number]
            expected = {t["id"] for t in world.things if holds(world, role["read"], "read", person, t)}
            found += differences(world, role, person, expected)
        assert found, scope
    site.close()
