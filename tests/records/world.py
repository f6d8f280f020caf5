"""A small application that has one of everything the record layer knows, and sites that serve it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from metadata.packages import load_texts, platform
from runtime.clock import FakeClock
from runtime.publishing import publish
from runtime.settings import Settings
from runtime.site import Session, Site
from tests.databases import fill_from, keep_copy

APPLICATION = """
entity: account
title: name
number: {pattern: "A{yyyy}-{seq:4}", field: code}
owner: owner
unit: unit
tree: parent
search: [name, code, phone, note]
fields:
  code: {type: text, unique: true, readonly: true}
  name: {type: text, required: true, max: 100, sort_key: true}
  tax_no: {type: text, unique: true}
  phone: phone
  email: email
  note: long_text
  stage: {type: select, options: stage, default: new, tracked: true}
  groups: {type: multi_select, options: stage}
  parent: {type: link, to: account}
  friends: {type: links, to: account}
  owner: {type: user, default: "=user"}
  unit: {type: link, to: unit, default: "=owner.unit"}
  employees: {type: integer, min: 0}
  share: percent
  active: {type: boolean, default: true}
  born: date
  met_at: datetime
  opens: time
  extra: json
  site: url
  token: secret
  revenue: money
  cost: {type: money, sensitive: true}
  profit: {type: money, formula: "revenue - cost"}
  reason: {type: text, visible_when: "stage == 'lost'", required_when: "stage == 'lost'"}
  limit: {type: money, readonly_when: "stage == 'won'"}
  deals: {type: related, entity: deal, by: account}
  children: {type: related, entity: account, by: parent}
  deal_count: {type: integer, formula: "deals.count()"}
  open_sum: {type: money, formula: "deals.sum(total, not closed)"}
  deal_max: {type: money, formula: "deals.max(total)"}
  best: {type: boolean, formula: "deals.any(total > 1000)"}
  big: {type: boolean, formula: "open_sum > 100"}
  child_count: {type: integer, formula: "children.count()"}
  age_days: {type: integer, formula: "days_between(born, today())"}
checks:
  - {name: positive, must: "revenue is None or revenue >= 0", fields: [revenue], message: {zh: 不能为负, en: Not negative}}
unique: [[name, born]]
---
entity: deal
title: name
owner: owner
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, on_delete: refuse}
  backup: {type: link, to: account, on_delete: clear}
  owner: {type: user, default: "=user"}
  closed: {type: boolean, default: false}
  discount: {type: percent, default: 0, min: 0, max: 100}
  lines: {type: lines, entity: deal_line}
  total: {type: money, formula: "lines.sum(amount) * (100 - coalesce(discount, 0)) / 100"}
  account_name: {type: text, formula: "account.name"}
  account_cost: {type: money, formula: "account.cost", label: Laundered}
  region: {type: lookup, of: account.stage}
---
entity: deal_line
title: item
fields:
  deal: {type: link, to: deal, required: true, on_delete: cascade}
  item: {type: text, required: true}
  quantity: {type: decimal, scale: 2, default: 1, min: 0}
  price: {type: money, default: 0}
  amount: {type: money, formula: "quantity * price"}
---
entity: memo
title: text
fields:
  text: {type: text, required: true}
  deal: {type: link, to: deal, on_delete: cascade}
---
entity: foreign
title: name
currency: currency
fields:
  name: text
  currency: {type: currency, default: USD}
  amount: money
  double: {type: money, formula: "amount * 2"}
---
options: stage
choices:
  new: {zh: 新建, en: New}
  won: {zh: 赢单, en: Won}
  lost: {zh: 输单, en: Lost}
---
role: rep
grants:
  account: {read: [own, shared], create: own, edit: [own, shared], delete: own, export: own}
  deal: {read: own, create: own, edit: own, delete: own}
  memo: {read: all, create: all, edit: all, delete: all}
---
role: lead
grants:
  account: {read: [unit, "=stage == 'won'"], create: all, edit: unit, delete: unit, assign: unit, hide: [note]}
  deal: {read: [unit], create: unit, edit: unit, delete: unit}
---
role: mate
grants:
  account: {read: team, edit: team, create: team, read_only: [revenue]}
  deal: {read: team}
---
role: boss
grants:
  account: {all: all, show: [cost, profit]}
  deal: {all: all, show: [account_cost]}
  "*": {read: all, create: all, edit: all, delete: all, assign: all, export: all}
---
role: above
grants:
  account: {read: subordinates, edit: subordinates}
---
role: nobody
grants: {}
---
role: manager
admin: true
grants: {}
"""


def open_site(url: str, folder: Path, application: str = APPLICATION, clock: Any = None) -> Site:
    """A site with the application published as version 1; nobody in it yet.

    On PostgreSQL, where making the tables takes longest, the third site of an application is a copy of the second.
    """
    settings = Settings(folder=folder, secret_key="k" * 40, database_url=url)
    server = url.startswith("postgresql")
    made = _MADE.setdefault(application, []) if server else []
    if made and made[-1]:
        fill_from(url, made[-1])
        return Site(settings, clock or FakeClock())
    site = Site(settings, clock or FakeClock())
    layers = [platform(), load_texts({"site.yaml": application}, "site")]
    checked = publish.check(layers)
    assert not checked.errors, checked.errors
    publish.publish(site, layers, "1")
    if server:
        if made:
            site.engine.dispose()
        made.append(keep_copy(url) if made else "")
    return site


_MADE: dict[str, list[str]] = {}  # application → "" for its first site, then the name of a copy of its second


def add_user(site: Site, login: str, *roles: str, unit: int | None = None, manager: int | None = None) -> int:
    from runtime import records

    with site.session(write=True) as session:
        lines = [{"role": role} for role in roles]
        values = {"login": login, "name": login.title(), "unit": unit, "manager": manager, "roles": lines}
        return records.create(session, "user", values).id


def content(session: Session) -> str:
    """A hash over every row of every table: equal before and after whatever was refused."""
    digest = hashlib.sha256()
    inspector = sa.inspect(session.connection)
    for name in sorted(inspector.get_table_names()):
        if name.startswith("octavo_search") or name == "sqlite_sequence":
            continue
        quoted = session.connection.dialect.identifier_preparer.quote(name)
        rows = sorted(repr(tuple(row)) for row in session.connection.exec_driver_sql(f"SELECT * FROM {quoted}"))
        digest.update(f"{name}:{rows}".encode())
    return digest.hexdigest()
