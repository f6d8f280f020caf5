"""A site with a small application of its own, its people, and sessions on behalf of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from metadata.packages import load_texts, platform
from runtime.clock import FakeClock
from runtime.publishing.publish import publish
from runtime.settings import throwaway_settings
from runtime.site import Site

APPLICATION = """
entity: firm
label: {zh: 企业, en: Firm}
title: name
owner: owner
fields:
  name:     {type: text, required: true, max: 100, label: {zh: 企业名称, en: Name}}
  code:     {type: text, unique: true, max: 20, label: {zh: 编号, en: Code}}
  kind:     {type: select, options: firm_kind, label: {zh: 类型, en: Kind}}
  tags:     {type: multi_select, options: firm_tag, label: {zh: 标签, en: Tags}}
  region:   {type: link, to: area, label: {zh: 地区, en: Region}}
  owner:    {type: user, default: "=user", label: {zh: 负责人, en: Owner}}
  parent:   {type: link, to: firm, label: {zh: 上级, en: Parent}}
  phone:    {type: phone, label: {zh: 电话, en: Phone}}
  email:    {type: email, label: {zh: 邮箱, en: E-mail}}
  revenue:  {type: money, min: 0, label: {zh: 年营业额, en: Revenue}}
  discount: {type: percent, min: 0, max: 100, label: {zh: 折扣率, en: Discount}}
  staff:    {type: integer, min: 0, label: {zh: 员工人数, en: Staff}}
  weight:   {type: decimal, scale: 3, label: {zh: 权重, en: Weight}}
  founded:  {type: date, label: {zh: 成立日期, en: Founded}}
  met_at:   {type: datetime, label: {zh: 会面时间, en: Met at}}
  active:   {type: boolean, label: {zh: 启用, en: Active}}
  notes:    {type: long_text, label: {zh: 备注, en: Notes}}
  salary:   {type: money, sensitive: true, label: {zh: 薪资, en: Salary}}
  grade:    {type: text, readonly: true, label: {zh: 等级, en: Grade}}
  logo:     {type: image, label: {zh: 标志, en: Logo}}
  double:   {type: integer, formula: "staff * 2", label: {zh: 两倍, en: Double}}
checks:
  - {name: staffed, must: "not (kind == 'person') or staff is None or staff <= 1", message: {zh: 个人不能有员工, en: A person has no staff}}
---
options: firm_kind
choices:
  company: {zh: 企业, en: Company}
  person: {zh: 个人, en: Person}
---
options: firm_tag
choices:
  key: {zh: 重点, en: Key}
  vip: {zh: 贵宾, en: VIP}
---
entity: area
label: {zh: 地区, en: Area}
title: name
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
---
entity: item
label: {zh: 产品, en: Product}
title: name
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
---
entity: deal
label: {zh: 订单, en: Deal}
title: name
owner: owner
fields:
  name:  {type: text, required: true, label: {zh: 主题, en: Subject}}
  firm:  {type: link, to: firm, label: {zh: 客户, en: Customer}}
  owner: {type: user, default: "=user", label: {zh: 负责人, en: Owner}}
  notes: {type: text, label: {zh: 备注, en: Notes}}
  lines: {type: lines, entity: deal_line, combine: {same: [item, text], sum: [quantity]}, label: {zh: 明细, en: Lines}}
  total: {type: money, formula: "lines.sum(quantity * price)", label: {zh: 合计, en: Total}}
---
entity: deal_line
label: {zh: 订单明细, en: Deal line}
fields:
  deal:     {type: link, to: deal, required: true, on_delete: cascade}
  item:     {type: link, to: item, label: {zh: 产品, en: Product}}
  text:     {type: text, label: {zh: 说明, en: Text}}
  quantity: {type: decimal, scale: 2, required: true, min: 0, label: {zh: 数量, en: Quantity}}
  price:    {type: money, min: 0, label: {zh: 单价, en: Price}}
  cost:     {type: money, sensitive: true, label: {zh: 成本, en: Cost}}
---
role: seller
label: {zh: 销售, en: Seller}
grants:
  firm: {read: own, create: own, edit: own, import: all, export: own}
  area: {read: all}
  item: {read: all}
  deal: {read: own, create: own, edit: own, import: all, delete: own}
  user: {read: all}
---
role: reader
label: {zh: 只读, en: Reader}
grants:
  firm: {read: all}
"""
ITEMS = [("软件许可", "S1"), ("台式机", "H1"), ("培训", "T1")]
AREAS = [("华南", "south"), ("华东", "east"), ("华北", "north")]


def make_site(folder: Path, url: str) -> Site:
    site = Site(throwaway_settings(folder, database_url=url, sqlite_synchronous="OFF"), FakeClock())
    layer = load_texts({"entities/firm.yaml": APPLICATION}, "site")
    publish(site, [platform(), layer])
    with site.session(write=True) as session:
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        people = [
            {"login": n, "name": t, "status": "active"}
            for n, t in (("alice", "王芳"), ("bob", "李雷"), ("carl", "韩梅"))
        ]
        session.connection.execute(sa.insert(session.table("user")), [p | stamp for p in people])
        roles = [(1, "seller"), (2, "seller"), (3, "reader")]
        session.connection.execute(
            sa.insert(session.table("user_role")),
            [{"holder": u, "role": r, "position": 1} | stamp for u, r in roles],
        )
        session.connection.execute(sa.insert(session.table("area")), [{"name": n, "code": c} | stamp for n, c in AREAS])
        session.connection.execute(sa.insert(session.table("item")), [{"name": n, "code": c} | stamp for n, c in ITEMS])
    return site


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path, database_url)
    yield made
    made.close()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Site]:
    """On SQLite alone, for what does not depend on the database."""
    made = make_site(tmp_path, f"sqlite:///{tmp_path / 'octavo.db'}")
    yield made
    made.close()
