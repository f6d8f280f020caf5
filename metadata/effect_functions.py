"""Functions that do something, registered by code packages and called by rules: the effect `function`.

    @effect_function("reserve_room", takes={"hours": INTEGER})
    def reserve_room(session, record, hours): ...        # in the transaction of the rule; returns JSON for the run log

    @effect_function("post_to_chat", takes={"text": TEXT}, outside=True)
    def post_to_chat(site, event, text): ...              # in a job after the commit, at least once per event id

A function of the first sort writes through `runtime.records` with the session it is given: what it does happens
exactly once. One with `outside=True` has effects that no transaction can undo; `event` is an id that stays the same
when it is tried again, for the other side to recognise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rules.typing import Type

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFunction:
    """`takes`: name → type of each parameter; all are optional and None where the rule does not give them."""

    name: str
    call: Callable[..., Any]
    takes: Mapping[str, Type] = field(default_factory=dict)
    outside: bool = False


_FUNCTIONS: dict[str, EffectFunction] = {}


def effect_function(name: str, *, takes: Mapping[str, Type] | None = None, outside: bool = False) -> Callable[[F], F]:
    """Registers a function under a name. Raises `ValueError` where the name is taken by another one."""

    def register(call: F) -> F:
        known = _FUNCTIONS.get(name)
        if known is not None and known.call.__qualname__ != call.__qualname__:
            raise ValueError(f"effect function {name!r} is registered twice")
        _FUNCTIONS[name] = EffectFunction(name=name, call=call, takes=dict(takes or {}), outside=outside)
        return call

    return register


def effect_functions() -> Mapping[str, EffectFunction]:
    """Every registered effect function by name."""
    return _FUNCTIONS
