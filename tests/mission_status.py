"""docs/mission-status.md from a test run: which rows of the mission have a test that passed.

A test says which rows it carries with `@pytest.mark.mission("CU-16")`. A row counts where all of its tests passed in
this run; one with a failed or skipped test does not.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

ROWS = Path(__file__).parent / "acceptance" / "mission_rows.csv"
AREAS = {
    "CU": "客户 Customers", "LD": "线索 Leads", "MK": "营销 Marketing", "EM": "电子邮件营销 E-mail", "BU": "预算 Budgets",
    "SA": "销售计划 Sales planning", "OP": "商机 Opportunities", "QU": "报价 Quotes", "OR": "订单 Orders",
    "CT": "合同 Contracts", "CO": "佣金 Commission", "RV": "收入 Revenue", "IN": "销售单 Invoices", "PR": "产品 Products",
    "ST": "库存 Stock", "BO": "BOM", "ME": "会员 Members", "AN": "分析 Analysis", "EX": "费用 Expenses",
    "KB": "知识库 Knowledge", "SV": "调查 Surveys", "DS": "首页 Dashboards", "AD": "管理 Administration",
}  # fmt: skip
_outcomes: dict[str, dict[str, str]] = defaultdict(dict)  # mission id -> test -> outcome


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mission-status", metavar="FILE", help="write which mission rows have passing tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        ids = [str(row) for mark in item.iter_markers("mission") for row in mark.args]
        if ids:
            item.user_properties.append(("mission", " ".join(ids)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, ids in report.user_properties:
        if name == "mission":
            for row in str(ids).split():
                if report.outcome != "passed" or report.when == "call":
                    known = _outcomes[row].get(report.nodeid, "passed")
                    _outcomes[row][report.nodeid] = report.outcome if known == "passed" else known


def pytest_sessionfinish(session: pytest.Session) -> None:
    file = session.config.getoption("--mission-status")
    if file and not hasattr(session.config, "workerinput"):
        Path(file).write_text(text(_outcomes), encoding="utf-8")


def text(outcomes: dict[str, dict[str, str]]) -> str:
    """The page: a line per area, then the rows that work with the tests that show it."""
    rows = list(csv.DictReader(ROWS.read_text("utf-8").splitlines()))
    working = {row for row, tests in outcomes.items() if tests and set(tests.values()) == {"passed"}}
    lines = ["# What of the mission works", "", "Written by `make mission-status` from a whole test run.", ""]
    lines += [f"**{len(working)} of {len(rows)} rows**", "", "| area | rows | working |", "| --- | ---: | ---: |"]
    for area, label in AREAS.items():
        ids = [row["id"] for row in rows if row["id"].startswith(area)]
        lines.append(f"| {area} {label} | {len(ids)} | {len(working & set(ids))} |")
    lines += ["", "| id | 中文 | English | shown by |", "| --- | --- | --- | --- |"]
    for row in rows:
        if row["id"] in working:
            tests = ", ".join(sorted(f"`{name.rpartition('::')[2]}`" for name in outcomes[row["id"]]))
            lines.append(f"| {row['id']} | {row['zh']} | {row['en']} | {tests} |")
    failing = sorted(row for row in outcomes if row not in working)
    if failing:
        lines += ["", f"With a test that failed or was skipped in this run: {', '.join(failing)}"]
    return "\n".join(lines) + "\n"
