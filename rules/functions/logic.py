"""coalesce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rules.registry import Argument, rule_function
from rules.typing import Type


def _first_type(arguments: Sequence[Any]) -> Type:
    given: Type = arguments[0].type
    return given


@rule_function(
    "coalesce",
    args=[Argument(kinds=frozenset({"*same*"}), repeat=True)],
    returns=_first_type,
    sql=lambda q, *values: q.coalesce(*values),
    nothing="given",
    layer="core",
    help={"zh": "第一个不为空的值", "en": "The first of the values that is something"},
)
def coalesce(*values: Any) -> Any:
    return next((v for v in values if v is not None), None)
