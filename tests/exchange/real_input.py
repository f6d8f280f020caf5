"""Real input, seeded: thousands of rows as offices keep them, some wrong in a known way."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑"
PLACES = ["深圳", "广州", "东莞", "上海", "苏州", "杭州", "北京", "天津", "青岛", "成都"]
TRADES = ["零件制造", "精密仪器", "食品", "纺织", "软件", "物流", "建材", "医疗器械", "新能源", "餐饮管理"]
HEADER = ["企业名称*", "编号", "类型", "标签", "地区", "负责人.login", "电话", "邮箱", "年营业额", "折扣率", "员工人数",
          "成立日期", "会面时间", "启用", "备注", "来源表"]  # fmt: skip
# What is wrong with a row -> (column, spoilt cell, code of the reason)
MISTAKES = {
    "phone": ("电话", "1391234", "value.not_a_phone"),
    "date": ("成立日期", "2025年2月29日", "value.no_such_date"),
    "order": ("成立日期", "3/4/2026", "value.not_a_date"),
    "money": ("年营业额", "一百万", "value.not_a_number"),
    "currency": ("年营业额", "USD 500", "value.other_currency"),
    "negative": ("年营业额", "-5", "value.too_small"),
    "percent": ("折扣率", "101%", "value.too_large"),
    "choice": ("类型", "公司型", "value.unknown_choice"),
    "tag": ("标签", "重点；没有", "value.unknown_choice"),
    "link": ("地区", "火星", "value.unknown_record"),
    "person": ("负责人.login", "nobody", "value.unknown_record"),
    "email": ("邮箱", "不是邮箱", "value.not_an_email"),
    "boolean": ("启用", "也许", "value.not_a_boolean"),
    "integer": ("员工人数", "5.5", "value.not_an_integer"),
    "required": ("企业名称*", "", "required"),
    "long": ("企业名称*", "长" * 101, "value.too_long"),
}


@dataclass
class Book:
    """Rows and the answer: which rows (as numbered in the file) are refused, and why."""

    rows: list[list[str]]
    wrong: dict[int, tuple[str, str]] = field(default_factory=dict)  # row -> (column, code)

    @property
    def right(self) -> int:
        return len(self.rows) - len(self.wrong)

    def write(self, path: Path, encoding: str) -> Path:
        with path.open("w", encoding=encoding, newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(HEADER)
            writer.writerows(self.rows)
        return path


def spellings(dice: random.Random, number: int) -> Iterator[str]:
    """The cells of one sound row, each spelt in one of the ways people do."""
    place, trade = dice.choice(PLACES), dice.choice(TRADES)
    yield f"{place}市{dice.choice(SURNAMES)}氏{trade}有限公司{number}"
    yield f"F{number:06d}"
    yield dice.choice(["企业", "company", "Company", "个人", ""])
    yield dice.choice(["", "重点", "重点；贵宾", "vip, key"])
    yield dice.choice(["华南", "east", "华北", ""])
    yield dice.choice(["alice", "bob", ""])
    mobile = f"13{dice.randrange(10**9):09d}"
    yield dice.choice(
        [mobile, f"+86 {mobile[:3]}-{mobile[3:7]}-{mobile[7:]}", f"0755-{dice.randrange(20000000, 89999999)}", ""]
    )
    yield dice.choice(["", f"Wang{number}@Example.com"])
    amount = dice.randrange(1, 10**7)
    yield dice.choice([f"¥{amount:,}.50", f"{amount}", f"{amount:,}", f"￥{amount}", "１２３４", "1.5万"])
    yield dice.choice(["12.5%", "5", ""])
    yield dice.choice(["0", "1", ""])
    day = f"{dice.randrange(1990, 2026)}", dice.randrange(1, 13), dice.randrange(1, 29)
    yield dice.choice(["{}-{:02d}-{:02d}", "{}/{}/{}", "{}年{}月{}日"]).format(*day)
    yield dice.choice(["2026-03-16 14:30", "2026年3月16日 下午2:30", ""])
    yield dice.choice(["是", "否", "TRUE", "1", ""])
    yield dice.choice(["", "老客户，要跟进", '他说:"好"\n第二行', "=HYPERLINK(1)"])
    yield "表一"


def make_book(count: int, seed: int, one_wrong_in: int = 20) -> Book:
    """`count` rows, every `one_wrong_in`-th or so with one mistake."""
    dice = random.Random(seed)
    book = Book(rows=[list(spellings(dice, number)) for number in range(count)])
    for index in dice.sample(range(count), count // one_wrong_in):
        column, cell, code = MISTAKES[dice.choice(list(MISTAKES))]
        book.rows[index][HEADER.index(column)] = cell
        book.wrong[index + 2] = (column, code)
    return book
