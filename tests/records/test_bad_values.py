"""Every field type meets what does not belong in it: refused by name, and the database stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import records
from runtime.errors import Refused
from runtime.site import Site
from tests.records.world import content

HOSTILE: list[Any] = [
    "x\x00y", "\ud800", float("nan"), float("inf"), 10**400, -(10**30), {"a": {"b": 1}}, [[1]], object(), b"bytes",
    "'; DROP TABLE account;--",
]  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "name": [True, 3.5e300, ["a"], {"a": 1}, "x" * 101, "a\x07b"],
    "phone": ["not a phone", [1]],
    "email": ["nobody", "a@b@c", "a b@c.de"],
    "stage": ["gone", 7, True, ["new"]],
    "groups": [["gone"], {"a": 1}, [["new"]], 5],
    "parent": ["x", -1, 0, 1.5, True, "1 OR 1=1", 10**20, [1]],
    "friends": [["x"], {"a": 1}, [-1]],
    "owner": ["root", -3, True],
    "employees": ["1.5", "a", 2**53, -1, 1.5, True, "NaN", "1e400"],
    "share": ["x", "NaN", 10**30],
    "active": ["maybe", 2, []],
    "born": ["2026-02-30", "tomorrow-ish", 5, True, "9999999-01-01", "0000-00-00"],
    "met_at": ["2026-13-01T00:00", "x", True],
    "opens": ["25:00", "x"],
    "site": ["javascript:alert(1)", "http://", "x y"],
    "revenue": ["abc", "NaN", "Infinity", 1e30, {"amount": 1, "currency": "XXL"}, [1], True, "9" * 30, -1],
    "cost": ["1 USD"],
    "token": [5, ["x"]],
}


@pytest.mark.attack("N03", "N27", "N38", "N102")
@pytest.mark.parametrize("field", sorted(WRONG))
def test_wrong_values_are_refused_and_nothing_is_written(local: Site, field: str) -> None:
    with local.session(write=True) as session:
        saved = records.create(session, "account", {"name": "fine"})
        before = content(session)
        for value in [*WRONG[field], *(h for h in HOSTILE if not _fits(field, h))]:
            for attempt in (
                lambda v: records.create(session, "account", {"name": "x", field: v}),
                lambda v: records.update(session, "account", saved.id, {field: v}),
                lambda v: records.update(session, "account", saved.id, {field: v}, version=1),
            ):
                with pytest.raises(Refused) as refused:
                    attempt(value)
                assert {p.field for p in refused.value.problems} == {field}, (field, value)
                assert content(session) == before, (field, value)


def _fits(field: str, value: Any) -> bool:
    """Hostile values that are legal there: text fields hold the text of an injection."""
    return isinstance(value, str) and value.startswith("'") and field in ("name", "token")


@pytest.mark.attack("N41")
def test_values_that_look_like_sql_stay_values(local: Site) -> None:
    text = "x'); DROP TABLE account; --"
    with local.session(write=True) as session:
        one = records.create(session, "account", {"name": text, "note": "%_\\'\"", "tax_no": "1 OR 1=1"}).id
        two = records.create(session, "account", {"name": text + "2", "parent": one}).id
        records.update(session, "account", two, {"name": text * 2})
        found = records.read(session, "account", one)
        assert (found.values["name"], found.values["child_count"]) == (text, 1)


@pytest.mark.attack("N102")
@pytest.mark.parametrize("value", ["-1", "1e18", "NaN", -0.01, "101"])
def test_odd_quantities_and_discounts_are_refused(local: Site, value: Any) -> None:
    with local.session(write=True) as session:
        before = content(session)
        quantity, discount = (1, value) if value == "101" else (value, 0)
        bad = {"name": "D", "discount": discount, "lines": [{"item": "a", "quantity": quantity, "price": 1}]}
        with pytest.raises(Refused) as refused:
            records.create(session, "deal", bad)
        assert refused.value.problems[0].field in ("lines.0.quantity", "discount")
        assert content(session) == before
