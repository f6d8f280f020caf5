"""A schema and records for tests of the language in Python."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.evaluate import Environment, evaluate
from rules.expression import Expression, check, parse
from rules.typing import INTEGER
from tests.agreement.sample import PARAMETERS, sample

APP = sample()
NOW = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # the 23rd in Shanghai


class Record:
    """Values from keyword arguments; what is not given is nothing."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def get(self, name: str) -> Any:
        return self.values.get(name)

    def members(self, name: str) -> Any:
        return self.values.get(name) or ()


def environment(**rest: Any) -> Environment:
    return Environment(**({"now": NOW, "zone": ZoneInfo("Asia/Shanghai"), "user": Record(id=2)} | rest))


def parsed(text: str, entity: str = "account", **rest: Any) -> Expression:
    return parse(text, schema=APP, entity=entity, parameters=PARAMETERS, **rest)


def run(text: str, record: Record | None = None, entity: str = "account", env: Environment | None = None) -> Any:
    """The value of an expression for a record."""
    allow_old = env is not None and env.old is not None
    return evaluate(parsed(text, entity, allow_old=allow_old), record or Record(id=1), env or environment())


def codes(text: str, entity: str = "account", **rest: Any) -> list[str]:
    """The codes of the problems of a text."""
    given = {"parameters": PARAMETERS | {"gone": INTEGER}} | rest
    return [p.code for p in check(text, schema=APP, entity=entity, **given)[1]]
