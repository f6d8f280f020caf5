"""A site with a canary in every cell: its documents, its people and records, and the same facts as plain data.

Roles are an orthogonal array over GF(8): 64 of them cover every pair of (operation, scope) with (operation, scope),
with every set of field rights and with every person.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from runtime import records
from runtime.files.attachments import upload
from runtime.security import sessions
from runtime.security.tokens import create_token
from runtime.site import Site
from tests.databases import sqlite_url
from tests.records.world import add_user, open_site
from tests.web.conftest import Browser
from web.app import create_app

SCOPES = ("own", "team", "unit", "subordinates", "shared", "all", "=kind == 'open'", None)
PEOPLE = ("ceo", "east_lead", "seller", "other", "loner")
OPERATIONS = ("read", "edit", "delete", "export", "report", "assign", "chest")  # the last: all of the other entity


@dataclass(frozen=True)
class Mode:
    """The field rights of a role: of the entity itself, its lines (`stamp`) and the other entity (`inner`)."""

    hide: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    hide_stamp: bool = False
    hide_inner: bool = False


MODES = (
    Mode(),
    Mode(show=("purse",), hide_stamp=True),
    Mode(hide=("covert",), hide_inner=True),
    Mode(hide=("name",), hide_stamp=True),
    Mode(hide=("up", "letter", "coins")),
    Mode(read_only=("frozen", "note"), hide_stamp=True),
    Mode(hide=("note",), show=("purse",), hide_inner=True),
    Mode(hide=("alias", "peers"), read_only=("name",), hide_stamp=True),
)


@dataclass(frozen=True)
class Role:
    number: int
    scopes: dict[str, str | None]
    mode: Mode
    person: str

    @property
    def name(self) -> str:
        return f"r{self.number}"

    @property
    def creates(self) -> bool:
        """Every role creates and imports, but for half of those that read nothing."""
        return self.scopes["read"] is not None or self.number % 2 == 0


def _times(a: int, b: int) -> int:
    """Multiplication in GF(8)."""
    product = 0
    for bit in range(3):
        if b >> bit & 1:
            product ^= a << bit
    for bit in (4, 3):
        if product >> bit & 1:
            product ^= 0b1011 << (bit - 3)
    return product


def _roles() -> list[Role]:
    found = []
    for number in range(64):
        a, b = divmod(number, 8)
        levels = [a, *(_times(a, k) ^ b for k in range(8))]  # nine columns, any two of which take all 64 pairs
        scopes = {op: SCOPES[level] for op, level in zip(OPERATIONS, levels)}
        found.append(Role(number, scopes, MODES[levels[7]], PEOPLE[levels[8] % len(PEOPLE)]))
    return found


ROLES = _roles()

APPLICATION = """
entity: vault
title: name
owner: owner
unit: unit
search: [name, code, covert]
fields:
  name: {type: text, required: true}
  code: text
  note: long_text
  covert: text
  echo: {type: text, formula: "lower(covert)"}
  frozen: text
  purse: {type: text, sensitive: true}
  alias: text
  kind: {type: select, options: kind, default: open}
  weight: integer
  owner: user
  unit: {type: link, to: unit}
  up: {type: link, to: vault, on_delete: clear}
  peek: {type: lookup, of: up.alias}
  behind: {type: text, formula: "concat(up.alias, '')"}
  uplen: {type: integer, formula: "len(up.frozen)"}
  peers: {type: links, to: vault}
  letter: file
  coins: {type: lines, entity: coin}
  chests: {type: related, entity: chest, by: vault}
---
entity: coin
title: mark
fields:
  vault: {type: link, to: vault, required: true, on_delete: cascade}
  mark: text
  stamp: text
---
entity: chest
title: label
owner: owner
search: [label, inner]
fields:
  label: {type: text, required: true}
  inner: text
  owner: user
  kind: {type: select, options: kind, default: open}
  vault: {type: link, to: vault, on_delete: clear}
---
options: kind
choices: {open: Open, closed: Closed}
---
list: vault
columns:
  - name
  - code
  - note
  - covert
  - echo
  - frozen
  - purse
  - alias
  - up
  - up.code
  - up.covert
  - peek
  - letter
  - owner
  - {field: weight, total: sum}
sort: [name]
filters: [kind, up, owner]
page_size: 100
views:
  - {name: open, label: Open, where: "kind == 'open'"}
  - {name: hot, label: Hot, where: "contains(covert, 'ember')"}
  - {name: sorted, label: Sorted, sort: [-covert]}
highlight: [{when: "contains(covert, 'ember')", as: warning}]
---
list: chest
columns: [label, inner, vault, vault.covert]
sort: [label]
---
report: sums
from: vault
group: [kind]
measures: {n: "count()", w: "sum(weight)"}
---
report: rows
from: vault
columns: [name, covert, up, up.code, weight]
sort: [name]
---
report: by_up
from: vault
group: [up]
measures: {w: "sum(weight)"}
---
report: by_covert
from: vault
group: [covert]
measures: {w: "sum(weight)"}
---
report: where_covert
from: vault
where: "covert is not None"
group: [kind]
measures: {w: "sum(weight)"}
---
report: chests_of
from: chest
group: [{path: vault.covert, name: behind}]
measures: {n: "count()"}
"""
FIELDS = ("name", "code", "note", "covert", "frozen", "purse", "alias")  # texts that hold a canary of their own


def role_text(role: Role) -> str:
    """The role as a document."""
    operations = [f'{op}: "{role.scopes[op]}"' for op in OPERATIONS[:6] if role.scopes[op] is not None]
    mode = role.mode
    listed = [f"{word}: [{', '.join(names)}]" for word, names in _words(mode) if names]
    operations += ["create: all", "import: all"] if role.creates else []
    grants = [f"  vault: {{{', '.join([*operations, *listed])}}}"]
    if mode.hide_stamp:
        grants.append("  coin: {hide: [stamp]}")
    if role.scopes["chest"] is not None:
        inner = ", hide: [inner]" if mode.hide_inner else ""
        scope = role.scopes["chest"]
        grants.append(f'  chest: {{read: "{scope}", export: "{scope}", report: "{scope}"{inner}}}')
    return f"---\nrole: {role.name}\ngrants:\n" + "\n".join(grants) + "\n"


def _words(mode: Mode) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("hide", mode.hide), ("read_only", mode.read_only), ("show", mode.show)


def canary(kind: str, number: int) -> str:
    return f"zq{kind}{number:03}x"


WORDS = {"name": "lantern", "covert": "ember", "code": "pebble"}  # searched for


@dataclass
class World:
    """The site, and the facts about it that the oracle judges by. Records are known by their place in `vaults`."""

    site: Site
    app: Flask
    units: dict[str, int] = field(default_factory=dict)
    above: dict[int, int | None] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    team: set[int] = field(default_factory=set)
    vaults: list[dict[str, Any]] = field(default_factory=list)
    chests: list[dict[str, Any]] = field(default_factory=list)
    shares: dict[tuple[int, int], bool] = field(default_factory=dict)  # (place, person) -> may edit
    browsers: dict[str, Browser] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    worn: dict[str, str] = field(default_factory=dict)  # person -> role

    @property
    def living(self) -> list[int]:
        return [n for n, v in enumerate(self.vaults) if not v["deleted"]]

    def wear(self, role: Role) -> None:
        """Gives the role's person this role alone."""
        if self.worn.get(role.person) == role.name:
            return
        self.worn[role.person] = role.name
        with self.site.session(write=True) as session:
            records.update(session, "user", self.people[role.person]["id"], {"roles": [{"role": role.name}]})

    def forget(self) -> None:
        """Drops what was prepared, so that a planted fault is not hidden by what is kept."""
        self.site.tables.memo.clear()
        self.site.cache.clear()


def content(site: Site) -> dict[str, int]:
    """A hash of every table but those of sessions and tokens."""
    skipped = ("octavo_session", "octavo_token", "octavo_search", "sqlite_", "octavo_idempotency")
    found: dict[str, int] = {}
    with site.session() as session:
        for name in sa.inspect(session.connection).get_table_names():
            if not name.startswith(skipped):
                rows = session.connection.exec_driver_sql(f'SELECT * FROM "{name}"')
                found[name] = hash(tuple(sorted(map(repr, rows))))
    return found


def build(folder: Path, url: str = "") -> World:
    site = open_site(url or sqlite_url(folder), folder, APPLICATION + "".join(map(role_text, ROLES)))
    world = World(site, create_app(site, testing=True))
    _people(world)
    _vaults(world)
    _chests(world)
    for name, person in world.people.items():
        world.browsers[name], world.tokens[name] = enter(site, world.app, person["id"])
    return world


def _people(world: World) -> None:
    with world.site.session(write=True) as session:
        for name, up in (("head", None), ("east", "head"), ("shop", "east"), ("west", "head")):
            above = world.units.get(up or "")
            world.units[name] = records.create(session, "unit", {"name": name, "parent": above}).id
            world.above[world.units[name]] = above
    for name, unit, manager in (
        ("ceo", "head", None), ("east_lead", "east", "ceo"), ("seller", "shop", "east_lead"),
        ("other", "west", "ceo"), ("loner", None, None),
    ):  # fmt: skip
        chief = world.people[manager]["id"] if manager else None
        number = add_user(world.site, name, unit=world.units.get(unit or ""), manager=chief)
        world.people[name] = {"id": number, "unit": world.units.get(unit or ""), "manager": chief}
    world.team = {world.people["seller"]["id"], world.people["other"]["id"]}
    with world.site.session(write=True) as session:
        records.create(session, "team", {"name": "T", "members": sorted(world.team)})


def _vaults(world: World) -> None:
    owners = [*(p["id"] for p in world.people.values()), None]
    plain = [(owner, kind) for owner in owners for kind in ("open", "closed")]
    shop = world.units["shop"]
    with world.site.session(write=True) as session:
        for place, (owner, kind) in enumerate([*plain, (owners[2], "open"), (owners[0], "closed")]):
            values: dict[str, Any] = {f: f"{canary(f, place)} {WORDS.get(f, '')}".strip() for f in FIELDS}
            values |= {"kind": kind, "owner": owner, "unit": shop if kind == "closed" else None, "weight": 1 << place}
            body = io.BytesIO(canary("body", place).encode())
            letter = upload(session, body, canary("letter", place) + ".txt")
            line = {"mark": canary("mark", place), "stamp": canary("stamp", place)}
            saved = records.create(session, "vault", values | {"letter": letter, "coins": [line], "note": None})
            deleted = place >= len(plain)
            world.vaults.append({**values, "id": saved.id, "letter": letter, "deleted": deleted})
        for place, vault in enumerate(world.vaults):
            vault["up"], vault["peers"] = (place * 5 + 3) % len(plain), [(place + 1) % 12, (place + 7) % 12]
            change = {"note": canary("old", place), "up": world.vaults[vault["up"]]["id"]}
            change["peers"] = [world.vaults[p]["id"] for p in vault["peers"]]
            records.update(session, "vault", vault["id"], change)
            records.update(session, "vault", vault["id"], {"note": vault["note"]})
            table = session.table("vault")
            session.connection.execute(
                sa.update(table).where(table.c.id == vault["id"]).values(updated_by=vault["owner"])
            )
            if vault["deleted"]:
                records.delete(session, "vault", vault["id"])
        for place, person, edit in ((1, "loner", False), (3, "loner", True), (6, "seller", True), (0, "other", True)):
            share = {"entity": "vault", "record": world.vaults[place]["id"], "person": world.people[person]["id"]}
            records.create(session, "record_share", share | {"may_edit": edit})
            world.shares[place, world.people[person]["id"]] = edit


def _chests(world: World) -> None:
    people = [p["id"] for p in world.people.values()]
    with world.site.session(write=True) as session:
        for place in world.living:
            label = f"{canary('label', place)} lantern"
            kind = "open" if place % 3 else "closed"
            values = {"label": label, "inner": f"{canary('inner', place)} ember", "kind": kind}
            values |= {"owner": people[place % 5], "vault": world.vaults[place]["id"]}
            world.chests.append(values | {"id": records.create(session, "chest", values).id})


def enter(site: Site, app: Flask, number: int) -> tuple[Browser, str]:
    """A signed-in browser and a token, without the slow password check."""
    with site.session(write=True) as session:
        token = create_token(session, number, "test")
        cookie = sessions._open(session, number, "127.0.0.1", "test")
    client = app.test_client()
    client.set_cookie(sessions.COOKIE, cookie, domain="localhost")
    browser = Browser(client)
    browser.get("/profile")
    return browser, token
