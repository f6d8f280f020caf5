"""has_role, in_unit: of the person at work, or of the unit with a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules.registry import kinds, rule_function
from rules.typing import BOOLEAN

if TYPE_CHECKING:
    from rules.evaluate import Environment


@rule_function(
    "has_role",
    args=[kinds("text", constant=True)],
    returns=BOOLEAN,
    sql=lambda q, role: q.has_role(role),
    environment=True,
    uses=["user"],
    layer="core",
    help={"zh": "当前用户是否有此角色", "en": "Whether the person at work has the role"},
)
def has_role(environment: Environment, role: str) -> bool:
    return role in environment.roles


@rule_function(
    "in_unit",
    args=[kinds("record", entity="unit")],
    returns=BOOLEAN,
    sql=lambda q, unit: q.in_unit(unit),
    environment=True,
    uses=["user"],
    layer="core",
    help={
        "zh": "该部门是否是当前用户的部门或其下级",
        "en": "Whether the unit is the one of the person at work or below it",
    },
)
def in_unit(environment: Environment, unit: int) -> bool:
    return unit in environment.units


@rule_function(
    "in_unit",
    args=[kinds("record", entity="unit"), kinds("text", constant=True)],
    returns=BOOLEAN,
    sql=lambda q, unit, code: q.in_unit(unit, code),
    environment=True,
    uses=["time"],  # nothing tells a stored value that the units have moved: it is worked out anew each time
    layer="core",
    help={
        "zh": "该部门是否是编码为 code 的部门或其下级，如 in_unit(owner.unit, 'east')",
        "en": "Whether the unit is the one with the code or below it: in_unit(owner.unit, 'east')",
    },
)
def in_unit_of(environment: Environment, unit: int, code: str) -> bool:
    return unit in environment.below(code)
