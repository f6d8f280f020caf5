"""Random expressions of a given type, as text: what an author could write."""

from __future__ import annotations

import random
from collections.abc import Callable

SCOPES = {
    "account": {
        "integer": ["size", "points", "owner.level", "parent.size", "stage.order", "id", "owner.id"],
        "number": [
            "size",
            "points",
            "rate",
            "price",
            "revenue",
            "share",
            "parent.revenue",
            "owner.level",
            "stage.weight",
            "owner_unit.budget",
            "parent.rate",
        ],
        "text": ["name", "note", "owner.name", "parent.note", "parent.owner.unit.name", "stage"],
        "boolean": ["active", "vip", "parent.active", "stage.closed", "before.closed"],
        "date": ["born", "due", "owner.joined", "parent.due", "params.day"],
        "datetime": ["seen", "opened", "parent.seen", "now()"],
        "record": ["owner", "parent.owner", "user", "params.who"],
        "unit": ["owner.unit", "owner_unit", "user.unit"],
        "select": ["stage", "before", "parent.stage"],
        "time": ["opens", "parent.opens"],
    },
    "item": {
        "integer": ["count", "position"],
        "number": ["quantity", "price", "count", "account.revenue"],
        "text": ["name", "account.name"],
        "boolean": ["done", "kind.closed"],
        "date": ["on", "account.born"],
        "datetime": ["account.seen"],
        "record": ["account.owner", "user"],
        "unit": ["account.owner.unit"],
        "select": ["account.stage"],
        "time": ["account.opens"],
    },
    "deal": {
        "integer": ["score", "stage.order"],
        "number": ["score", "stage.weight"],
        "text": ["name", "currency", "seller.name"],
        "boolean": ["stage.closed", "account.active"],
        "date": ["closed_on"],
        "datetime": ["account.seen"],
        "record": ["seller", "user"],
        "unit": ["seller.unit"],
        "select": ["stage", "account.before"],
        "time": ["account.opens"],
    },
    "user": {
        "integer": ["level"],
        "number": ["level", "unit.budget"],
        "text": ["name"],
        "boolean": ["level > 3"],
        "date": ["joined"],
        "datetime": ["now()"],
        "record": ["user"],
        "unit": ["unit"],
        "select": [],
        "time": [],
    },
}
COLLECTIONS = {"account": {"items": "item", "deals": "deal", "friends": "user"}, "item": {}, "deal": {}, "user": {}}
WORDS = [
    "''",
    "'a'",
    "'ABC'",
    "'深圳'",
    "'ss'",
    "'ß'",
    "'İ'",
    "'ς'",
    "'12.5'",
    "' x'",
    "'%'",
    "'_'",
    "'won'",
    "'é'",
    "'1'",
]
NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "100",
    "0.5",
    "1.25",
    "0.005",
    "12.3456",
    "1000000",
    "0.0000000001",
    "9007199254740991",
]


class Generator:
    """Draws expressions. `scope` is the entity of bare names, `outer` that of `this`."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def expression(self) -> str:
        kinds: list[Callable[[int, str, str | None], str]] = [
            self.boolean, self.boolean, self.boolean, self.number, self.number, self.integer, self.text, self.date, self.datetime
        ]  # fmt: skip
        return self._pick(kinds)(self.random.choice([1, 2, 2, 3, 3, 4]), "account", None)

    def _pick(self, choices: list):  # type: ignore[no-untyped-def, type-arg]
        return self.random.choice(choices)

    def leaf(self, kind: str, scope: str, outer: str | None) -> str:
        names = SCOPES[scope][kind]
        if outer and SCOPES[outer][kind] and self.random.random() < 0.25:
            name = self._pick(SCOPES[outer][kind])
            return name if "(" in name or name.startswith(("user", "params")) or " " in name else f"this.{name}"
        if (kind == "number" and self.random.random() < 0.4) or not names:
            return (
                self._pick(NUMBERS)
                if kind in ("number", "integer")
                else self._pick(SCOPES["account"][kind] if not outer else names or ["now()"])
            )
        return self._pick(names)

    def integer(self, depth: int, scope: str, outer: str | None) -> str:
        if depth <= 0:
            return (
                self._pick(["0", "1", "2", "-3", "5", "31", "400"])
                if self.random.random() < 0.3
                else self.leaf("integer", scope, outer)
            )
        d = depth - 1
        forms = [
            lambda: (
                f"({self.integer(d, scope, outer)} {self._pick(['+', '-', '*', '//', '%'])} {self.integer(d, scope, outer)})"
            ),
            lambda: f"({self.number(d, scope, outer)} // {self.number(d, scope, outer)})",
            lambda: f"-{self.integer(d, scope, outer)}" if d else "-2",
            lambda: f"{self._pick(['floor', 'ceil'])}({self.number(d, scope, outer)})",
            lambda: f"len({self.text(d, scope, outer)})",
            lambda: f"{self._pick(['year', 'quarter', 'month', 'day', 'weekday'])}({self._day(d, scope, outer)})",
            lambda: (
                f"{self._pick(['days_between', 'months_between', 'workdays_between'])}({self._day(d, scope, outer)}, {self._day(d, scope, outer)})"
            ),
            lambda: f"({self.date(d, scope, outer)} - {self.date(d, scope, outer)})",
            lambda: f"{self._pick(['min', 'max'])}({self.integer(d, scope, outer)}, {self.integer(d, scope, outer)})",
            lambda: f"abs({self.integer(d, scope, outer)})",
            lambda: f"coalesce({self.integer(d, scope, outer)}, {self.integer(d, scope, outer)})",
            lambda: (
                f"({self.integer(d, scope, outer)} if {self.boolean(d, scope, outer)} else {self.integer(d, scope, outer)})"
            ),
        ]
        collections = self._collections(d, scope)
        if collections:
            forms += [lambda: self._aggregate(d, scope, "integer"), lambda: self._count(d, scope)]
        return self._pick(forms)()

    def number(self, depth: int, scope: str, outer: str | None) -> str:
        if depth <= 0:
            return self.leaf("number", scope, outer)
        d = depth - 1
        forms = [
            lambda: (
                f"({self.number(d, scope, outer)} {self._pick(['+', '-', '/', '%'])} {self.number(d, scope, outer)})"
            ),
            lambda: f"({self.number(d, scope, outer)} * {self.integer(d, scope, outer)})",
            lambda: f"({self.leaf('integer', scope, outer)} * {self.number(d, scope, outer)})",
            lambda: f"({self._rate(scope)} * {self._rate(scope)})",
            lambda: f"-{self.leaf('number', scope, outer)}",
            lambda: f"workhours_between({self.datetime(d, scope, outer)}, {self.datetime(d, scope, outer)})",
            lambda: f"round({self.number(d, scope, outer)}, {self._pick([0, 1, 2, 4, 10])})",
            lambda: f"round({self.number(d, scope, outer)})",
            lambda: f"abs({self.number(d, scope, outer)})",
            lambda: f"number({self.text(d, scope, outer)})",
            lambda: f"number({self.number(d, scope, outer)})",
            lambda: (
                f"{self._pick(['min', 'max'])}({self.number(d, scope, outer)}, {self.number(d, scope, outer)}, {self.number(0, scope, outer)})"
            ),
            lambda: f"coalesce({self.number(d, scope, outer)}, {self.number(d, scope, outer)})",
            lambda: (
                f"({self.number(d, scope, outer)} if {self.boolean(d, scope, outer)} else {self.number(d, scope, outer)})"
            ),
            lambda: f"({self.number(d, scope, outer)} if {self.boolean(d, scope, outer)} else None)",
            lambda: self.integer(d, scope, outer),
        ]
        if scope == "account":
            forms.append(lambda: f"convert(revenue, '{self._pick(['USD', 'CNY', 'EUR'])}')")
        if self._collections(d, scope):
            forms += [lambda: self._aggregate(d, scope, "number"), lambda: self._aggregate(d, scope, "number")]
        return self._pick(forms)()

    def _rate(self, scope: str) -> str:
        return {"account": self._pick(["rate", "share", "stage.weight", "0.123456789"]), "item": "quantity"}.get(
            scope, "1.5"
        )

    def text(self, depth: int, scope: str, outer: str | None) -> str:
        if depth <= 0:
            return self._pick(WORDS) if self.random.random() < 0.3 else self.leaf("text", scope, outer)
        d = depth - 1
        forms = [
            lambda: f"({self.text(d, scope, outer)} + {self.text(d, scope, outer)})",
            lambda: f"{self._pick(['lower', 'upper', 'trim', 'text'])}({self.text(d, scope, outer)})",
            lambda: f"concat({self.text(d, scope, outer)}, {self.text(0, scope, outer)}, {self.text(0, scope, outer)})",
            lambda: f"text({self.number(d, scope, outer)})",
            lambda: f"text({self.date(d, scope, outer)})",
            lambda: f"text({self.leaf('datetime', scope, outer)})",
            lambda: (
                f"{self._pick(['min', 'max'])}({self.leaf('text', 'user', None) if scope == 'user' else self._plain(scope)}, {self._pick(WORDS)})"
            ),
            lambda: f"coalesce({self.text(d, scope, outer)}, {self._pick(WORDS)})",
            lambda: (
                f"({self.text(d, scope, outer)} if {self.boolean(d, scope, outer)} else {self.text(d, scope, outer)})"
            ),
        ]
        if self._collections(d, scope):
            forms.append(lambda: self._aggregate(d, scope, "text"))
        return self._pick(forms)()

    def _plain(self, scope: str) -> str:
        return self._pick(["name", "note"] if scope == "account" else ["name"])

    def _day(self, depth: int, scope: str, outer: str | None) -> str:
        """A date, or a datetime where one does as well."""
        return self.leaf("datetime", scope, outer) if self.random.random() < 0.2 else self.date(depth, scope, outer)

    def date(self, depth: int, scope: str, outer: str | None) -> str:
        if depth <= 0:
            return "today()" if self.random.random() < 0.15 else self.leaf("date", scope, outer)
        d = depth - 1
        forms = [
            lambda: f"({self.date(d, scope, outer)} {self._pick(['+', '-'])} days({self.integer(d, scope, outer)}))",
            lambda: f"({self.date(d, scope, outer)} {self._pick(['+', '-'])} months({self.integer(d, scope, outer)}))",
            lambda: (
                f"date({self._pick(['2024', '2023', self.integer(d, scope, outer)])}, {self._pick(['2', '12', self.integer(d, scope, outer)])}, {self._pick(['29', '31', '1', self.integer(d, scope, outer)])})"
            ),
            lambda: f"date({self._pick([self.datetime, self.datetime, self.date])(d, scope, outer)})",
            lambda: (
                f"{self._pick(['start_of', 'end_of'])}({self._day(d, scope, outer)}, '{self._pick(['day', 'week', 'month', 'quarter', 'year'])}')"
            ),
            lambda: (
                f"add_workdays({self._day(0, scope, outer)}, {self._pick(['3', '-4', '0', '20', self.leaf('integer', scope, outer)])})"
            ),
            lambda: f"{self._pick(['min', 'max'])}({self.date(d, scope, outer)}, {self.date(d, scope, outer)})",
            lambda: f"coalesce({self.date(d, scope, outer)}, {self.date(d, scope, outer)})",
            lambda: (
                f"({self.date(d, scope, outer)} if {self.boolean(d, scope, outer)} else {self.date(d, scope, outer)})"
            ),
            lambda: (
                f"add_{self._pick(['days', 'months'])}({self.date(d, scope, outer)}, {self.integer(d, scope, outer)})"
            ),
        ]
        if self._collections(d, scope):
            forms.append(lambda: self._aggregate(d, scope, "date"))
        return self._pick(forms)()

    def datetime(self, depth: int, scope: str, outer: str | None) -> str:
        if depth <= 0:
            return self.leaf("datetime", scope, outer)
        d = depth - 1
        forms = [
            lambda: (
                f"({self.datetime(d, scope, outer)} {self._pick(['+', '-'])} days({self.integer(d, scope, outer)}))"
            ),
            lambda: f"{self._pick(['min', 'max'])}({self.datetime(d, scope, outer)}, {self.datetime(d, scope, outer)})",
            lambda: f"coalesce({self.datetime(d, scope, outer)}, {self.datetime(d, scope, outer)})",
            lambda: (
                f"({self.datetime(d, scope, outer)} if {self.boolean(d, scope, outer)} else {self.datetime(d, scope, outer)})"
            ),
        ]
        return self._pick(forms)()

    def boolean(self, depth: int, scope: str, outer: str | None) -> str:
        if depth <= 0:
            return self._pick(["True", "False"]) if self.random.random() < 0.1 else self.leaf("boolean", scope, outer)
        d = depth - 1
        order = ["==", "!=", "<", "<=", ">", ">="]
        forms = [
            lambda: f"({self.number(d, scope, outer)} {self._pick(order)} {self.number(d, scope, outer)})",
            lambda: (
                f"({self.number(d, scope, outer)} {self._pick(order)} {self.number(d, scope, outer)} {self._pick(order)} {self.number(0, scope, outer)})"
            ),
            lambda: f"({self.text(d, scope, outer)} {self._pick(order[:2])} {self.text(d, scope, outer)})",
            lambda: f"({self._plain(scope)} {self._pick(order)} {self._pick(WORDS)})",
            lambda: f"(text({self.number(d, scope, outer)}) {self._pick(order)} lower({self._plain(scope)}))",
            lambda: f"({self.date(d, scope, outer)} {self._pick(order)} {self.date(d, scope, outer)})",
            lambda: f"({self.datetime(d, scope, outer)} {self._pick(order)} {self.datetime(d, scope, outer)})",
            lambda: f"({self._logic(d, scope, outer)} {self._pick(['and', 'or'])} {self._logic(d, scope, outer)})",
            lambda: f"(not {self._logic(d, scope, outer)})",
            lambda: f"({self.boolean(d, scope, outer)} {self._pick(order[:2])} {self.boolean(d, scope, outer)})",
            lambda: f"({self._any(d, scope, outer)} {self._pick(['is None', 'is not None'])})",
            lambda: (
                f"{self._pick(['contains', 'starts_with', 'ends_with'])}({self.text(d, scope, outer)}, {self.text(d, scope, outer)})"
            ),
            lambda: f"({self.text(d, scope, outer)} {self._in()} ({self._pick(WORDS)}, {self.text(0, scope, outer)}))",
            lambda: f"({self._plain(scope)} {self._in()} params.chosen)",
            lambda: f"({self.number(d, scope, outer)} {self._in()} ({self.number(0, scope, outer)}, 1, 2.5))",
            lambda: f"({self._day(d, scope, outer)} {self._in()} params.period)",
            lambda: (
                f"({self.leaf('record', scope, outer)} {self._pick(order[:2])} {self.leaf('record', scope, outer)})"
            ),
            lambda: f"({self.leaf('record', scope, outer)} {self._in()} (user, params.who))",
            lambda: f"in_unit({self.leaf('unit', scope, outer)})",
            lambda: f"in_unit({self.leaf('unit', scope, outer)}, '{self._pick(['east', 'none'])}')",
            lambda: f"has_role('{self._pick(['sales', 'boss'])}')",
            lambda: (
                f"({self.boolean(d, scope, outer)} if {self.boolean(d, scope, outer)} else {self.boolean(d, scope, outer)})"
            ),
            lambda: f"coalesce({self.boolean(d, scope, outer)}, {self.boolean(d, scope, outer)})",
        ]
        if scope != "user":
            select = lambda: self.leaf("select", scope, None)  # noqa: E731
            forms += [
                lambda: f"({select()} {self._pick(order[:2])} {self._pick(['new', 'won', 'odd'])!r})",
                lambda: f"({select()} {self._pick(order[:2])} {select()})",
                lambda: f"({select()} {self._in()} ('talk', 'won'))",
                lambda: f"({self.leaf('time', scope, None)} {self._pick(order)} {self.leaf('time', scope, None)})",
            ]
        if scope == "account":
            forms += [
                lambda: (
                    f"('{self._pick(['red', 'green', 'blue'])}' {self._in()} {self._pick(['tags', 'parent.tags'])})"
                ),
                lambda: f"(owner {self._in()} {self._pick(['friends', 'parent.friends'])})",
                lambda: f"(tags {self._pick(['is None', 'is not None'])})",
                lambda: f"(params.gone {self._pick(['== 3', 'is None', '!= size'])})",
            ]
        if scope == "deal":
            forms.append(lambda: f"(amount {self._pick(order)} {self.number(d, scope, outer)})")
        if self._collections(d, scope):
            forms += [lambda: self._exists(d, scope), lambda: self._exists(d, scope)]
        return self._pick(forms)()

    def _logic(self, depth: int, scope: str, outer: str | None) -> str:
        return self.boolean(depth, scope, outer)

    def _in(self) -> str:
        return self._pick(["in", "not in"])

    def _any(self, depth: int, scope: str, outer: str | None) -> str:
        kinds = [self.number, self.text, self.date, self.datetime, self.integer, self.boolean]
        if self.random.random() < 0.2:
            return self.leaf(self._pick(["record", "unit"]), scope, outer)
        return self._pick(kinds)(depth, scope, outer)

    # collections

    def _collections(self, depth: int, scope: str) -> dict[str, str]:
        return COLLECTIONS[scope] if depth >= 0 else {}

    def _chosen(self, scope: str) -> tuple[str, str]:
        name = self._pick(list(COLLECTIONS[scope]))
        prefix = self._pick(["", "", "parent."])
        return prefix + name, COLLECTIONS[scope][name]

    def _where(self, depth: int, child: str, scope: str) -> str:
        return self.boolean(max(0, depth), child, scope)

    def _count(self, depth: int, scope: str) -> str:
        name, child = self._chosen(scope)
        return f"{name}.count({self._pick(['', self._where(depth, child, scope)])})"

    def _exists(self, depth: int, scope: str) -> str:
        name, child = self._chosen(scope)
        function = self._pick(["any", "all"])
        return f"{name}.{function}({self._where(depth, child, scope)})"

    def _aggregate(self, depth: int, scope: str, kind: str) -> str:
        name, child = self._chosen(scope)
        functions = {
            "number": ["sum", "avg", "min", "max", "first", "last"],
            "integer": ["sum", "min", "max", "first", "last"],
            "text": ["min", "max", "first", "last"],
            "date": ["min", "max", "first", "last"],
        }[kind]
        function = self._pick(functions)
        if kind == "text" and function in ("min", "max"):
            value = "name"
        elif child == "deal" and kind == "number" and self.random.random() < 0.4:
            value = self._pick(["amount", "amount * score", "amount / 3", "round(amount, 2)"])
        else:
            value = getattr(self, kind)(max(0, depth - 1), child, scope)
        parts = [value]
        if self.random.random() < 0.5:
            parts.append(self._where(depth - 1, child, scope))
        if function in ("first", "last") and self.random.random() < 0.6:
            by = self._pick(
                [
                    "name",
                    self.leaf("date", child, None),
                    self.leaf("integer", child, None),
                    self.leaf("number", child, None),
                ]
            )
            parts.append(f"by={by}")
        return f"{name}.{function}({', '.join(parts)})"
