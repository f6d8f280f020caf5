"""What rules do once they have decided: one dataclass per word of the vocabulary, shared by all kinds of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metadata.models.who import Who
from metadata.texts import Origin, Text
from rules.durations import Duration
from rules.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a field is given; exactly one of the ways is set, or all are None for nothing.

    `constant` is plain data as written; `expression` is about the record the rule looks at; `text` has placeholders
    such as `{customer.name}`; `who` is for fields that name people; `within` counts from the moment of the effect.
    """

    field: str
    constant: Any = None
    expression: Expression | None = None
    text: Text | None = None
    who: Who | None = None
    within: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What all effects have: a name unique in their list, a condition, and where they were declared."""

    name: str
    when: Expression | None = None
    origin: Origin

    @property
    def word(self) -> str:
        """The key it is declared by."""
        return _WORDS[type(self)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFields(Effect):
    """Gives fields of the record, or of the one the path `on` leads to, their values."""

    values: tuple[Value, ...]
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(Effect):
    """Creates a record of `entity`."""

    entity: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLinks(Effect):
    """Adds to fields that hold several: links, choices, tags."""

    values: tuple[Value, ...]
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Effect):
    """Gives the record to the first of the people who is there."""

    to: Who
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Effect):
    """A notice to people; without a subject the label of the rule and the title of the record."""

    to: tuple[Who, ...]
    subject: Text | None = None
    body: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Effect):
    """An e-mail to people, or to the address at a path of the record."""

    to: tuple[Who, ...] = ()
    address: tuple[str, ...] = ()
    subject: Text
    body: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWebhook(Effect):
    """A signed call of another program with the record's id and the `fields` named. `key` names the secret."""

    url: str
    key: str
    fields: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartApproval(Effect):
    """Starts an approval, as if somebody had submitted the record."""

    approval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFunction(Effect):
    """Calls an effect function that a code package registered."""

    function: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Effect):
    """Goes on after a while, unless a condition holds by then: then the run ends here."""

    duration: Duration
    unless: Expression | None = None


_WORDS: dict[type[Effect], str] = {
    SetFields: "set",
    Create: "create",
    AddLinks: "link",
    Assign: "assign",
    Notify: "notify",
    SendMessage: "message",
    CallWebhook: "webhook",
    StartApproval: "approval",
    CallFunction: "function",
    Wait: "wait",
}
