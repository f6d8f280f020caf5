"""Seeded rows for the benchmark: the same values for both sides."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

FIRST = [
    "华东",
    "远大",
    "星海",
    "零件",
    "长江",
    "东方",
    "金桥",
    "天成",
    "恒信",
    "瑞丰",
    "凯达",
    "海纳",
    "新源",
    "泰和",
    "博雅",
    "宏图",
]
SECOND = [
    "制造",
    "贸易",
    "科技",
    "软件",
    "物流",
    "机械",
    "电子",
    "食品",
    "医药",
    "建材",
    "能源",
    "咨询",
    "服装",
    "教育",
]
CITIES = ["上海", "北京", "深圳", "广州", "杭州", "南京", "苏州", "成都", "武汉", "西安", "天津", "重庆"]
KINDS = ["company", "person", "agency", "partner"]
OWNERS = 1000


def owner_names() -> list[str]:
    chosen = random.Random(7)
    return [
        f"{chosen.choice('赵钱孙李周吴郑王冯陈')}{chosen.choice('伟芳娜敏静强磊洋艳勇')}{n:04d}" for n in range(OWNERS)
    ]


def rows(count: int, seed: int = 11) -> Iterator[dict[str, Any]]:
    """Values by field name; `owner_ref` counts from 1."""
    chosen = random.Random(seed)
    for n in range(count):
        yield {
            "name": f"{chosen.choice(FIRST)}{chosen.choice(SECOND)}{n:07d}有限公司",
            "code": f"B{n:08d}",
            "kind": chosen.choice(KINDS),
            "owner_ref": chosen.randint(1, OWNERS),
            "revenue": Decimal(chosen.randint(10_000, 90_000_000_00)) / 100,
            "employees": chosen.randint(1, 20_000),
            "discount": Decimal(chosen.randint(0, 300)) / 10,
            "founded": date(1990, 1, 1) + timedelta(days=chosen.randint(0, 12_000)),
            "active": chosen.random() < 0.8,
            "phone": f"1{chosen.randint(3_000_000_000, 9_999_999_999)}",
            "city": chosen.choice(CITIES),
            "notes": "年度框架合作，按季度结算。" * chosen.randint(0, 4) or None,
        }
