"""Answers of queries and records beyond the core ones."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "bad_cursor": {
            "zh": "分页标记无效，请从第一页开始。",
            "en": "The page mark is not valid; start at the first page.",
        },
        "bad_page": {"zh": "页码或每页行数超出范围。", "en": "The page number or the page size is out of range."},
        "not_groupable": {"zh": "字段“{field}”不能用于分组。", "en": "The field “{field}” cannot be grouped by."},
    }
)
